/// A demangled C, C++ or Rust name taken apart: its path, the template arguments of each part, its parameters.
///
/// Return types (`void std::sort<…>(…)`), the words in front of thunks and the marks behind clones are left out.
struct QualifiedName {
    struct Component {
        /// Without template or generic arguments; `(anonymous namespace)`, `{lambda(int)#1}` and `<T as Trait>` are one.
        var name: String
        /// With them.
        var full: String
    }

    private(set) var components: [Component] = []
    /// From the opening parenthesis on, with what follows (`(int) const`); empty when there are none.
    private(set) var parameters = ""

    private var text: [UInt8]
    private var at = 0
    private var name: [UInt8] = []
    private var full: [UInt8] = []

    init(_ source: String) {
        var rest = source
        while let phrase = Self.phrases.first(where: { rest.hasPrefix($0) }) { rest.removeFirst(phrase.count) }
        text = Array(rest.utf8)
        parse()
    }

    private static let phrases = [
        "non-virtual thunk to ", "virtual thunk to ", "covariant return thunk to ", "guard variable for ",
        "TLS init function for ", "TLS wrapper function for ", "transaction clone for ", "non-transaction clone for ",
    ]

    // MARK: - Parsing

    private func byte(_ offset: Int = 0) -> UInt8? { at + offset < text.count ? text[at + offset] : nil }

    private func follows(_ word: StaticString) -> Bool {
        guard at + word.utf8CodeUnitCount <= text.count else { return false }
        for index in 0..<word.utf8CodeUnitCount where word.utf8Start[index] != text[at + index] { return false }
        return true
    }

    private mutating func parse() {
        while let character = byte() {
            switch character {
            case UInt8(ascii: ":") where byte(1) == UInt8(ascii: ":"):
                push()
                at += 2
            case UInt8(ascii: "<"): angle()
            case UInt8(ascii: "{"):
                let range = balanced()
                name += text[range]
                full += text[range]
            case UInt8(ascii: "("):
                if !parenthesis() { return finish() }
            case UInt8(ascii: "["):
                let isTag = follows("[abi:")
                let range = balanced()
                if !isTag, !name.isEmpty { full += text[range] }
            case UInt8(ascii: " "):
                if follows(" [clone") { return finish() }
                // What came so far was a return type.
                components = []
                name = []
                full = []
                at += 1
            default:
                if name.isEmpty, follows("operator"), !isWordByte(byte(8)) {
                    operatorName()
                } else {
                    name.append(character)
                    full.append(character)
                    at += 1
                }
            }
        }
        finish()
    }

    private mutating func push() {
        guard !name.isEmpty else { return }
        components.append(
            Component(name: String(decoding: name, as: UTF8.self), full: String(decoding: full, as: UTF8.self))
        )
        name = []
        full = []
    }

    private mutating func finish() {
        push()
        if at < text.count, parameters.isEmpty, text[at] == UInt8(ascii: "(") {
            var end = text[at...]
            if let clone = QualifiedName.find(" [clone", in: end) { end = end[..<clone] }
            parameters = String(decoding: end, as: UTF8.self)
        }
    }

    private static func find(_ word: String, in bytes: ArraySlice<UInt8>) -> Int? {
        let pattern = Array(word.utf8)
        guard bytes.count >= pattern.count else { return nil }
        return (bytes.startIndex...(bytes.endIndex - pattern.count)).first { bytes[$0...].starts(with: pattern) }
    }

    private mutating func angle() {
        let isFirst = name.isEmpty && components.isEmpty
        let range = balanced()
        if isFirst {
            // Rust: <Type as Trait>::method.
            name += text[range]
            full += text[range]
        } else if name.isEmpty, let last = components.indices.last {
            // Rust: function::<Type>.
            components[last].full += "::" + String(decoding: text[range], as: UTF8.self)
        } else {
            full += text[range]
        }
    }

    /// False at the parameter list, which ends the name.
    private mutating func parenthesis() -> Bool {
        let start = at
        let range = balanced()
        if name.isEmpty, text[range].elementsEqual("(anonymous namespace)".utf8) {
            name += text[range]
            full += text[range]
            return true
        }
        // A return type: "decltype (f(1)) call<int>(int)".
        if name.elementsEqual("decltype".utf8) || name.isEmpty && components.isEmpty && byte() == UInt8(ascii: " ") {
            return true
        }
        // What a local class or lambda is in: f(int) const::{lambda()#1}.
        while let word = Self.qualifiers.first(where: { text[at...].starts(with: $0) }) { at += word.count }
        if byte() == UInt8(ascii: ":"), byte(1) == UInt8(ascii: ":") { return true }
        at = start
        return false
    }

    private static let qualifiers = [" const", " volatile", " &&", " &", " noexcept"].map { Array($0.utf8) }

    /// The range of a bracketed text that begins here; up to the end when it is not closed.
    private mutating func balanced() -> Range<Int> {
        let start = at
        var open: [UInt8] = []
        while let character = byte() {
            switch character {
            case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "<"): open.append(character)
            case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
                while open.last == UInt8(ascii: "<"), open.count > 1 { open.removeLast() }
                open.removeLast()
            case UInt8(ascii: ">"):
                let isArrow = at > start && text[at - 1] == UInt8(ascii: "-")
                if !isArrow, open.last == UInt8(ascii: "<") { open.removeLast() }
            default: break
            }
            at += 1
            if open.isEmpty { break }
        }
        return start..<at
    }

    private func isWordByte(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return byte == UInt8(ascii: "_") || byte >= 48 && byte <= 57 || byte | 0x20 >= 97 && byte | 0x20 <= 122
    }

    private static let operators = [
        "()", "[]", "<=>", "<<=", ">>=", "->*", "<<", ">>", "->", "<=", ">=", "==", "!=", "&&", "||", "++", "--", "+=",
        "-=", "*=", "/=", "%=", "^=", "&=", "|=", "<", ">", "=", "+", "-", "*", "/", "%", "^", "&", "|", "~", "!", ",",
        " new[]", " new", " delete[]", " delete", " co_await",
    ].map { Array($0.utf8) }

    private mutating func operatorName() {
        let start = at
        at += 8
        if let symbol = Self.operators.first(where: { text[at...].starts(with: $0) }) {
            at += symbol.count
            // "operator< <int>": the blank keeps the two apart.
            if byte() == UInt8(ascii: " "), byte(1) == UInt8(ascii: "<") {
                name += text[start..<at]
                full += text[start..<at]
                at += 1
                return
            }
        } else {
            // A conversion: up to its parameters.
            while let character = byte(), character != UInt8(ascii: "(") {
                if character == UInt8(ascii: "<") { _ = balanced() } else { at += 1 }
            }
        }
        name += text[start..<at]
        full += text[start..<at]
    }
}
