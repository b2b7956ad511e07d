import SiltRecording
import Testing

@testable import SiltFindings
@testable import SiltReports

/// What an untraced program makes of the verdict on the others.
@Suite struct UntracedTests {
    /// Traced for 48 s, and nothing grew.
    private func report(
        seconds: Double,
        grown: UInt64 = 0,
        became: String = "",
        _ change: (inout RecordedUntraced, inout Recording) -> Void = { _, _ in }
    ) throws -> HeapReport {
        var recording = try OrderServer.recording()
        var program = RecordedUntraced(program: "./helper", reason: "statically linked")
        program.seconds = seconds
        program.grownBytes = grown
        program.processes = 1
        program.became = became
        recording.target.endNs = 48_000_000_000
        change(&program, &recording)
        recording.untraced = [program]
        var report = try ReportBuilder.build(recording, options: ReportOptions())
        for index in report.sites.indices { report.sites[index].verdict = .stable }
        report.decide()
        return report
    }

    @Test func aBriefHelperLeavesTheVerdictAndIsNamed() throws {
        for seconds in [0, 0.9, 20] {
            let line = try report(seconds: seconds).verdictLine
            #expect(line.hasPrefix("NOT GROWING: "), "\(line)")
            #expect(line.hasSuffix("; not followed: ./helper (statically linked)"), "\(line)")
        }
        // What it took, it took with it.
        #expect(try report(seconds: 3, grown: 500 << 20).verdict == .notGrowing)
    }

    @Test func aServiceOfItsOwnLeavesTheReportOpen() throws {
        let line = try report(seconds: 40).verdictLine
        #expect(line == "INCONCLUSIVE: child ./helper was not traced: statically linked")
    }

    @Test func aChildThatGrewLeavesTheReportOpenThoughItCameLate() throws {
        let line = try report(seconds: 10, grown: 95 << 20).verdictLine
        #expect(
            line == "INCONCLUSIVE: child ./helper was not traced: statically linked (its memory grew by 95.0 MiB)"
        )
    }

    @Test func whatTheCommandBecameIsNeverAcquitted() throws {
        let line = try report(seconds: 0.1, became: "sh").verdictLine
        #expect(line == "INCONCLUSIVE: sh became ./helper, which was not traced: statically linked")
    }

    @Test func aWrapperOfWhatIsTracedDoesNotCount() throws {
        for became in ["", "sh"] {
            let wrapper = try report(seconds: 46, became: became) { program, recording in
                program.starterPid = recording.processes[0].parentPid
            }
            #expect(wrapper.verdict == .notGrowing, "\(wrapper.verdictLine)")
            #expect(wrapper.verdictLine.hasSuffix("; not followed: ./helper (statically linked)"))
            let grows = try report(seconds: 46, grown: 2 << 20, became: became) { program, recording in
                program.starterPid = recording.processes[0].parentPid
            }
            #expect(grows.obstacle?.isOfUntraced == true)
        }
    }

    @Test func whatGrowsElsewhereIsToldFirst() throws {
        var program = RecordedUntraced(program: "./helper", reason: "statically linked")
        (program.seconds, program.processes) = (40, 1)
        let report = try OrderServer.growingReport(untraced: [program])
        #expect(report.verdictLine.hasPrefix("GROWING: "))
        #expect(report.verdictLine.hasSuffix("; not followed: ./helper (statically linked)"))
    }
}
