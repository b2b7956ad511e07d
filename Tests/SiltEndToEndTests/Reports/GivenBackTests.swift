import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Views of a program that gives back on its way out what it kept while it ran.
    @Suite(.serialized)
    struct GivenBack {
        private static let recordings: Result<(folder: ScratchFolder, keep: String, drop: String), any Error> = Result {
            let folder = try ScratchFolder()
            let program = try buildWorkload("given_back", into: folder)
            for mode in ["keep", "drop"] {
                let run = try runProgram([
                    siltExecutable, "run", "--out", folder.file(mode), "--snapshot-every", "100ms", "--", program, mode,
                    "2",
                ])
                #expect(run.status == 0, "\(run.errors)")
            }
            return (folder, folder.file("keep"), folder.file("drop"))
        }

        private static func report(_ options: [String]) throws -> String {
            let result = try runProgram([siltExecutable, "report", recordings.get().keep] + options)
            #expect(result.status == 0, "\(result.errors)")
            return result.output
        }

        @Test(arguments: [["--top"], ["--tree"], ["--flame"], ["--list", "remember"]])
        func eachViewOpensOnWhatGrewAndSaysWhen(options: [String]) throws {
            let text = try Self.report(options)
            #expect(text.contains("remember"), "\(text)")
            #expect(text.contains("before it was freed at exit"), "\(text)")
            #expect(!text.contains("no function matches"))
        }

        @Test(arguments: ["--sizes", "--ages"])
        func histogramsAreOfTheBlocksThatWereKept(option: String) throws {
            let text = try Self.report([option])
            #expect(text.hasPrefix("blocks in use before it was freed at exit"))
            // 1,000 entries, and the table.
            let count = try #require(text.firstMatch(of: #/: ([0-9,]+) blocks/#)?.1)
            #expect((850...1002).contains(Int(count.replacing(",", with: "")) ?? 0), "\(text)")
        }

        /// The first example of README.md: what is freed at the end is no leak to valgrind.
        @Test func theFirstExampleIsFoundWhereNoLeaksArePossible() throws {
            let folder = try ScratchFolder()
            let source = packageRoot.appending(path: "Tests/Workloads/shop.cpp").path()
            let program = folder.file("shop")
            _ = try consume(["g++", "-O1", "-g", "-o", program, source])
            let valgrind = try runProgram(["valgrind", "--leak-check=full", program, "1"])
            let said = valgrind.errors
            #expect(said.contains("All heap blocks were freed -- no leaks are possible"), "\(said)")
            let run = try runProgram([siltExecutable, "run", "--snapshot-every", "100ms", "--", program, "2"])
            let lines = try String(contentsOfFile: source, encoding: .utf8).split(
                separator: "\n",
                omittingEmptySubsequences: false
            )
            let line = try #require(lines.firstIndex { $0.contains("std::make_unique<Session>") }) + 1
            #expect(run.errors.hasPrefix("GROWING: 1 call site"), "\(run.errors)")
            #expect(run.errors.contains("shop.cpp:\(line)  Server::login(int)  "), "\(run.errors)")
        }

        @Test func whatWasLeftIsThereForWhoAsks() throws {
            let text = try Self.report(["--top", "--by", "inuse"])
            #expect(!text.contains("remember") && text.contains("main"), "\(text)")
        }

        @Test func theDifferenceToTheFixedProgramIsTheLeak() throws {
            let (_, keep, drop) = try Self.recordings.get()
            let diff = try runProgram([siltExecutable, "diff", drop, keep])
            #expect(diff.status == 0)
            // Lines are broken at the terminal's width.
            let text = diff.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(text.hasPrefix("B holds"), "\(text)")
            #expect(text.contains(/more than A: \+[0-9.]+ KiB remember given_back.c/), "\(text)")
            #expect(text.contains("before it was freed at exit"), "\(text)")
        }

        @Test func theProfileHoldsWhatTheTableShows() throws {
            let (folder, keep, _) = try Self.recordings.get()
            let profile = folder.file("keep.pb.gz")
            let written = try runProgram([siltExecutable, "report", keep, "--pprof", profile])
            #expect(written.status == 0, "\(written.errors)")
            let top = try runProgram([siltExecutable, "report", profile, "--top"])
            #expect(top.output.contains("remember"), "\(top.output)")
        }
    }
}
