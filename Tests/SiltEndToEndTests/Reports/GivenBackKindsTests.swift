import SiltTestSupport
import Testing

extension EndToEnd {
    /// Views of programs that give back on their way out what they kept that is no block.
    @Suite(.serialized)
    struct GivenBackKinds {
        private static let program = Result { try EndsEarly() }

        private static let recordings: Result<[String: String], any Error> = Result {
            let kinds = ["nothing", "descriptors", "mappings"]
            return try kinds.reduce(into: [:]) { $0[$1] = try program.get().record($1, $1, "give") }
        }

        private func words(_ arguments: [String]) throws -> String {
            let result = try runProgram([siltExecutable] + arguments)
            #expect(result.status == 0, "\(arguments): \(result.errors)")
            return result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }

        private static let keepers = ["descriptors": "keep_descriptor", "mappings": "keep_mapping"]

        @Test(arguments: ["descriptors", "mappings"])
        func eachCommandThatTheReportNamesShowsWhatGrew(kind: String) throws {
            let recording = try #require(try Self.recordings.get()[kind])
            let keeper = try #require(Self.keepers[kind])
            let report = try consume([siltExecutable, "report", recording])
            #expect(report.hasPrefix("GROWING: 1 call site") && report.contains(keeper), "\(report)")
            // A long one goes on in the next line.
            let lines = report.replacing(#/ \\\n +/#, with: " ").split(separator: "\n")
            let commands = lines.compactMap { $0.firstMatch(of: #/next: silt (report .*)/#)?.1 }
            #expect(!commands.isEmpty, "\(report)")
            for command in commands {
                #expect(command.contains("--resource "), "\(command)")
                let text = try words(command.split(separator: " ").map(String.init))
                #expect(text.contains(keeper) && text.contains("given back at exit"), "\(command): \(text)")
            }
        }

        /// 200 of them in each of 3 s.
        @Test(arguments: ["descriptors", "mappings"])
        func eachViewOpensOnThemAndSaysWhen(kind: String) throws {
            let recording = try #require(try Self.recordings.get()[kind])
            let keeper = try #require(Self.keepers[kind])
            for view in [["--top"], ["--tree"], ["--flame"], ["--list", keeper]] {
                let text = try words(["report", recording] + view)
                #expect(text.contains(keeper) && text.contains("given back at exit"), "\(view): \(text)")
            }
            let top = try words(["report", recording, "--top"])
            if kind != "mappings" {
                let count = try #require(top.firstMatch(of: #/accounting for ([0-9]+)/#)?.1)
                #expect((400...600).contains(Int(count) ?? 0), "\(top)")
            }
            let nothing = try words([
                "report", recording, "--top", "--by", "inuse", "--resource", String(kind.dropLast()),
            ])
            #expect(!nothing.contains(keeper), "\(nothing)")
            let sizes = try words(["report", recording, "--sizes"])
            let ages = try words(["report", recording, "--ages"])
            let before = "in use before they were given back at exit"
            if kind == "mappings" {
                #expect(sizes.hasPrefix("mappings \(before), by the mean size"), "\(sizes)")
                #expect(sizes.contains(" 16 KiB – 32 KiB "), "\(sizes)")
                #expect(ages.hasPrefix("mappings \(before), by the time"), "\(ages)")
            } else {
                let grown = sizes.firstMatch(of: #/^of blocks: the ([0-9]+) descriptors that grew have no size /#)?.1
                #expect((400...600).contains(Int(try #require(grown)) ?? 0), "\(sizes)")
                let count = ages.firstMatch(of: #/time since they were taken: ([0-9]+) descriptors/#)?.1
                #expect(ages.hasPrefix("descriptors \(before)"), "\(ages)")
                #expect((400...600).contains(Int(try #require(count)) ?? 0), "\(ages)")
            }
            // Who asks for what was left gets blocks.
            let left = try words(["report", recording, "--sizes", "--by", "inuse"])
            #expect(left.hasPrefix("blocks in use at the end, by size"), "\(left)")
        }

        @Test(arguments: ["descriptors", "mappings"])
        func aDifferenceOpensOnWhatLeakedAndSaysHowToSeeTheRest(kind: String) throws {
            let recordings = try Self.recordings.get()
            let (fixed, leaking) = (try #require(recordings["nothing"]), try #require(recordings[kind]))
            let keeper = try #require(Self.keepers[kind])
            let text = try words(["diff", fixed, leaking])
            #expect(text.contains("more than A: +") && text.contains("\(keeper) ends_early.c"), "\(text)")
            #expect(text.contains("given back at exit") && text.contains("--resource heap: blocks"), "\(text)")
            let mended = try words(["diff", leaking, fixed])
            #expect(mended.contains("less than A: -") && mended.contains("\(keeper) ends_early.c"), "\(mended)")
            let blocks = try words(["diff", fixed, leaking, "--resource", "heap"])
            #expect(!blocks.contains("\(keeper) ends_early.c,") && !blocks.contains("--resource"), "\(blocks)")
            let between = try words(["report", leaking, "--between", "1s", "end"])
            #expect(between.contains("\(keeper) ends_early.c"), "\(between)")
            #expect(try words(["report", leaking, "--flame", "--by", "growth"]).contains(keeper))
        }
    }
}
