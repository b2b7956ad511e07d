import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Snapshots are close together at first, so that a short program has a verdict.
    @Suite(.serialized)
    struct ShortPrograms {
        static func run(_ mode: String, _ seconds: String, _ fixed: [String] = []) throws -> Verdicts.Run {
            let command = [try Verdicts.programs.get().patterns, mode, seconds] + fixed
            return try Verdicts.run(command, every: "1s")
        }

        @Test func aLeakOfThreeSecondsIsFoundBetweenSnapshotsASecondApart() throws {
            let run = try Self.run("shared", "3")
            #expect(run.report.verdict == "growing")
            let site = try #require(run.growing.first)
            #expect(run.growing.count == 1 && site.caller?.function == "leaky_caller")
            // So short a run is never sure.
            #expect(site.confidence == "medium")
            try Verdicts.expectRate(site, near: run.truth, within: 0.25)
        }

        @Test func theSameProgramWithoutTheLeakIsAcquitted() throws {
            let run = try Self.run("shared", "3", ["fixed"])
            #expect(run.report.verdict == "not-growing")
            #expect(run.growing.isEmpty, "\(run.growing.map(\.evidence))")
        }

        @Test func aSecondIsTooShortForAVerdict() throws {
            let run = try Self.run("shared", "1")
            #expect(run.report.verdict == "inconclusive")
        }
    }
}
