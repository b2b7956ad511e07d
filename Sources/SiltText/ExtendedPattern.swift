internal import Glibc

/// A pattern the user gave that is not a regular expression, or one that could take too long.
package struct PatternError: Error, CustomStringConvertible {
    package var pattern: String
    package var reason: String

    package var description: String { "\(pattern): \(reason) (a POSIX extended regular expression is expected)" }
}

/// A POSIX extended regular expression (regex(7)) that is looked for anywhere in a text, in bounded time and memory.
///
/// glibc's matcher needs no backtracking except for back references, which POSIX does not have here. What remains is at
/// most quadratic in the text and in the pattern as glibc expands it, so both are bounded.
package final class ExtendedPattern {
    /// Bytes of a text that are looked at.
    package static let maximumText = 4096

    private let compiled = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
    private var isCompiled = false

    /// Throws with a reason of ours or the C library's message.
    package init(_ pattern: String) throws(PatternError) {
        compiled.initialize(to: regex_t())
        if let reason = PatternCost.problem(of: Array(pattern.utf8)) {
            throw PatternError(pattern: String(pattern.prefix(100)), reason: reason)
        }
        let status = regcomp(compiled, pattern, REG_EXTENDED | REG_NOSUB)
        guard status == 0 else {
            var text = [CChar](repeating: 0, count: 256)
            regerror(status, compiled, &text, text.count)
            throw PatternError(
                pattern: pattern,
                reason: String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            )
        }
        isCompiled = true
    }

    deinit {
        if isCompiled { regfree(compiled) }
        compiled.deallocate()
    }

    /// Whether it is found in the first `maximumText` bytes; `$` stands for the end of the whole text.
    package func matches(_ text: String) -> Bool {
        guard text.utf8.count > ExtendedPattern.maximumText else { return regexec(compiled, text, 0, nil, 0) == 0 }
        let beginning = text.utf8.prefix(ExtendedPattern.maximumText).map { CChar(bitPattern: $0) } + [0]
        return regexec(compiled, beginning, 0, nil, REG_NOTEOL) == 0
    }
}

/// What a pattern costs, before the C library sees it: regcomp(3) copies what is repeated, and descends into groups.
private struct PatternCost {
    private static let maximumLength = 4096
    private static let maximumDepth = 100
    /// POSIX's smallest RE_DUP_MAX, here for all repetitions together: `x{16}{17}` makes 271 copies.
    private static let maximumCopies = 255
    /// Repetitions and anchors that are themselves repeated, in a pattern with anchors: where text may be empty between
    /// two of these, regcomp takes exponential time (`^x*+++++++`).
    private static let maximumNestedBesideAnchors = 16
    /// The same without anchors, where the time grows by the fourth power: `x?????…` of 60 took 5 s, of 85 20 s.
    private static let maximumNested = 256

    private let pattern: [UInt8]
    private var position = 0
    /// What is in the groups around the current place, outermost first, and in the last atom.
    private var groups = [Content()]
    private var last = Content()
    private var copies = 0
    private var nested = 0
    private var hasAnchor = false

    /// Numbers of things, each with its copies.
    private struct Content {
        var atoms = 0
        var repetitions = 0
    }

    /// Why a pattern is not taken; nil when it can be compiled.
    static func problem(of pattern: [UInt8]) -> String? {
        if pattern.count > maximumLength { return "longer than \(maximumLength) bytes" }
        if pattern.contains(0) { return "there is a NUL byte in it" }
        var cost = PatternCost(pattern: pattern)
        return cost.scan()
    }

    private init(pattern: [UInt8]) { self.pattern = pattern }

    private mutating func scan() -> String? {
        while let byte = next() {
            switch byte {
            case UInt8(ascii: "\\"):
                guard let escaped = next() else { break }
                if (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(escaped) {
                    return "back references are not supported"
                }
                if "bB<>'`".utf8.contains(escaped) { addAnchor() } else { add(Content(atoms: 1)) }
            case UInt8(ascii: "["):
                skipBracket()
                add(Content(atoms: 1))
            case UInt8(ascii: "("):
                guard groups.count <= PatternCost.maximumDepth else {
                    return "more than \(PatternCost.maximumDepth) parentheses inside each other"
                }
                groups.append(Content())
                last = Content()
            case UInt8(ascii: ")") where groups.count > 1: add(groups.removeLast())
            case UInt8(ascii: "|"): last = Content()
            case UInt8(ascii: "^"), UInt8(ascii: "$"): addAnchor()
            case UInt8(ascii: "*"), UInt8(ascii: "?"): repeatLast(1)
            case UInt8(ascii: "+"): repeatLast(2)
            case UInt8(ascii: "{"): repeatLast(interval())
            default: add(Content(atoms: 1))
            }
            if copies > PatternCost.maximumCopies {
                return "its repetitions make more than \(PatternCost.maximumCopies) copies"
            }
        }
        if hasAnchor, nested > PatternCost.maximumNestedBesideAnchors {
            return "too many repetitions are repeated in a pattern with ^, $ or \\b"
        }
        return nested > PatternCost.maximumNested ? "too many repetitions are repeated" : nil
    }

    private mutating func next() -> UInt8? {
        guard position < pattern.count else { return nil }
        defer { position += 1 }
        return pattern[position]
    }

    private mutating func add(_ atom: Content) {
        groups[groups.count - 1].atoms += atom.atoms
        groups[groups.count - 1].repetitions += atom.repetitions
        last = atom
    }

    private mutating func addAnchor() {
        hasAnchor = true
        add(Content(atoms: 1, repetitions: 1))
    }

    /// The last atom is repeated, for which it is copied to stand there that often.
    ///
    /// What is empty costs as much as one atom, so that numbers stay small until the pattern is refused.
    private mutating func repeatLast(_ times: Int) {
        last.atoms = max(1, last.atoms)
        let more = Content(atoms: last.atoms * (times - 1), repetitions: last.repetitions * (times - 1) + 1)
        copies += more.atoms
        nested += last.repetitions * times
        groups[groups.count - 1].atoms += more.atoms
        groups[groups.count - 1].repetitions += more.repetitions
        last = Content(atoms: last.atoms + more.atoms, repetitions: last.repetitions + more.repetitions)
    }

    /// Moves behind a bracket expression, whose first `]` is one of its characters and whose classes have their own.
    private mutating func skipBracket() {
        if position < pattern.count, pattern[position] == UInt8(ascii: "^") { position += 1 }
        if position < pattern.count, pattern[position] == UInt8(ascii: "]") { position += 1 }
        while let byte = next(), byte != UInt8(ascii: "]") {
            guard byte == UInt8(ascii: "["), position < pattern.count, ".=:".utf8.contains(pattern[position]) else {
                continue
            }
            let kind = pattern[position]
            position += 1
            while let inner = next() {
                if inner == kind, position < pattern.count, pattern[position] == UInt8(ascii: "]") { break }
            }
            position += 1
        }
    }

    /// Copies of `{m}`, `{m,}` and `{m,n}`; what is not such an interval is a text, or an error of the C library's.
    private mutating func interval() -> Int {
        let minimum = number()
        guard position < pattern.count, pattern[position] == UInt8(ascii: ",") else { return max(1, minimum) }
        position += 1
        return max(1, minimum + 1, number())
    }

    private mutating func number() -> Int {
        var value = 0
        while position < pattern.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(pattern[position]) {
            value = min(1_000_000, value * 10 + Int(pattern[position] - UInt8(ascii: "0")))
            position += 1
        }
        return value
    }
}
