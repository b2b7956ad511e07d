import SiltRecording
import SiltTestRecordings
import Testing

@testable import SiltFindings
@testable import SiltReports

/// One figure for one thing, wherever it is shown.
@Suite struct AgreementTests {
    private static let recordings: [@Sendable () throws -> Recording] = [
        { try OrderServer.recording() }, { try OrderServer.recording(snapshots: 7, period: 333_333_333) },
        {
            // The worker ends halfway, and what it held with it.
            var recording = try OrderServer.recording(snapshots: 60, period: 1_000_000_007)
            recording.processes[1].endNs = 31_000_000_000
            return recording
        },
    ]

    /// The page's growth by function between two moments is that of silt diff --between, for all pairs of them.
    @Test(arguments: 0..<3)
    func thePageGrowsAsTheDifferenceOfTwoMomentsDoes(number: Int) throws {
        let recording = try Self.recordings[number]()
        let report = try ReportBuilder.build(recording, options: ReportOptions())
        let course = StackCourse(report)
        try #require(course.moments.count == 33)
        let moments = try Moments(recording, path: "run.silt")
        let sides = try course.moments.map { moment in
            try DiffSide(recording, at: moments.moment(.seconds(moment.seconds)), of: moments, hide: [])
        }
        var differs = 0
        for from in sides.indices {
            for to in sides.indices where from != to {
                let diff = try HeapDiff(sides[from], sides[to], settings: DiffSettings())
                var wanted: [String: Double] = [:]
                for function in diff.functions where function.flat.value != 0 {
                    wanted[function.key.function, default: 0] += function.flat.value
                }
                var found: [String: Double] = [:]
                for (stack, values) in course.values {
                    let name = report.frames(ofStack: stack)[report.blameIndex(ofStack: stack)].name
                    found[name, default: 0] += Double(values[to]) - Double(values[from])
                }
                found = found.filter { $0.value != 0 }
                differs += wanted.isEmpty ? 0 : 1
                if found != wanted { Issue.record("\(from) to \(to): \(found), not \(wanted)") }
            }
        }
        #expect(differs > 500)
    }

    /// What a site holds, in all that names it.
    @Test func aSiteHoldsTheSameEverywhere() throws {
        let report = try OrderServer.growingReport()
        let site = try #require(report.growing.first)
        var counted: UInt64 = 0
        report.forEachCounter { row in
            let blamed = report.frames(ofStack: row.stack)[report.blameIndex(ofStack: row.stack)]
            if blamed.name == site.blame.name { counted += row.inUseBytes }
        }
        #expect(counted == site.inUseBytes)
        var (csv, json, page) = ("", "", "")
        CSVExport.render(report, into: &csv)
        JSONReport.render(report, into: &json)
        PageData.render(report, into: &page)
        let rate = try #require(site.rate)
        #expect(csv.contains(",\(rate.value),"))
        #expect(json.contains("\"value\": \(rate.value)"))
        #expect(csv.contains(",\(site.inUseBytes),\(site.inUseCount),"))
        #expect(json.contains("\"inuse_space\": \(site.inUseBytes)"))
        #expect(page.contains(FindingText.held(site)) && page.contains(rate.lead))
        var top = TopView("run.silt")
        top.take(report)
        #expect(top.lines(width: 160, height: 20, color: false).contains { $0.contains(rate.unit.gain(rate.value)) })
    }

    @Test func residentBytesAreThoseOfWhatStillRuns() throws {
        var recording = try OrderServer.recording()
        let last = recording.snapshots.filter { $0.snapshot == 24 }.compactMap(\.rssBytes)
        #expect(recording.residentBytes == last.reduce(0, +))
        recording.processes[1].endNs = 3_000_000_000
        #expect(recording.residentBytes == last[0])
    }
}
