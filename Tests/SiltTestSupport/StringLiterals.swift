/// The string literals of a Swift file that has no block comments; raw ones are left out.
package struct StringLiterals {
    /// In the order in which they begin, with … for what is interpolated.
    package private(set) var texts: [String] = []
    private let source: [UInt8]
    private let calls: [[UInt8]]
    private var at = 0

    /// `calls`: names of what is called with literals that do not count.
    package init(_ source: String, besides calls: [String] = []) {
        self.source = Array(source.utf8)
        self.calls = calls.map { Array(($0 + "(").utf8) }
        while at < self.source.count { readToken() }
    }

    private func isAt(_ text: String) -> Bool { source[at...].starts(with: text.utf8) }

    private mutating func readToken() {
        switch source[at] {
        case UInt8(ascii: "/") where isAt("//"):
            while at < source.count, source[at] != UInt8(ascii: "\n") { at += 1 }
        case UInt8(ascii: "#") where isAt("#\""):
            repeat { at += 1 } while at < source.count && !isAt("\"#")
            at += 2
        case UInt8(ascii: "\""): readLiteral()
        case UInt8(ascii: "("):
            at += 1
            guard calls.contains(where: { source[..<at].suffix($0.count) == $0[...] }) else { return }
            let count = texts.count
            readToParenthesis()
            texts.removeLast(texts.count - count)
        default: at += 1
        }
    }

    private mutating func readLiteral() {
        let (quote, end) = (source[at], isAt("\"\"\"") ? "\"\"\"" : "\"")
        at += end.utf8.count
        let index = texts.count
        texts.append("")
        var text: [UInt8] = []
        while at < source.count, source[at] != quote || !isAt(end) {
            at += 1
            guard source[at - 1] == UInt8(ascii: "\\"), at < source.count else {
                text.append(source[at - 1])
                continue
            }
            at += 1
            switch source[at - 1] {
            case UInt8(ascii: "("):
                readToParenthesis()
                text += "…".utf8
            case UInt8(ascii: "n"), UInt8(ascii: "r"): text.append(UInt8(ascii: " "))
            // A scalar, as of an escape sequence.
            case UInt8(ascii: "u"): while at < source.count, source[at - 1] != UInt8(ascii: "}") { at += 1 }
            case UInt8(ascii: "\n"): break
            default: text.append(source[at - 1])
            }
        }
        at += end.utf8.count
        texts[index] = String(decoding: text, as: UTF8.self).inOneLine
    }

    private mutating func readToParenthesis() {
        var depth = 1
        while at < source.count, depth > 0 {
            switch source[at] {
            case UInt8(ascii: "("), UInt8(ascii: ")"):
                depth += source[at] == UInt8(ascii: "(") ? 1 : -1
                at += 1
            default: readToken()
            }
        }
    }
}

extension String {
    /// Of a literal's text what stands between interpolations, as far as it has several words.
    package var phrases: [String] { split(separator: "…").map { String($0).inOneLine }.filter(\.isPhrase) }

    /// Several words, rather than a unit or a separator.
    package var isPhrase: Bool { split { !$0.isLetter }.count { $0.count > 1 } > 1 }

    /// Without the line breaks of a page.
    package var inOneLine: String { split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
