/// Rust's mangled names as Rust writes paths: legacy (`_ZN…17h…E`) and v0 (`_R…`, RFC 2603).
///
/// Crate disambiguators, the legacy hash and the types of constants are left out, as `rustc-demangle`'s short form does.
enum RustDemangler {
    /// nil when the name is neither.
    static func demangle(_ name: String) -> String? {
        let bytes = Array(name.utf8)
        if bytes.starts(with: "_ZN".utf8) { return legacy(bytes) }
        guard bytes.starts(with: "_R".utf8), bytes.count > 2, bytes[2] != UInt8(ascii: "_") else { return nil }
        var parser = RustV0Parser(bytes)
        return parser.demangle()
    }

    // MARK: - Legacy

    private static func legacy(_ name: [UInt8]) -> String? {
        var parts: [ArraySlice<UInt8>] = []
        var at = 3
        while at < name.count, name[at] != UInt8(ascii: "E") {
            var length = 0
            let start = at
            while at < name.count, let digit = decimal(name[at]), length < 1 << 20 {
                length = length * 10 + digit
                at += 1
            }
            guard at > start, length > 0, at + length <= name.count else { return nil }
            parts.append(name[at..<(at + length)])
            at += length
        }
        guard at == name.count - 1 || at < name.count - 1 && name[at + 1] == UInt8(ascii: "."),
            parts.count > 1, let hash = parts.popLast(), isHash(hash)
        else { return nil }
        var result: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if index > 0 { result += "::".utf8 }
            guard appendUnescaped(part, to: &result) else { return nil }
        }
        return escapedText(result)
    }

    private static func isHash(_ part: ArraySlice<UInt8>) -> Bool {
        part.count == 17 && part.first == UInt8(ascii: "h") && part.dropFirst().allSatisfy { hexadecimal($0) != nil }
    }

    private static let escapes: [String: String] = [
        "SP": "@", "BP": "*", "RF": "&", "LT": "<", "GT": ">", "LP": "(", "RP": ")", "C": ",",
    ]

    private static func appendUnescaped(_ part: ArraySlice<UInt8>, to result: inout [UInt8]) -> Bool {
        var at = part.startIndex
        // An identifier cannot begin with $, so the compiler puts a _ in front.
        if part.starts(with: "_$".utf8) { at += 1 }
        while at < part.endIndex {
            if part[at] == UInt8(ascii: ".") {
                let isDouble = at + 1 < part.endIndex && part[at + 1] == UInt8(ascii: ".")
                result += (isDouble ? "::" : ".").utf8
                at += isDouble ? 2 : 1
                continue
            }
            guard part[at] == UInt8(ascii: "$") else {
                result.append(part[at])
                at += 1
                continue
            }
            guard let end = part[(at + 1)...].firstIndex(of: UInt8(ascii: "$")) else { return false }
            let word = String(decoding: part[(at + 1)..<end], as: UTF8.self)
            if let text = escapes[word] {
                result += text.utf8
            } else if word.hasPrefix("u"), let value = UInt32(word.dropFirst(), radix: 16),
                let scalar = Unicode.Scalar(value)
            {
                result += String(Character(scalar)).utf8
            } else {
                return false
            }
            at = end + 1
        }
        return true
    }

    static func decimal(_ byte: UInt8) -> Int? { byte >= 48 && byte <= 57 ? Int(byte) - 48 : nil }

    static func hexadecimal(_ byte: UInt8) -> Int? {
        if let digit = decimal(byte) { return digit }
        return byte >= 97 && byte <= 102 ? Int(byte) - 87 : nil
    }
}
