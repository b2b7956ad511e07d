/// Punycode (RFC 3492) with Rust's delimiter, an underscore.
enum Punycode {
    static func decode(_ bytes: [UInt8]) -> String? {
        var scalars: [Unicode.Scalar] = []
        var at = 0
        if let delimiter = bytes.lastIndex(of: UInt8(ascii: "_")) {
            scalars = bytes[..<delimiter].map { Unicode.Scalar($0) }
            at = delimiter + 1
        }
        var code = 128
        var index = 0
        var bias = 72
        var isFirst = true
        guard at < bytes.count else { return nil }
        while at < bytes.count {
            let old = index
            var weight = 1
            var bound = 36
            while true {
                guard at < bytes.count, let digit = digit(bytes[at]) else { return nil }
                at += 1
                let (more, overflow) = digit.multipliedReportingOverflow(by: weight)
                guard !overflow, index < 1 << 40, more < 1 << 40 else { return nil }
                index += more
                let threshold = min(max(bound - bias, 1), 26)
                if digit < threshold { break }
                weight *= 36 - threshold
                guard weight < 1 << 40 else { return nil }
                bound += 36
            }
            let count = scalars.count + 1
            var delta = (index - old) / (isFirst ? 700 : 2)
            isFirst = false
            delta += delta / count
            var turns = 0
            while delta > 455 {
                delta /= 35
                turns += 36
            }
            bias = turns + 36 * delta / (delta + 38)
            code += index / count
            index %= count
            guard code <= 0x10_ffff, let scalar = Unicode.Scalar(UInt32(code)) else { return nil }
            scalars.insert(scalar, at: index)
            index += 1
        }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }

    private static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(byte) - 97
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(byte) - 65
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte) - 48 + 26
        default: nil
        }
    }
}
