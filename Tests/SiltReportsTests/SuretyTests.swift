import SiltGrowth
import SiltTestSupport
import Testing

@testable import SiltFindings
@testable import SiltHeap
@testable import SiltReports

/// What seconds show may be a cache that keeps its content for longer: a verdict is sure from half a minute of watching on.
struct SuretyTests {
    /// Ten blocks of 100 bytes stay of each interval.
    private static func leak(_ intervals: Int) -> GrowthVerdict {
        let bytes = Array(repeating: 1000.0, count: intervals)
        let live = (1...intervals).map { 1000 * Double($0) }
        func old(_ share: Double) -> [Double] { (1...intervals).map { 1000 * (share * Double($0)).rounded(.down) } }
        return judge(
            SurvivorSeries(
                snapshots: intervals,
                width: 1,
                bytes: bytes,
                counts: Array(repeating: 10, count: intervals),
                troughs: live,
                olderThanQuarter: old(0.75),
                olderThanHalf: old(0.5),
                baseline: 0,
                live: 1000 * Double(intervals),
                peak: 1000 * Double(intervals),
                drops: 0
            )
        )
    }

    private static func opinion(seconds: UInt64) throws -> SiteOpinion {
        let verdict = leak(24)
        #expect(verdict.verdict == .growing && verdict.confidence == .high, "\(verdict)")
        let recording = try OrderServer.recording(snapshots: 24, period: seconds * 1_000_000_000 / 24)
        return SiteOpinion.run(verdict, clock: ProcessClock.all(of: recording)[0])
    }

    @Test(
        arguments: [(3, .medium), (12, .medium), (60, .medium), (120, .high), (3600, .high)] as [(UInt64, Confidence)]
    )
    func halfOfTheBlocksMustHaveBeenWatchedForHalfAMinute(seconds: UInt64, confidence: Confidence) throws {
        let opinion = try Self.opinion(seconds: seconds)
        #expect(opinion.verdict == .growing)
        #expect(opinion.confidence == confidence, "after \(seconds) s")
        // What it is compared with in the search for callers is as clear as before.
        #expect(opinion.hasClearPattern)
    }

    @Test func theEvidenceSaysForHowLongItWasWatchedAndWhatTells() throws {
        let line = EvidenceText.line(try Self.opinion(seconds: 48).evidence, .heap)
        let end = "; half of them are younger than 18 s, and a cache may keep its content longer: a run of 80 s tells"
        #expect(line.hasSuffix(end), "\(line)")
        let long = EvidenceText.line(try Self.opinion(seconds: 240).evidence, .heap)
        #expect(!long.contains(" tells"), "\(long)")
    }
}
