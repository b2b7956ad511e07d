/// Numbers with a unit, as plans and options have them.
package enum Quantity {
    /// Seconds of a text as 500ms, 10s, 1.5m, 2h; nil for anything else.
    ///
    /// A number alone means seconds.
    package static func seconds(_ text: String) -> Double? {
        guard let (number, unit) = split(text) else { return nil }
        switch unit {
        case "ms": return number / 1000
        case "", "s": return number
        case "m", "min": return number * 60
        case "h": return number * 3600
        default: return nil
        }
    }

    /// Bytes of a text as 512MiB, 64 KiB, 1.5GB, 100B; nil for anything else.
    ///
    /// A number alone means bytes. KiB, MiB, GiB, TiB are powers of 1024, kB, MB, GB, TB those of 1000.
    package static func bytes(_ text: String) -> Double? {
        guard let (number, unit) = split(text) else { return nil }
        if unit.isEmpty || unit == "B" { return number }
        guard let power = ["k", "m", "g", "t"].firstIndex(of: unit.prefix(1).lowercased()) else { return nil }
        let base: Double
        switch unit.dropFirst() {
        case "iB": base = 1024
        case "B": base = 1000
        default: return nil
        }
        return (0...power).reduce(number) { bytes, _ in bytes * base }
    }

    /// Digits with at most one point, and what follows them.
    private static func split(_ text: String) -> (number: Double, unit: String)? {
        let digits = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        guard let number = Double(digits), number.isFinite else { return nil }
        let rest = text.dropFirst(digits.count)
        return (number, String(rest.drop { $0 == " " }))
    }
}
