/// One v0 symbol, read by recursive descent; every production of the grammar is a function named after it.
///
/// Back references make the text grow exponentially with the symbol, so depth and length of the output are bounded.
struct RustV0Parser {
    private struct Malformed: Error {}

    private let input: [UInt8]
    private var at = 2
    private var output: [UInt8] = []
    private var depth = 0
    private var boundLifetimes: UInt64 = 0
    /// While it is > 0 the input is read without printing.
    private var silent = 0
    private static let depthLimit = 200
    private static let outputLimit = 1 << 16

    init(_ bytes: [UInt8]) {
        // A suffix that LLVM or the linker added begins with a dot.
        input = Array(bytes.prefix { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "$") })
    }

    mutating func demangle() -> String? {
        do throws(Malformed) {
            try path(inValue: true)
            // The instantiating crate.
            if at < input.count {
                silent += 1
                try path(inValue: false)
            }
        } catch {
            return nil
        }
        return at == input.count ? escapedText(output) : nil
    }

    // MARK: - Reading

    private var peek: UInt8? { at < input.count ? input[at] : nil }

    private mutating func eat(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func next() throws(Malformed) -> UInt8 {
        guard at < input.count else { throw Malformed() }
        at += 1
        return input[at - 1]
    }

    private mutating func base62() throws(Malformed) -> UInt64 {
        if eat("_") { return 0 }
        var value: UInt64 = 0
        while true {
            let byte = try next()
            let digit: UInt64
            switch byte {
            case UInt8(ascii: "_"):
                guard value < .max else { throw Malformed() }
                return value + 1
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = UInt64(byte - 48)
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = UInt64(byte - 97 + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = UInt64(byte - 65 + 36)
            default: throw Malformed()
            }
            let (product, overflow) = value.multipliedReportingOverflow(by: 62)
            let (sum, carry) = product.addingReportingOverflow(digit)
            guard !overflow, !carry else { throw Malformed() }
            value = sum
        }
    }

    private mutating func optionalBase62(_ tag: Unicode.Scalar) throws(Malformed) -> UInt64 {
        guard eat(tag) else { return 0 }
        let value = try base62()
        guard value < .max else { throw Malformed() }
        return value + 1
    }

    /// `undisambiguated-identifier`: a length, then the bytes, in Punycode after a `u`.
    private mutating func identifier() throws(Malformed) -> [UInt8] {
        let isPunycode = eat("u")
        guard let first = RustDemangler.decimal(try next()) else { throw Malformed() }
        var length = first
        while first != 0, let byte = peek, let digit = RustDemangler.decimal(byte) {
            guard length < 1 << 20 else { throw Malformed() }
            length = length * 10 + digit
            at += 1
        }
        _ = eat("_")
        guard at + length <= input.count else { throw Malformed() }
        let bytes = Array(input[at..<(at + length)])
        at += length
        guard isPunycode else { return bytes }
        guard let text = Punycode.decode(bytes) else { throw Malformed() }
        return Array(text.utf8)
    }

    // MARK: - Printing

    private mutating func print(_ text: String) throws(Malformed) { try print(bytes: Array(text.utf8)) }

    private mutating func print(bytes: [UInt8]) throws(Malformed) {
        guard silent == 0 else { return }
        guard output.count + bytes.count <= Self.outputLimit else { throw Malformed() }
        output += bytes
    }

    private mutating func nested(
        _ body: (inout RustV0Parser) throws(Malformed) -> Void
    ) throws(Malformed) {
        guard depth < Self.depthLimit else { throw Malformed() }
        depth += 1
        try body(&self)
        depth -= 1
    }

    private mutating func backref(
        _ body: (inout RustV0Parser) throws(Malformed) -> Void
    ) throws(Malformed) {
        let start = UInt64(at - 1)
        let target = try base62()
        guard target < start - 2 else { throw Malformed() }
        // What is not printed need not be read again.
        guard silent == 0 else { return }
        let resume = at
        at = Int(target) + 2
        try nested(body)
        at = resume
    }

    /// The elements up to an `E`; the number of them.
    private mutating func list(
        separator: String,
        _ element: (inout RustV0Parser) throws(Malformed) -> Void
    ) throws(Malformed) -> Int {
        var count = 0
        while !eat("E") {
            if count > 0 { try print(separator) }
            try element(&self)
            count += 1
        }
        return count
    }

    // MARK: - Paths

    private mutating func path(inValue: Bool) throws(Malformed) {
        try nested { (self) throws(Malformed) in
            switch try self.next() {
            case UInt8(ascii: "C"):
                _ = try self.optionalBase62("s")
                try self.print(bytes: self.identifier())
            case UInt8(ascii: "N"): try self.nestedPath(inValue: inValue)
            case UInt8(ascii: "M"):
                try self.implPath()
                try self.print("<")
                try self.type()
                try self.print(">")
            case UInt8(ascii: "X"):
                try self.implPath()
                try self.traitMember()
            case UInt8(ascii: "Y"): try self.traitMember()
            case UInt8(ascii: "I"):
                try self.path(inValue: inValue)
                try self.print(inValue ? "::<" : "<")
                _ = try self.list(separator: ", ") { (self) throws(Malformed) in try self.genericArgument() }
                try self.print(">")
            case UInt8(ascii: "B"):
                try self.backref { (self) throws(Malformed) in try self.path(inValue: inValue) }
            default: throw Malformed()
            }
        }
    }

    private mutating func nestedPath(inValue: Bool) throws(Malformed) {
        let space = try next()
        guard (65...90).contains(space) || (97...122).contains(space) else { throw Malformed() }
        try path(inValue: inValue)
        let number = try optionalBase62("s")
        let name = try identifier()
        guard space <= 90 else {
            if !name.isEmpty {
                try print("::")
                try print(bytes: name)
            }
            return
        }
        switch space {
        case UInt8(ascii: "C"): try print("::{closure")
        case UInt8(ascii: "S"): try print("::{shim")
        default: try print("::{" + String(Character(Unicode.Scalar(space))))
        }
        if !name.isEmpty {
            try print(":")
            try print(bytes: name)
        }
        try print("#\(number)}")
    }

    /// Where an impl is: not printed.
    private mutating func implPath() throws(Malformed) {
        silent += 1
        _ = try optionalBase62("s")
        try path(inValue: false)
        silent -= 1
    }

    private mutating func traitMember() throws(Malformed) {
        try print("<")
        try type()
        try print(" as ")
        try path(inValue: false)
        try print(">")
    }

    private mutating func genericArgument() throws(Malformed) {
        if eat("L") {
            try lifetime(base62())
        } else if eat("K") {
            try constant(inValue: false)
        } else {
            try type()
        }
    }

    private mutating func lifetime(_ index: UInt64) throws(Malformed) {
        guard index > 0 else { return try print("'_") }
        guard index <= boundLifetimes || silent > 0 else { throw Malformed() }
        let number = boundLifetimes &- index
        try print(number < 26 ? "'" + String(Character(Unicode.Scalar(97 + UInt8(number)))) : "'_\(number)")
    }

    private mutating func binder(_ body: (inout RustV0Parser) throws(Malformed) -> Void) throws(Malformed) {
        let count = try optionalBase62("G")
        guard count <= 1024 else { throw Malformed() }
        let outer = boundLifetimes
        if count > 0 {
            try print("for<")
            for index in 0..<count {
                if index > 0 { try print(", ") }
                boundLifetimes += 1
                try lifetime(1)
            }
            try print("> ")
        }
        try body(&self)
        boundLifetimes = outer
    }

    // MARK: - Types

    private static let basic: [UInt8: String] = [
        UInt8(ascii: "a"): "i8", UInt8(ascii: "b"): "bool", UInt8(ascii: "c"): "char", UInt8(ascii: "d"): "f64",
        UInt8(ascii: "e"): "str", UInt8(ascii: "f"): "f32", UInt8(ascii: "h"): "u8", UInt8(ascii: "i"): "isize",
        UInt8(ascii: "j"): "usize", UInt8(ascii: "l"): "i32", UInt8(ascii: "m"): "u32", UInt8(ascii: "n"): "i128",
        UInt8(ascii: "o"): "u128", UInt8(ascii: "s"): "i16", UInt8(ascii: "t"): "u16", UInt8(ascii: "u"): "()",
        UInt8(ascii: "v"): "...", UInt8(ascii: "x"): "i64", UInt8(ascii: "y"): "u64", UInt8(ascii: "z"): "!",
        UInt8(ascii: "p"): "_",
    ]

    private mutating func type() throws(Malformed) {
        try nested { (self) throws(Malformed) in
            let tag = try self.next()
            if let name = Self.basic[tag] { return try self.print(name) }
            switch tag {
            case UInt8(ascii: "R"), UInt8(ascii: "Q"):
                try self.print("&")
                if self.eat("L") {
                    let index = try self.base62()
                    if index > 0 {
                        try self.lifetime(index)
                        try self.print(" ")
                    }
                }
                if tag == UInt8(ascii: "Q") { try self.print("mut ") }
                try self.type()
            case UInt8(ascii: "P"):
                try self.print("*const ")
                try self.type()
            case UInt8(ascii: "O"):
                try self.print("*mut ")
                try self.type()
            case UInt8(ascii: "A"), UInt8(ascii: "S"):
                try self.print("[")
                try self.type()
                if tag == UInt8(ascii: "A") {
                    try self.print("; ")
                    try self.constant(inValue: true)
                }
                try self.print("]")
            case UInt8(ascii: "T"):
                try self.print("(")
                let count = try self.list(separator: ", ") { (self) throws(Malformed) in try self.type() }
                try self.print(count == 1 ? ",)" : ")")
            case UInt8(ascii: "F"): try self.binder { (self) throws(Malformed) in try self.functionSignature() }
            case UInt8(ascii: "D"):
                try self.print("dyn ")
                try self.binder { (self) throws(Malformed) in
                    _ = try self.list(separator: " + ") { (self) throws(Malformed) in try self.dynTrait() }
                }
                guard self.eat("L") else { throw Malformed() }
                let index = try self.base62()
                if index > 0 {
                    try self.print(" + ")
                    try self.lifetime(index)
                }
            case UInt8(ascii: "B"): try self.backref { (self) throws(Malformed) in try self.type() }
            default:
                self.at -= 1
                try self.path(inValue: false)
            }
        }
    }

    private mutating func functionSignature() throws(Malformed) {
        if eat("U") { try print("unsafe ") }
        if eat("K") {
            let name = eat("C") ? Array("C".utf8) : try identifier()
            try print("extern \"")
            try print(bytes: name.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 })
            try print("\" ")
        }
        try print("fn(")
        _ = try list(separator: ", ") { (self) throws(Malformed) in try self.type() }
        try print(")")
        if !eat("u") {
            try print(" -> ")
            try type()
        }
    }

    private mutating func dynTrait() throws(Malformed) {
        var isOpen = try pathWithOpenArguments()
        while eat("p") {
            try print(isOpen ? ", " : "<")
            isOpen = true
            try print(bytes: identifier())
            try print(" = ")
            try type()
        }
        if isOpen { try print(">") }
    }

    /// A path whose generic arguments are not closed yet, because associated types follow; true when it has some.
    private mutating func pathWithOpenArguments() throws(Malformed) -> Bool {
        if eat("B") {
            var isOpen = false
            try backref { (self) throws(Malformed) in isOpen = try self.pathWithOpenArguments() }
            return isOpen
        }
        guard eat("I") else {
            try path(inValue: false)
            return false
        }
        try path(inValue: false)
        try print("<")
        _ = try list(separator: ", ") { (self) throws(Malformed) in try self.genericArgument() }
        return true
    }

    // MARK: - Constants

    private mutating func constant(inValue: Bool) throws(Malformed) {
        try nested { (self) throws(Malformed) in
            let tag = try self.next()
            let needsBraces = !inValue && "eRQATV".utf8.contains(tag)
            if needsBraces { try self.print("{") }
            switch tag {
            case UInt8(ascii: "p"): try self.print("_")
            case UInt8(ascii: "h"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "y"), UInt8(ascii: "o"),
                UInt8(ascii: "j"):
                try self.number()
            case UInt8(ascii: "a"), UInt8(ascii: "s"), UInt8(ascii: "l"), UInt8(ascii: "x"), UInt8(ascii: "n"),
                UInt8(ascii: "i"):
                if self.eat("n") { try self.print("-") }
                try self.number()
            case UInt8(ascii: "b"):
                switch try self.value(of: self.hexDigits()) {
                case 0: try self.print("false")
                case 1: try self.print("true")
                default: throw Malformed()
                }
            case UInt8(ascii: "c"):
                guard let value = try self.value(of: self.hexDigits()), let code = UInt32(exactly: value),
                    let scalar = Unicode.Scalar(code)
                else { throw Malformed() }
                try self.print("'" + Self.quoted(scalar, in: "'") + "'")
            case UInt8(ascii: "e"):
                try self.print("*")
                try self.string()
            case UInt8(ascii: "R"), UInt8(ascii: "Q"):
                if tag == UInt8(ascii: "R"), self.eat("e") {
                    try self.string()
                } else {
                    try self.print(tag == UInt8(ascii: "R") ? "&" : "&mut ")
                    try self.constant(inValue: true)
                }
            case UInt8(ascii: "A"), UInt8(ascii: "T"):
                let isArray = tag == UInt8(ascii: "A")
                try self.print(isArray ? "[" : "(")
                let count = try self.list(separator: ", ") { (self) throws(Malformed) in
                    try self.constant(inValue: true)
                }
                try self.print(isArray ? "]" : count == 1 ? ",)" : ")")
            case UInt8(ascii: "V"): try self.structure()
            case UInt8(ascii: "B"): try self.backref { (self) throws(Malformed) in try self.constant(inValue: inValue) }
            default: throw Malformed()
            }
            if needsBraces { try self.print("}") }
        }
    }

    private mutating func structure() throws(Malformed) {
        try path(inValue: true)
        switch try next() {
        case UInt8(ascii: "U"): return
        case UInt8(ascii: "T"):
            try print("(")
            _ = try list(separator: ", ") { (self) throws(Malformed) in try self.constant(inValue: true) }
            try print(")")
        case UInt8(ascii: "S"):
            try print(" { ")
            _ = try list(separator: ", ") { (self) throws(Malformed) in
                _ = try self.optionalBase62("s")
                try self.print(bytes: self.identifier())
                try self.print(": ")
                try self.constant(inValue: true)
            }
            try print(" }")
        default: throw Malformed()
        }
    }

    private mutating func hexDigits() throws(Malformed) -> ArraySlice<UInt8> {
        let start = at
        while !eat("_") {
            guard RustDemangler.hexadecimal(try next()) != nil else { throw Malformed() }
        }
        return input[start..<(at - 1)]
    }

    /// nil beyond 64 bits.
    private func value(of digits: ArraySlice<UInt8>) -> UInt64? {
        let significant = digits.drop { $0 == UInt8(ascii: "0") }
        guard significant.count <= 16 else { return nil }
        return significant.reduce(0) { $0 << 4 | UInt64(RustDemangler.hexadecimal($1) ?? 0) }
    }

    private mutating func number() throws(Malformed) {
        let digits = try hexDigits()
        if let value = value(of: digits) { return try print("\(value)") }
        try print("0x")
        try print(bytes: Array(digits))
    }

    private mutating func string() throws(Malformed) {
        let digits = Array(try hexDigits())
        guard digits.count % 2 == 0 else { throw Malformed() }
        let bytes = stride(from: 0, to: digits.count, by: 2).map { index in
            UInt8(
                (RustDemangler.hexadecimal(digits[index]) ?? 0) << 4
                    | (RustDemangler.hexadecimal(digits[index + 1]) ?? 0)
            )
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Malformed() }
        try print("\"" + text.unicodeScalars.map { Self.quoted($0, in: "\"") }.joined() + "\"")
    }

    private static func quoted(_ scalar: Unicode.Scalar, in quote: Unicode.Scalar) -> String {
        switch scalar {
        case "\t": return "\\t"
        case "\r": return "\\r"
        case "\n": return "\\n"
        case "\\": return "\\\\"
        default:
            if scalar == quote { return "\\" + String(Character(scalar)) }
            if scalar.value < 0x20 || scalar.value == 0x7f { return "\\u{" + String(scalar.value, radix: 16) + "}" }
            return String(Character(scalar))
        }
    }
}
