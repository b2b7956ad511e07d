import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Workers that replace each other are one service, judged by what each keeps while it lives.
    @Suite(.serialized)
    struct WorkerTurns {
        static let program: Result<String, any Error> = Result {
            try buildWorkload("turns", into: Verdicts.folder.get())
        }

        /// Workers that lose what they take, and such that keep a cache: at once, since they wait for most of their time.
        private static let runs = Result {
            try atOnce(["leak", "warm"]) { try run($0, workers: 8, milliseconds: 1200) }
        }

        private static func run(
            _ mode: String,
            workers: Int,
            milliseconds: Int,
            every period: String = "100ms"
        ) throws -> Verdicts.Run {
            try Verdicts.run([program.get(), mode, "\(workers)", "\(milliseconds)", "2"], every: period)
        }

        @Test func whatEachWorkerLosesIsARateOfTheServiceThoughEachEnds() throws {
            let run = try Self.runs.get()[0]
            #expect(run.report.verdict == "growing")
            let site = try #require(run.growing.first)
            #expect(run.growing.count == 1 && site.blame.function == "lose")
            #expect(site.evidence?.contains("a worker's life") == true, "\(site.evidence ?? "")")
            try Verdicts.expectRate(site, near: run.truth, within: 0.25)
        }

        @Test func aCacheThatEachWorkerWarmsUpIsNotCharged() throws {
            let run = try Self.runs.get()[1]
            #expect(run.report.verdict == "not-growing")
            #expect(run.growing.isEmpty, "\(run.growing.map(\.evidence))")
        }

        /// Each takes 4 MiB until it ends, which alone is too little to speak of.
        @Test func whatWorkersTakeOutsideMallocIsSeenOfAllOfThemTogether() throws {
            let run = try Self.run("unseen", workers: 6, milliseconds: 1600)
            #expect(run.report.verdict == "inconclusive")
            let line = try #require(run.report.headline)
            #expect(line.hasPrefix("INCONCLUSIVE: RSS of "), "\(line)")
            #expect(line.contains(" workers that replace each other grew "), "\(line)")
        }

        @Test func workersThatAreReplacedTooSoonLeaveTheVerdictOpen() throws {
            // Seen by few snapshots, or by many that are close together.
            let runs = try atOnce([("100ms", 12, 430), ("1s", 8, 900)]) { period, workers, milliseconds in
                try Self.run("leak", workers: workers, milliseconds: milliseconds, every: period)
            }
            for run in runs {
                #expect(run.report.verdict == "inconclusive", "\(run.report.headline ?? "")")
                #expect(run.growing.isEmpty)
            }
        }

        @Test func whatAProcessOfOneConnectionKeepsUntilItsEndIsNoLeakOfTheService() throws {
            let run = try Self.run("connection", workers: 40, milliseconds: 100)
            #expect(run.report.verdict == "not-growing")
            #expect(run.growing.isEmpty, "\(run.growing.map(\.evidence))")
        }
    }
}
