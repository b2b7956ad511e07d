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
            for phrase in StringLiterals(source.text).texts.flatMap(\.phrases) {
                #expect(golden.contains(phrase), "\(source.name): \(phrase)")
            }
        }
    }

    @Test func literalsAreFoundWithMarksForWhatIsInterpolated() {
        let source = #"""
            // "not this"
            let text = "\(count) of \(all.map { "\($0) parts of it" }) are \"left\"" + "and more"
            let (raw, escaped) = (#"not " this"#, "\u{1b}[K\r\nend")
            let lines = f("of a call") + """
                one "line" \
                goes on
                two
                """
            """#
        let expected = ["… of … are \"left\"", "… parts of it", "and more", "[K end", "one \"line\" goes on two"]
        #expect(StringLiterals(source, besides: ["f"]).texts == expected)
        #expect(expected.flatMap(\.phrases) == ["are \"left\"", "parts of it", "and more", "one \"line\" goes on two"])
    }
}
