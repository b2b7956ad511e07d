/// A demangled Swift name taken apart.
///
/// What the compiler made out of a function (specializations, closures, thunks, merged copies) counts as the function.
struct SwiftName {
    /// Where the function was written: the module of the extension for a method that an extension adds.
    private(set) var module = ""
    /// Types and function, without module, generic arguments and discriminators; never empty.
    private(set) var components: [String] = []
    /// The argument labels, as in `(_:at:)`; empty for what takes none.
    private(set) var labels = ""
    /// No function anyone wrote: metadata accessors, outlined copies, value witnesses.
    private(set) var isGlue = false
    /// A reabstraction thunk: it only passes a call on.
    private(set) var isThunk = false

    /// nil when the name is not Swift's.
    init?(_ source: String) {
        guard Self.looksLikeSwift(source) else { return nil }
        var rest = Substring(source)
        while strip(&rest) {}
        parse(rest)
        guard !components.isEmpty else { return nil }
    }

    /// As in `DemoServer.filled(_:)`.
    var readable: String { components.joined(separator: ".") + labels }

    /// Asked of every name, so of a string: the prefixes of a substring are compared character by character.
    private static func looksLikeSwift(_ name: String) -> Bool {
        let head = Substring(name.utf8.prefix { $0 != UInt8(ascii: "(") && $0 != UInt8(ascii: "<") })
        // What Swift's names begin with has a blank before its first bracket, or stands in brackets itself.
        let hasBlank = head.utf8.contains(UInt8(ascii: " "))
        if hasBlank || head.isEmpty, startsLikeSwift(name) { return true }
        if head.holds("::") { return false }
        return head.utf8.contains(UInt8(ascii: ".")) && head.utf8.first != UInt8(ascii: ".")
            && !name.utf8.contains(UInt8(ascii: "/"))
            && name.utf8.contains(where: { $0 == UInt8(ascii: "(") || $0 == UInt8(ascii: " ") })
            // A function inside a function: "helper #1 (a: Swift.Int) -> () in module.outer() -> ()".
            || hasBlank && head.holds(" #")
    }

    private static func startsLikeSwift(_ name: String) -> Bool {
        phrases.contains { name.hasPrefix($0) } || bracketed.contains { name.hasPrefix($0) }
            || glue.contains { name.hasPrefix($0) } || name.hasPrefix("reabstraction thunk")
            || name.hasPrefix("closure #") || name.hasPrefix("implicit closure #")
            || name.hasPrefix("(extension in ") || endOfPiece(Substring(name)) != nil
    }

    private static let phrases = [
        "merged ", "specialized ", "static ", "class ", "@objc ", "@nonobjc ", "partial apply forwarder for ",
        "partial apply for ", "partial apply ObjC forwarder for ", "dispatch thunk of ", "curry thunk of ",
        "override thunk of ", "async function pointer to ", "back deployment thunk for ",
        "back deployment fallback for ",
        "distributed thunk ", "variable initialization expression of ", "one-time initialization function for ",
        "one-time initialization token for ", "lazy initializer for ", "property wrapper backing initializer of ",
        "key path getter for ", "key path setter for ", "protocol witness for ", "vtable thunk for ",
        "inlined generic function ", "coro continuation ", "suspend resume partial function for ",
        "await resume partial function for ", "accessible function runtime record for ", "default argument ",
        "init accessor of ",
    ]
    /// Followed by arguments in angle brackets and "of".
    private static let bracketed = [
        "generic specialization <", "generic specialization of ", "function signature specialization ",
        "generic partial specialization <", "generic not re-abstracted specialization <",
        "generic not-reabstracted specialization <", "generic partial not re-abstracted specialization <",
        "prespecialized generic specialization <", "inlined generic function <", "specialization <",
        "generic pre-specialization <",
    ]
    private static let glue = [
        "outlined ", "type metadata ", "nominal type descriptor ", "generic type metadata ", "value witness ",
        "metaclass ", "full type metadata ", "protocol conformance ", "lazy protocol witness ",
        "protocol witness table ",
        "associated type ", "base witness table ", "reflection metadata ", "demangling cache ", "metadata ",
        "lazy protocol conformance ", "class metadata ", "initializeWithCopy ", "destroy value witness ",
    ]

    /// Takes off one thing in front of the name; false when there is none.
    private mutating func strip(_ rest: inout Substring) -> Bool {
        if rest.hasPrefix("reabstraction thunk") {
            isThunk = true
            return false
        }
        if Self.glue.contains(where: { rest.hasPrefix($0) }) {
            isGlue = true
            return false
        }
        if Self.bracketed.contains(where: { rest.hasPrefix($0) }) {
            guard let end = Self.end(of: " of ", in: rest) else { return false }
            rest = rest[end...]
            return true
        }
        if rest.hasPrefix("closure #") || rest.hasPrefix("implicit closure #") {
            guard let end = Self.end(of: " in ", in: rest) else { return false }
            rest = rest[end...]
            return true
        }
        if let end = Self.endOfPiece(rest) {
            rest = rest[end...]
            return true
        }
        if rest.hasPrefix("default argument ") {
            guard let end = Self.end(of: " of ", in: rest) else { return false }
            rest = rest[end...]
            return true
        }
        if rest.hasPrefix("protocol witness for "), let end = Self.end(of: " in conformance ", in: rest) {
            witness(rest.dropFirst("protocol witness for ".count), conformance: rest[end...], &rest)
            return true
        }
        if rest.hasPrefix("vtable thunk for "), let end = Self.end(of: " dispatching to ", in: rest) {
            rest = rest[end...]
            return true
        }
        guard let phrase = Self.phrases.first(where: { rest.hasPrefix($0) }) else { return false }
        rest = rest.dropFirst(phrase.count)
        return true
    }

    /// Index behind the number of "(3) suspend resume partial function for": a piece of an async function.
    private static func endOfPiece(_ name: Substring) -> Substring.Index? {
        guard name.utf8.first == UInt8(ascii: "("), let close = name.firstIndex(of: ")"),
            name[close...].hasPrefix(") "),
            name[..<close].dropFirst().allSatisfy(\.isNumber)
        else { return nil }
        return name.index(close, offsetBy: 2)
    }

    /// `protocol witness for Swift.Hashable.hash(…) in conformance user.Key : Swift.Hashable in user` is `user.Key.hash(…)`.
    private func witness(_ requirement: Substring, conformance: Substring, _ rest: inout Substring) {
        let type = conformance.prefix(upTo: Self.start(of: " : ", in: conformance) ?? conformance.endIndex)
        let end = Self.start(of: " in conformance ", in: requirement) ?? requirement.endIndex
        var parts = Self.split(requirement[..<end])
        guard let member = parts.popLast() else {
            rest = requirement[..<end]
            return
        }
        rest = Substring(type + "." + member)
    }

    // MARK: - The path

    private mutating func parse(_ name: Substring) {
        if isGlue || isThunk {
            components = [String(name)]
            return
        }
        var rest = name
        var isExtension = false
        if rest.hasPrefix("(extension in "), let close = rest.firstIndex(of: ")") {
            module = String(rest[..<close].dropFirst("(extension in ".count))
            isExtension = true
            rest = rest[rest.index(after: close)...].dropFirst()
        }
        // A local function: its own name, then what it is in.
        if Self.start(of: " #", in: rest) != nil, let outer = Self.end(of: " in ", in: rest),
            let inner = SwiftName.local(rest, outer)
        {
            self = inner
            return
        }
        let parts = Self.split(rest)
        guard let last = parts.last else { return }
        components = parts.dropLast().map { Self.plain($0) }
        let name = Self.plain(last)
        components.append(name == "__allocating_init" ? "init" : name)
        labels = Self.labels(last)
        if parts.count > 1 {
            let first = components.removeFirst()
            if !isExtension { module = first }
        }
        components.removeAll { $0.isEmpty }
        if isAllocatingInit(last) { isAllocatingInitializer = true }
    }

    /// A class's `__allocating_init`: makes the object for its caller.
    private(set) var isAllocatingInitializer = false

    private func isAllocatingInit(_ part: Substring) -> Bool { part.hasPrefix("__allocating_init") }

    private static func local(_ name: Substring, _ outer: Substring.Index) -> SwiftName? {
        guard var result = SwiftName(String(name[outer...])), let mark = start(of: " #", in: name) else { return nil }
        let word = plain(name[..<mark])
        guard !word.isEmpty else { return result }
        result.components.append(word)
        let signature = name[mark...].drop { $0 != "(" }
        result.labels = signature.isEmpty ? "" : labels(signature)
        return result
    }

    /// At the dots between types; the last part keeps its parameters.
    private static func split(_ name: Substring) -> [Substring] {
        var parts: [Substring] = []
        var start = name.startIndex
        var depth = 0
        var previous: UInt8 = 0
        var index = name.startIndex
        while index < name.endIndex {
            let byte = name.utf8[index]
            switch byte {
            case UInt8(ascii: "("), UInt8(ascii: "<"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ">") where previous != UInt8(ascii: "-"): depth -= 1
            case UInt8(ascii: " ") where depth == 0:
                // A type or a signature follows: " : T", " -> T", " infix(…)".
                parts.append(name[start...])
                return parts
            case UInt8(ascii: ".") where depth == 0 && previous != UInt8(ascii: ".") && index > start:
                let next = name.utf8.index(after: index)
                // Operators may have dots: "..<".
                if next < name.endIndex, name.utf8[next] != UInt8(ascii: ".") {
                    parts.append(name[start..<index])
                    start = next
                }
            default: break
            }
            previous = byte
            index = name.utf8.index(after: index)
        }
        parts.append(name[start...])
        return parts
    }

    /// `x` of `x`, `x(a: B) -> C`, `x<A where …>`, `(x in _HASH)` and `x : B`.
    private static func plain(_ part: Substring) -> String {
        if part.hasPrefix("("), let inner = part.firstIndex(of: " ") {
            let word = part[part.index(after: part.startIndex)..<inner]
            return word == "extension" ? "" : String(word)
        }
        let first = part.unicodeScalars.first
        let isOperator = first.map { "<>=+-*/%!&|^~.?".unicodeScalars.contains($0) } ?? false
        return String(part.prefix { $0 != "(" && $0 != " " && (isOperator || $0 != "<") })
    }

    private static func labels(_ part: Substring) -> String {
        var rest = part
        if rest.hasPrefix("("), let inner = rest.firstIndex(of: ")"), rest[..<inner].holds(" in ") {
            rest = rest[rest.index(after: inner)...]
        }
        let head = rest.prefix { $0 != "(" }
        guard !head.holds(":"), let open = rest.firstIndex(of: "(") else { return "" }
        var names: [String] = []
        var depth = 0
        var start = rest.index(after: open)
        var previous: Character = " "
        var index = open
        while index < rest.endIndex {
            let character = rest[index]
            switch character {
            case "(", "<", "[": depth += 1
            case ")", "]": depth -= 1
            case ">" where previous != "-": depth -= 1
            default: break
            }
            if depth == 0 || depth == 1 && character == "," {
                let argument = rest[start..<index].drop { $0 == " " }
                if !argument.isEmpty {
                    let label = argument.prefix { $0 != ":" && $0 != " " && $0 != "." && $0 != "(" && $0 != "<" }
                    names.append(argument.dropFirst(label.count).hasPrefix(": ") ? label + ":" : "_:")
                }
                start = rest.index(after: index)
                if depth == 0 { break }
            }
            previous = character
            index = rest.index(after: index)
        }
        return "(" + names.joined() + ")"
    }

    /// Index behind the first occurrence of a phrase outside brackets.
    private static func end(of phrase: String, in text: Substring) -> Substring.Index? {
        start(of: phrase, in: text).map { text.utf8.index($0, offsetBy: phrase.utf8.count) }
    }

    private static func start(of phrase: String, in text: Substring) -> Substring.Index? {
        var depth = 0
        var previous: UInt8 = 0
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text.utf8[index]
            if depth == 0, byte == phrase.utf8.first, text[index...].hasPrefix(phrase) { return index }
            switch byte {
            case UInt8(ascii: "("), UInt8(ascii: "<"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ">") where previous != UInt8(ascii: "-"): depth -= 1
            default: break
            }
            previous = byte
            index = text.utf8.index(after: index)
        }
        return nil
    }
}
