import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// What grew in a process that ended before the trace did.
    @Suite(.serialized)
    struct EarlyEnds {
        private static let program = Result { try EndsEarly() }

        private static let recordings: Result<[String: String], any Error> = Result {
            try ["keep", "give"].reduce(into: [:]) { $0[$1] = try program.get().record($1, "blocks", $1, "child", "3") }
        }

        private func consumeJSON(_ arguments: [String]) throws -> [String: Any] {
            let text = try consume([siltExecutable] + arguments)
            return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        }

        /// 200 blocks a second of 3 s, less what came in the first.
        private let grown = 200_000.0...1_206_600.0

        @Test(arguments: ["keep", "give"])
        func whatCameUntilTheEndIsThatOfTheProcessesBeforeTheirs(ending: String) throws {
            let recording = try #require(try Self.recordings.get()[ending])
            let diff = try consumeJSON(["report", recording, "--json", "--between", "1s", "end"])
            #expect(grown.contains(try #require(diff["change"] as? Double)), "\(diff)")
            let text = try consume([siltExecutable, "report", recording, "--between", "1s", "end"])
            let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains(/more than A: \+[0-9.]+ [KM]iB keep_block ends_early.c/), "\(text)")
            #expect(words.contains("with what 1 process held before it ended"), "\(text)")
            // Between two moments after its end nothing comes.
            let after = try consumeJSON(["report", recording, "--json", "--between", "4s", "end"])
            #expect(try #require(after["change"] as? Double).magnitude < 10_000, "\(after)")
            for view in ["--top", "--tree", "--flame"] {
                let text = try consume([siltExecutable, "report", recording, view, "--by", "growth"])
                #expect(text.contains("keep_block"), "\(view): \(text)")
            }
        }

        @Test func theFindingSaysInWhichProcessItIs() throws {
            let recording = try #require(try Self.recordings.get()["keep"])
            let report = try consumeJSON(["report", recording, "--json"])
            let processes = try #require(report["processes"] as? [[String: Any]])
            let pids = processes.compactMap { $0["pid"] as? Int }
            try #require(pids.count == 2)
            let child = try #require(processes.first { $0["parent"] as? Int == pids[0] }?["pid"] as? Int)
            let text = try consume([siltExecutable, "report", recording])
            let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains("; in process \(child)"), "\(text)")
        }

        /// The page opens on growth from a quarter of the run to its end.
        @Test(arguments: ["keep", "give"])
        func thePageOpensOnWhatGrewAndItsTimelineOnWhatWasThere(ending: String) throws {
            let recording = try #require(try Self.recordings.get()[ending])
            let file = try Self.program.get().folder.file("page.html")
            _ = try consume([siltExecutable, "report", recording, "--html", file])
            let html = try String(contentsOfFile: file, encoding: .utf8)
            let data = try #require(html.firstMatch(of: #/id="silt-data">(.*?)</script>/#.dotMatchesNewlines())?.1)
            let page = try #require(try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any])
            let tree = try #require(page["tree"] as? [String: Any])
            let courses = try #require(tree["course"] as? [[Double]])
            let ended = try #require(tree["course_ended"] as? [[Double]])
            let names = try #require(tree["names"] as? [String])
            let labels = try #require(tree["labels"] as? [Int])
            let nodes = try #require(tree["course_nodes"] as? [Int])
            let leak = try #require(nodes.firstIndex { names[labels[$0]].hasPrefix("keep_block") })
            #expect(courses.count == ended.count && courses[leak].count == ended[leak].count)
            let (from, last) = (courses[leak].count / 4, courses[leak].count - 1)
            #expect(grown.contains(courses[leak][last] - courses[leak][from]), "\(courses[leak])")
            #expect(ended[leak][last] == courses[leak][last] && ended[leak][from] == 0, "\(ended[leak])")
        }

        @Test(arguments: [
            (["end", "1s"], "--between end 1s goes back in time: name the earlier moment first, --between 1s end"),
            (["2s", "1.5s"], "--between 2s 1.5s goes back in time: name the earlier moment first, --between 1.5s 2s"),
            (["2s", "2s"], "--between 2s 2s names one moment twice: name an earlier and a later one"),
            (["start", "0"], "--between start 0 names one moment twice: name an earlier and a later one"),
        ])
        func momentsWithoutTimeBetweenThemAreAUsageError(moments: [String], message: String) throws {
            let recording = try #require(try Self.recordings.get()["keep"])
            for command in ["report", "diff"] {
                let result = try runProgram([siltExecutable, command, recording, "--between"] + moments)
                #expect(result.status == 2 && result.output.isEmpty, "\(result.output)")
                #expect(result.errors.contains(message), "\(result.errors)")
            }
        }
    }
}
