import Foundation
import SiltTestSupport
import Testing

/// The folder of phrases against the golden files: nothing is said that nobody has read.
@Suite struct PhraseSourcesTests {
    @Test func everyPhraseStandsInAGoldenFile() throws {
        let golden = try texts(in: packageRoot.appending(path: "Tests/SiltReportsTests/Golden"), ending: "txt")
            .map(\.text.inOneLine).joined(separator: " ")
        let sources = try texts(in: packageRoot.appending(path: "Sources/SiltReports/Phrases"), ending: "swift")
        #expect(sources.count > 10)
        for source in sources {
            for piece in StringLiterals(source.text).pieces where piece.isPhrase {
                let isRead = golden.contains(piece.inOneLine)
                #expect(isRead, "\(source.name): \(piece)")
            }
        }
    }

    @Test func piecesOfLiteralsAreFoundBetweenInterpolations() {
        let source = #"""
            // "not this"
            let text = "\(count) of \(all.map { "\($0) parts of it" }) are \"left\"" + "and more"
            """#
        #expect(StringLiterals(source).pieces == ["", "", " parts of it", " of ", #" are "left""#, "and more"])
    }

    private func texts(in folder: URL, ending: String) throws -> [(name: String, text: String)] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == ending }.sorted { $0.path() < $1.path() }
            .map { ($0.lastPathComponent, try String(contentsOf: $0, encoding: .utf8)) }
    }
}

/// What stands between quotes and interpolations in a Swift file that has no raw or multi-line strings.
private struct StringLiterals {
    private(set) var pieces: [String] = []
    private let source: [Character]
    private var at = 0

    init(_ source: String) {
        self.source = Array(source)
        while at < self.source.count {
            switch self.source[at] {
            case "/" where at + 1 < self.source.count && self.source[at + 1] == "/":
                while at < self.source.count, !self.source[at].isNewline { at += 1 }
            case "\"": readLiteral()
            default: at += 1
            }
        }
    }

    private mutating func readLiteral() {
        var piece = ""
        at += 1
        while at < source.count, source[at] != "\"" {
            guard source[at] == "\\", at + 1 < source.count else {
                piece.append(source[at])
                at += 1
                continue
            }
            at += 2
            guard source[at - 1] == "(" else {
                piece.append(source[at - 1])
                continue
            }
            readInterpolation()
            pieces.append(piece)
            piece = ""
        }
        pieces.append(piece)
        at += 1
    }

    private mutating func readInterpolation() {
        var depth = 1
        while at < source.count, depth > 0 {
            switch source[at] {
            case "\"": readLiteral()
            case "(", ")":
                depth += source[at] == "(" ? 1 : -1
                at += 1
            default: at += 1
            }
        }
    }
}

extension String {
    /// Several words, rather than a unit or a separator.
    fileprivate var isPhrase: Bool { split { !$0.isLetter }.count { $0.count > 1 } > 1 }

    /// Without the line breaks of a page.
    fileprivate var inOneLine: String { split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
