/// Numbers and command lines as reports print them, without Foundation.
package enum Format {
    /// `value` with `decimals` digits after the point, rounded half away from zero.
    package static func fixed(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = (value.magnitude * scale).rounded()
        guard scaled < 9e18 else { return "\(value)" }
        let digits = UInt64(scaled)
        let sign = value < 0 && digits > 0 ? "-" : ""
        guard decimals > 0 else { return sign + "\(digits)" }
        let unit = UInt64(scale)
        let fraction = "\(digits % unit)"
        return sign + "\(digits / unit)." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }

    /// Three significant digits: 1.00, 12.3, 456.
    package static func short(_ value: Double) -> String {
        switch value.magnitude {
        case ..<9.995: fixed(value, 2)
        case ..<99.95: fixed(value, 1)
        default: fixed(value, 0)
        }
    }

    /// As 57,412.
    package static func count(_ value: UInt64) -> String {
        let digits = Array("\(value)".utf8)
        var result: [UInt8] = []
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result.append(UInt8(ascii: ",")) }
            result.append(digit)
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The words as a shell would take them: those with other than plain characters in single quotes.
    package static func commandLine(_ words: [String]) -> String {
        words.map { word in
            let isPlain = word.utf8.allSatisfy { byte in
                byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
                    || "0123456789_@%+=:,./-".utf8.contains(byte)
            }
            guard !isPlain || word.isEmpty else { return word }
            return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        }.joined(separator: " ")
    }

    /// As 56.1 MiB, 1.00 KiB, 192 B.
    package static func bytes(_ value: UInt64) -> String { bytes(Double(value)) }

    package static func bytes(_ value: Double) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var scaled = value
        var unit = 0
        while scaled.magnitude >= 1023.5, unit < units.count - 1 {
            scaled /= 1024
            unit += 1
        }
        if unit == 0 {
            let isWhole = scaled.magnitude >= 9.5 || scaled == scaled.rounded()
            return (isWhole ? fixed(scaled, 0) : fixed(scaled, 1)) + " B"
        }
        return short(scaled) + " " + units[unit]
    }

    /// 97%, 99.9%, never 100% for a part and never 0% for something.
    package static func percent(_ part: Double, of whole: Double) -> String {
        guard whole > 0 else { return "100%" }
        return percent(100 * part / whole)
    }

    package static func percent(_ value: Double) -> String {
        if value >= 100 { return "100%" }
        if value <= 0 { return "0%" }
        if value >= 99 { return fixed(min(99.9, (value * 10).rounded(.down) / 10), 1) + "%" }
        if value < 1 { return value < 0.1 ? "<0.1%" : fixed(value, 1) + "%" }
        return fixed(value, 0) + "%"
    }

    /// The same in a sentence: 97 %, 99.9 %.
    package static func share(_ percent: Double) -> String {
        let text = Self.percent(percent)
        return String(text.dropLast()) + " %"
    }

    /// As 3 h 10 min, 2 min, 45 s, 0.8 s.
    package static func duration(_ seconds: Double) -> String {
        if seconds < 9.95 { return fixed(seconds, 1) + " s" }
        if seconds < 119.5 { return fixed(seconds, 0) + " s" }
        let minutes = UInt64((seconds / 60).rounded())
        if minutes < 60 { return "\(minutes) min" }
        let hours = minutes / 60
        if hours < 48 { return minutes % 60 == 0 ? "\(hours) h" : "\(hours) h \(minutes % 60) min" }
        let rounded = UInt64((seconds / 3600).rounded())
        return rounded % 24 == 0 ? "\(rounded / 24) d" : "\(rounded / 24) d \(rounded % 24) h"
    }

    package static func hex(_ value: UInt64) -> String {
        "0x" + String(value, radix: 16)
    }

    /// As 1 block, 57,412 blocks.
    package static func plural(_ count: UInt64, _ one: String, _ many: String? = nil) -> String {
        "\(Self.count(count)) \(count == 1 ? one : many ?? one + "s")"
    }
}

extension [String] {
    /// Words as lines of at most a width: the first begins with `start`, the others are indented.
    package func lines(_ start: String, indent: Int, width: Int) -> [String] {
        guard let first else { return [start] }
        var lines = [start + first]
        for word in dropFirst() {
            if lines[lines.count - 1].count + 1 + word.count > width {
                lines.append(String(repeating: " ", count: indent) + word)
            } else {
                lines[lines.count - 1] += " " + word
            }
        }
        return lines
    }
}

extension String {
    /// Without control characters, which a terminal would obey: each becomes `\x1b` and the like, a tab a space.
    package var printable: String {
        guard unicodeScalars.contains(where: { $0.value < 0x20 || $0.value >= 0x7f && $0.value < 0xa0 }) else {
            return self
        }
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0x09: result.append(" ")
            case 0..<0x20, 0x7f..<0xa0:
                let digits = String(scalar.value, radix: 16)
                result.append(contentsOf: ("\\x" + (digits.count < 2 ? "0" : "") + digits).unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// At most `width` characters; what is cut off becomes one `…`.
    package func cut(to width: Int) -> String {
        guard count > width else { return self }
        return width < 1 ? "" : String(prefix(width - 1)) + "…"
    }

    /// At most `width` characters, cut in the middle so that both ends stay: names differ at the end as often as at the start.
    package func cutInside(to width: Int) -> String {
        guard count > width else { return self }
        guard width > 8 else { return cut(to: width) }
        let tail = (width - 1) / 3
        return String(prefix(width - 1 - tail)) + "…" + String(suffix(tail))
    }

    /// At most `width` characters, cut in front: the end of a file's name and the line stay.
    package func cutInFront(to width: Int) -> String {
        guard count > width else { return self }
        return width < 1 ? "" : "…" + String(suffix(width - 1))
    }

    package func padded(to width: Int, with filling: String = " ") -> String {
        let missing = width - count
        return missing > 0 ? self + String(repeating: filling, count: missing) : self
    }

    /// Without blanks at its end.
    package var trimmedEnd: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }

    package func leftPadded(to width: Int) -> String {
        let missing = width - count
        return missing > 0 ? String(repeating: " ", count: missing) + self : self
    }

    /// The part behind the last slash.
    package var lastPathComponent: Substring {
        let slash = UInt8(ascii: "/")
        guard let last = utf8.lastIndex(where: { $0 != slash }) else { return Substring(self) }
        let end = utf8.index(after: last)
        let start = utf8[..<last].lastIndex(of: slash).map(utf8.index(after:)) ?? startIndex
        return self[start..<end]
    }
}
