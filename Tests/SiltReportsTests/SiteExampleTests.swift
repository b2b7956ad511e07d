import SiltEvents
import SiltRecording
import SiltTestRecordings
import Testing

@testable import SiltFindings
@testable import SiltReports

/// What is said of one of a site's things.
@Suite struct SiteExampleTests {
    private func example(_ resource: Resource, _ stack: StackID, process: UInt32 = 1, since: UInt64) -> RecordedExample
    {
        RecordedExample(
            resource,
            process: process,
            stack: stack,
            kind: "socket",
            text: "tcp 127.0.0.1:\(since)",
            sinceNs: since
        )
    }

    private func recording() throws -> Recording {
        let writer = try RecordingWriter(path: nil)
        for id: UInt32 in 1...2 {
            try writer.write(RecordedProcess(id: id, pid: 100 + id))
            try writer.write(RecordedSnapshot(process: id, snapshot: 0, timeNs: 1_000_000_000))
            try writer.write(RecordedSnapshot(process: id, snapshot: 1, timeNs: 8_000_000_000 * UInt64(id)))
        }
        try writer.write([example(.descriptor, 3, since: 77)], process: 1)
        // They replace what was written before.
        try writer.write(
            [
                example(.descriptor, 7, since: 4_000_000_000), example(.descriptor, 8, since: 9_000_000_000),
                example(.zombie, 7, since: 1),
            ],
            process: 1
        )
        try writer.write([example(.descriptor, 7, process: 2, since: 3_000_000_000)], process: 2)
        return try Recording(of: writer)
    }

    @Test func examplesAreReadAsTheyWereWritten() throws {
        #expect(
            try recording().examples == [
                example(.descriptor, 7, since: 4_000_000_000), example(.descriptor, 8, since: 9_000_000_000),
                example(.descriptor, 7, process: 2, since: 3_000_000_000), example(.zombie, 7, since: 1),
            ]
        )
    }

    @Test func theOldestOfASiteIsShownWithItsAge() throws {
        let recording = try recording()
        var site = ReportSite(
            blame: ReportFrame(function: "f", file: nil, line: nil, module: "", offset: 1, inlined: false)
        )
        (site.resource, site.stack) = (.descriptor, 8)
        // A process that was looked at for the last time before that.
        #expect(SiteExample.find(of: site, in: recording)?.ageSeconds == 0)
        site.stacks = [7, 8].map { ReportSite.StackPart(stack: $0, inUseBytes: 1, allocatedBytes: 1) }
        let found = SiteExample(kind: "socket", text: "tcp 127.0.0.1:3000000000", ageSeconds: 13)
        #expect(SiteExample.find(of: site, in: recording) == found)
        site.example = found
        #expect(FindingText.example(site) == "one of them, 13 s old: socket tcp 127.0.0.1:3000000000")
        site.resource = .timer
        #expect(SiteExample.find(of: site, in: recording) == nil)
    }
}
