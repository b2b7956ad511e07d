import SiltRecording
import Testing

@testable import SiltFindings
@testable import SiltReports

/// A verdict needs snapshots over the whole time: without them it is not known when blocks came.
struct StoodStillTests {
    /// A program of 24 snapshots, a second apart, of which the rows between two of them are missing.
    private static func report(without gap: ClosedRange<UInt32>?) throws -> HeapReport {
        var recording = try OrderServer.recording(snapshots: 24, period: 1_000_000_000)
        if let gap { recording.snapshots.removeAll { gap.contains($0.snapshot) } }
        return try ReportBuilder.build(recording, options: ReportOptions())
    }

    @Test func nothingIsSaidWhenNoSnapshotWasTakenForMuchOfTheTime() throws {
        let report = try Self.report(without: 3...14)
        #expect(report.verdict == .inconclusive)
        let line = report.verdictLine
        #expect(line.hasPrefix("INCONCLUSIVE: no snapshot was taken for 13 s of 24 s, "), "\(line)")
    }

    @Test(arguments: [nil, 10...12] as [ClosedRange<UInt32>?])
    func aFewThatAreMissingDoNotMatter(gap: ClosedRange<UInt32>?) throws {
        #expect(try Self.report(without: gap).verdict == .notGrowing)
    }

    /// As a damaged recording may number them.
    @Test(.timeLimit(.minutes(1))) func billionsOfSnapshotsThatAreMissingTakeNoTime() throws {
        var recording = try OrderServer.recording(snapshots: 24, period: 1_000_000_000)
        for index in recording.snapshots.indices where recording.snapshots[index].snapshot == 24 {
            recording.snapshots[index].snapshot = 4_000_000_000
        }
        let report = try ReportBuilder.build(recording, options: ReportOptions())
        #expect(report.sites.count > 0)
    }
}
