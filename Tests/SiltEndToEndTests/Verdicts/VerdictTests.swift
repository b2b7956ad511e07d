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

        struct Run: Sendable {
            var report: TraceReport
            /// Bytes per second that were really lost; 0 when nothing was.
            var truth: Double

            var growing: [TraceReport.Site] { report.sites.filter { $0.verdict.hasSuffix("growing") } }
        }

        /// Traces a program that prints the bytes it lost and the seconds that took.
        static func run(_ command: [String], every period: String = "100ms") throws -> Run {
            let (result, report) = try trace(command, options: ["--snapshot-every", period])
            let words = result.output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
            guard result.status == 0, report.trust.lost == 0, words.count == 2 else {
                throw TestSetupError(description: "lost \(report.trust.lost): \(result.output) \(result.errors)")
            }
            return Run(report: report, truth: words[0] / words[1])
        }

        /// Runs of `patterns`, all at once.
        static func patterns(_ arguments: [[String]]) throws -> [Run] {
            let program = try programs.get().patterns
            return try atOnce(arguments) { try run([program] + $0) }
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
            // Seconds of watching make nothing sure.
            #expect(site.confidence == "medium")
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

        @Test func theSameProgramsWithoutTheLeakAreAcquitted() throws {
            for run in try Self.patterns(["shared", "two", "buried"].map { [$0, "4", "fixed"] }) {
                #expect(run.report.verdict == "not-growing", "\(run.report.target.command)")
                #expect(run.growing.isEmpty, "\(run.growing.map(\.evidence))")
            }
        }

        // MARK: Spread over many stacks

        @Test func aParserThatLosesOneKindOfNodeIsBlamedWhereItMakesIt() throws {
            let run = try Self.run([Self.programs.get().parser, "4"])
            #expect(run.growing.count == 1)
            let site = try #require(run.growing.first)
            #expect(site.blame.function == "Parser::negated(Node*)")
            #expect(site.caller == nil)
            #expect(site.confidence == "medium")
            try Self.expectRate(site, near: run.truth, within: 0.25)
        }

        @Test func theParserThatFreesAllNodesIsAcquitted() throws {
            let run = try Self.run([Self.programs.get().parser, "4", "fixed"])
            #expect(run.report.verdict == "not-growing")
            #expect(run.growing.isEmpty)
        }

        @Test func aLeakOfAFewBlocksInEachOfManyFunctionsIsBlamedOnTheirDispatcher() throws {
            let runs = try Self.patterns([["scattered", "5"], ["scattered", "4", "fixed"]])
            let run = runs[0]
            #expect(run.report.verdict == "growing")
            let site = try #require(run.growing.first)
            #expect(site.blame.function == "dispatch")
            #expect(site.confidence == "medium")
            #expect(run.growing.count <= 5)
            #expect(run.growing.compactMap(\.rate?.value).reduce(0, +) > 0.75 * run.truth)
            #expect(runs[1].growing.isEmpty)
        }

        // MARK: Patterns of servers

        @Test func aSlowLeakUnderLongSessionsIsFound() throws {
            let runs = try Self.patterns([["sessions", "6"], ["sessions", "6", "fixed"]])
            let run = runs[0]
            #expect(run.growing.count == 1)
            let site = try #require(run.growing.first)
            #expect(site.blame.function == "open_session")
            #expect(["leak", "deep"].contains(site.reason ?? ""))
            try Self.expectRate(site, near: run.truth, within: 0.25)
            #expect(runs[1].growing.isEmpty, "\(runs[1].growing.map(\.evidence))")
        }

        @Test func aVectorThatGoesOnDoublingGrows() throws {
            let run = try Self.run([Self.programs.get().patterns, "vector", "4"])
            #expect(run.growing.map(\.blame.function) == ["push_back"])
            #expect(run.growing.first?.reason == "doubling")
            // A start may double tables for some seconds.
            #expect(run.growing.first?.confidence == "low")
        }

        @Test func whatFillsUpOrIsReplacedIsAcquitted() throws {
            let expected = [
                ("cache", "cache_insert", ["plateauing"]), ("store", "store_insert", ["plateauing"]),
                ("tables", "build_table", ["plateauing"]), ("queue", "enqueue", ["sawtooth", "stable"]),
                ("settling", "push_back", ["step", "plateauing"]),
            ]
            let runs = try Self.patterns(expected.map { [$0.0, "4"] })
            for (run, (mode, function, verdicts)) in zip(runs, expected) {
                #expect(run.report.verdict == "not-growing", "\(mode)")
                #expect(run.growing.isEmpty, "\(mode): \(run.growing.map(\.evidence))")
                let site = try #require(run.report.sites(named: function).first, "\(mode)")
                #expect(verdicts.contains(site.verdict), "\(mode): \(site.verdict): \(site.evidence ?? "")")
                #expect(site.evidence?.isEmpty == false, "\(mode)")
            }
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

        /// The blamed code is deep in the library, and the program called the function that makes it.
        @Test func whatGivesBackWhatALibraryMadeIsNamed() throws {
            let program = try buildWorkload("statements", into: Self.folder.get(), flags: ["-lsqlite3"])
            let result = try runProgram([
                siltExecutable, "run", "--no-keep", "--snapshot-every", "100ms", "--", program, "3",
            ])
            #expect(result.errors.hasPrefix("GROWING"), "\(result.errors)")
            let line = "sqlite3_prepare_v2 made it: sqlite3_finalize gives it back\n"
            #expect(result.errors.contains(line), "\(result.errors)")
        }

        /// The newest first, which looks as if ever less had survived.
        @Test func whatIsGivenBackOnTheWayOutHasStillGrown() throws {
            for run in try Self.patterns(["at-exit", "slowly-at-exit"].map { ["shared", "3", $0] }) {
                #expect(run.growing.map { $0.caller?.function } == ["leaky_caller"], "\(run.report.target.command)")
                #expect(run.growing.first?.inuseObjects == 0, "\(run.report.target.command)")
            }
        }
    }
}
