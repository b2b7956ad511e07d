internal import SiltSystem
internal import SiltText

/// The lines of a source file around one of them, when the file can be read here.
enum SourceLines {
    /// Bytes of a file that are looked at; generated sources beyond it are not quoted.
    private static let limit = 16 << 20

    /// Number and text of the lines from one before `line` to one after it; empty when they cannot be had.
    static func around(_ line: Int, of path: String) -> [(number: Int, text: String)] {
        guard line > 0, let bytes = read(path) else { return [] }
        var result: [(number: Int, text: String)] = []
        var number = 1
        var start = bytes.startIndex
        while start < bytes.endIndex, number <= line + 1 {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
            if number >= line - 1 {
                let text = String(decoding: bytes[start..<end], as: UTF8.self)
                result.append((number, text.replacingTabs.printable))
            }
            number += 1
            start = end + 1
        }
        return result.contains { $0.number == line } ? result : []
    }

    /// A line with its number before it, and a mark on the one that is meant.
    static func numbered(_ text: String, _ number: Int, isMeant: Bool) -> String {
        "\(isMeant ? "▶" : " ") \("\(number)".leftPadded(to: 4)) │ \(text)"
    }

    /// All lines of a file; nil when they cannot be had.
    static func all(of path: String) -> [String]? {
        guard !path.isEmpty, let bytes = read(path) else { return nil }
        return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self).replacingTabs.printable
        }
    }

    private static func read(_ path: String) -> [UInt8]? { try? FileBytes.read(regular: path, limit: limit) }
}

extension String {
    fileprivate var replacingTabs: String {
        split(separator: "\t", omittingEmptySubsequences: false).joined(separator: "    ")
    }
}
