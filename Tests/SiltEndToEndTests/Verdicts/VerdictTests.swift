import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Leaks in real programs are named, and the same programs without the leak are acquitted.
    @Suite(.serialized)
    struct Verdicts {
        static let folder: Result<ScratchFolder, any Error> = Result { try ScratchFolder() }
        static let programs: Result<(patterns: String, parser: String), any Error> = Result {
            (try buildWorkload("patterns", into: folder.get()), try buildWorkload("parser", into: folder.get()))
        }

        struct Run {
            var report: TraceReport
            /// Bytes per second that were really lost; 0 when nothing was.
            var truth: Double

            var growing: [TraceReport.Site] { report.sites.filter { $0.verdict.hasSuffix("growing") } }
        }

        /// Traces a program that prints the bytes it lost and the seconds that took.
        static func run(_ command: [String], every period: String = "100ms") throws -> Run {
            let (result, report) = try trace(command, options: ["--snapshot-every", period])
            #expect(result.status == 0, "\(result.errors)")
            #expect(report.trust.lost == 0)
            let words = result.output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
            try #require(words.count == 2, "\(result.output)")
            return Run(report: report, truth: words[0] / words[1])
        }

        static func expectRate(_ site: TraceReport.Site, near truth: Double, within share: Double = 0.15) throws {
            let rate = try #require(site.rate)
            #expect(rate.unit == "bytes/second")
            #expect(abs(rate.value - truth) < share * truth, "\(rate.value) against \(truth)")
            #expect(rate.low <= rate.value && rate.value <= rate.high)
        }

        // MARK: One helper, many callers

        @Test func oneLeakingCallerAmongTenIsNamedAndTheOthersAreNot() throws {
            let run = try Self.run([Self.programs.get().patterns, "shared", "4"])
            #expect(run.report.verdict == "growing")
            #expect(run.growing.count == 1)
            let site = try #require(run.growing.first)
            #expect(site.blame.function == "build_string")
            #expect(site.blame.file?.hasSuffix("patterns.c") == true)
            #expect(site.caller?.function == "leaky_caller")
            #expect(site.confidence == "high")
            #expect(site.reason == "leak")
            #expect(site.inuseSpace == site.inuseObjects * 1009)
            try Self.expectRate(site, near: run.truth)
        }

        @Test func twoLeakingCallersOfOneHelperAreTwoGrowingSites() throws {
            let run = try Self.run([Self.programs.get().patterns, "two", "4"])
            #expect(run.growing.count == 2)
            #expect(Set(run.growing.map { $0.caller?.function }) == ["leaky_caller", "second_leaky_caller"])
            let rates = run.growing.compactMap(\.rate?.value)
            #expect(abs(rates.reduce(0, +) - run.truth) < 0.15 * run.truth)
        }

        @Test func aLeakingCallerIsNamedThoughOthersBuryItInTheSum() throws {
            let run = try Self.run([Self.programs.get().patterns, "buried", "5"])
            #expect(run.growing.count == 1)
            let site = try #require(run.growing.first)
            #expect(site.caller?.function == "leaky_caller")
            try Self.expectRate(site, near: run.truth)
            let others = run.report.sites(named: "build_string").filter { $0.caller == nil }
            #expect(others.map(\.verdict) == ["plateauing"])
            #expect(others.first?.reason == "turnover")
        }

        @Test(arguments: ["shared", "two", "buried"])
        func theSameProgramsWithoutTheLeakAreAcquitted(mode: String) throws {
            let run = try Self.run([Self.programs.get().patterns, mode, "4", "fixed"])
            #expect(run.report.verdict == "not-growing")
            #expect(run.growing.isEmpty, "\(run.growing.map(\.evidence))")
        }

        // MARK: Spread over many stacks

        @Test func aParserThatLosesOneKindOfNodeIsBlamedWhereItMakesIt() throws {
            let run = try Self.run([Self.programs.get().parser, "4"])
            #expect(run.growing.count == 1)
            let site = try #require(run.growing.first)
            #expect(site.blame.function == "Parser::negated(Node*)")
            #expect(site.caller == nil)
            #expect(site.confidence == "high")
            try Self.expectRate(site, near: run.truth, within: 0.25)
        }

        @Test func theParserThatFreesAllNodesIsAcquitted() throws {
            let run = try Self.run([Self.programs.get().parser, "4", "fixed"])
            #expect(run.report.verdict == "not-growing")
            #expect(run.growing.isEmpty)
        }

        @Test func aLeakOfAFewBlocksInEachOfManyFunctionsIsBlamedOnTheirDispatcher() throws {
            let run = try Self.run([Self.programs.get().patterns, "scattered", "5"])
            #expect(run.report.verdict == "growing")
            let site = try #require(run.growing.first)
            #expect(site.blame.function == "dispatch")
            #expect(site.confidence == "high")
            #expect(run.growing.count <= 5)
            #expect(run.growing.compactMap(\.rate?.value).reduce(0, +) > 0.75 * run.truth)
            let fixed = try Self.run([Self.programs.get().patterns, "scattered", "4", "fixed"])
            #expect(fixed.growing.isEmpty)
        }

        // MARK: Patterns of servers

        @Test func aSlowLeakUnderLongSessionsIsFound() throws {
            let run = try Self.run([Self.programs.get().patterns, "sessions", "6"])
            #expect(run.growing.count == 1)
            let site = try #require(run.growing.first)
            #expect(site.blame.function == "open_session")
            #expect(["leak", "deep"].contains(site.reason ?? ""))
            try Self.expectRate(site, near: run.truth, within: 0.25)
            let fixed = try Self.run([Self.programs.get().patterns, "sessions", "6", "fixed"])
            #expect(fixed.growing.isEmpty, "\(fixed.growing.map(\.evidence))")
        }

        @Test func aVectorThatGoesOnDoublingGrows() throws {
            let run = try Self.run([Self.programs.get().patterns, "vector", "4"])
            #expect(run.growing.map(\.blame.function) == ["push_back"])
            #expect(run.growing.first?.reason == "doubling")
        }

        @Test(
            arguments: [
                ("cache", "cache_insert", ["plateauing"]), ("store", "store_insert", ["plateauing"]),
                ("tables", "build_table", ["plateauing"]), ("queue", "enqueue", ["sawtooth", "stable"]),
                ("settling", "push_back", ["step", "plateauing"]),
            ]
        )
        func whatFillsUpOrIsReplacedIsAcquitted(mode: String, function: String, verdicts: [String]) throws {
            let run = try Self.run([Self.programs.get().patterns, mode, "4"])
            #expect(run.report.verdict == "not-growing")
            #expect(run.growing.isEmpty, "\(run.growing.map(\.evidence))")
            let site = try #require(run.report.sites(named: function).first)
            #expect(verdicts.contains(site.verdict), "\(site.verdict): \(site.evidence ?? "")")
            #expect(site.evidence?.isEmpty == false)
        }

        @Test func memoryThatTheAllocatorKeepsIsNotCalledALeak() throws {
            let folder = try Self.folder.get()
            let recording = folder.file("fragments.silt")
            let result = try runProgram([
                siltExecutable, "run", "--out", recording, "--snapshot-every", "100ms", "--",
                try Self.programs.get().patterns, "fragments", "3",
            ])
            #expect(result.status == 0)
            #expect(result.errors.hasPrefix("NOT GROWING"), "\(result.errors)")
            #expect(result.errors.contains("not a leak: allocator retention"), "\(result.errors)")
            #expect(result.errors.contains("malloc_trim(0)"))
        }

        /// The newest first, which looks as if ever less had survived.
        @Test(arguments: ["at-exit", "slowly-at-exit"])
        func whatIsGivenBackOnTheWayOutHasStillGrown(_ way: String) throws {
            let run = try Self.run([Self.programs.get().patterns, "shared", "3", way])
            #expect(run.growing.map { $0.caller?.function } == ["leaky_caller"])
            #expect(run.growing.first?.inuseObjects == 0)
        }
    }
}
