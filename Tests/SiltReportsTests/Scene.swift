import Foundation
import SiltEvents
import SiltGrowth
import SiltRecording
import SiltTestRecordings

@testable import SiltFindings
@testable import SiltReports

/// A program as a recording has it, told in a few lines: who calls whom, what is in use, what RSS is made of.
struct Scene {
    struct Frame {
        var function: String
        var file: String?
        var line = 0
        var module = 0
    }

    /// Call sites: frames outermost first, with what is in use at the end.
    struct Place {
        var frames: [Frame]
        var bytes: UInt64
        var count: UInt64
        var resource = Resource.heap
    }

    var command = ["./server"]
    var modules = ["/opt/shop/server"]
    var places: [Place] = []
    /// Resident bytes at the start and at the end, and what they are for.
    var resident: (start: UInt64, end: UInt64) = (8 << 20, 12 << 20)
    var memory: [RecordedMemory] = []
    /// The most that was in use at once, at a snapshot or between two.
    var peak: UInt64 = 4 << 20
    var snapshots: UInt32 = 24
    var isForked = false
    /// Why nothing could be traced; nil: it could.
    var untraceable: String?

    /// A file that lies beside the tests, so that its lines can be quoted.
    static func source(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden/\(name)").path
    }

    func recording() throws -> Recording {
        let writer = try RecordingWriter(path: nil)
        try writer.begin()
        var target = RecordedTarget(command: command)
        (target.pid, target.allocator, target.untraceable) = (4000, "/lib/x86_64-linux-gnu/libc.so.6", untraceable)
        try writer.write(target)
        if untraceable == nil { try writePlaces(to: writer) }
        try writer.commit()
        try writer.close()
        var recording = try Recording(of: writer)
        recording.memory = memory
        return recording
    }

    private func writePlaces(to writer: RecordingWriter) throws {
        for (index, path) in modules.enumerated() {
            try writer.add(module: ModuleID(index: index), path: path, buildID: [1])
        }
        var process = RecordedProcess(id: 1, pid: isForked ? 4001 : 4000)
        (process.command, process.forked, process.end) = (command, isForked, .exited(status: 0))
        process.endNs = UInt64(snapshots) * 1_000_000_000
        if isForked { process.parentPid = 4000 }
        try writer.write(process)
        var (frame, stack): (UInt32, UInt32) = (0, 0)
        var totals = RecordedTotals()
        for place in places {
            var parent: UInt32 = 0
            for step in place.frames {
                (frame, stack) = (frame + 1, stack + 1)
                try writer.add(
                    frame: frame,
                    module: UInt32(step.module + 1),
                    offset: UInt64(frame) * 0x1000
                )
                try writer.write(
                    symbols: [SourceFrame(function: step.function, file: step.file ?? "", line: step.line)],
                    frame: frame
                )
                try writer.add(stack: stack, parent: parent, frame: frame)
                parent = stack
            }
            var counters = RecordedCounters(place.resource, process: 1, stack: stack)
            counters.group = FrameID(stack)
            (counters.inUseBytes, counters.inUseCount) = (place.bytes, place.count)
            (counters.allocatedBytes, counters.allocatedCount) = (max(place.bytes, 1024), max(place.count, 1))
            try writer.write(counters)
            guard place.resource == .heap else { continue }
            totals.inUseBytes += place.bytes
            totals.inUseCount += place.count
            totals.allocatedBytes += counters.allocatedBytes
            totals.allocatedCount += counters.allocatedCount
        }
        totals.peakInUseBytes = max(totals.inUseBytes, peak)
        try writer.write(totals, process: 1)
        var trust = TrustCounters()
        trust.allocations = totals.allocatedCount
        trust.eventsSent = trust.eventsReceived
        try writer.write(trust, process: 1)
        for number in 0...snapshots {
            var row = RecordedSnapshot(process: 1, snapshot: number, timeNs: UInt64(number) * 1_000_000_000)
            row.inUseBytes = totals.inUseBytes * UInt64(number) / UInt64(snapshots)
            row.rssBytes = resident.start + (resident.end - resident.start) * UInt64(number) / UInt64(snapshots)
            try writer.write(row)
        }
    }

    /// The report, in which `judge` gives each call site its verdict instead of the judges.
    func report(width: Int = 80, _ judge: (inout ReportSite) -> Void = { _ in }) throws -> HeapReport {
        var options = ReportOptions()
        (options.width, options.recordingPlace) = (width, .file("server.silt"))
        var report = try ReportBuilder.build(recording(), options: options)
        for index in report.sites.indices {
            report.sites[index].evidence = Evidence(.onlyYoungBlocks)
            judge(&report.sites[index])
        }
        Findings.join(&report.sites)
        report.decide()
        return report
    }
}

extension ReportSite {
    /// Grows steadily, so many bytes a second.
    mutating func grow(by rate: Double, _ reason: Reason = .leak, _ confidence: Confidence = .high) {
        var facts = GrowthFacts()
        (facts.snapshots, facts.slices, facts.occupied, facts.from, facts.to) = (24, 18, 18, 0.2, 0.95)
        (facts.fewest, facts.most, facts.survivorBytes) = (80, 82, 18 * rate)
        (facts.baseline, facts.live, facts.jumps) = (528, 67_584, 7)
        verdict = .growing
        self.confidence = confidence
        let unit = Rate.Unit(.init(of: resource), per: .second)
        self.rate = Rate(value: rate, low: rate * 0.98, high: rate * 1.02, unit: unit)
        evidence = Evidence(
            .run(
                GrowthVerdict(.growing, reason, confidence: confidence, slope: rate, error: rate / 50, facts: facts),
                period: 1
            )
        )
    }

    /// Grew, and does not any more.
    mutating func clear(_ verdict: Verdict, _ reason: Reason) {
        var facts = GrowthFacts()
        (facts.snapshots, facts.settledAt, facts.sinceHigh, facts.drops) = (24, 0.4, 14, 9)
        (facts.baseline, facts.live) = (0, Double(inUseBytes))
        self.verdict = verdict
        isAcquitted = true
        evidence = Evidence(.run(GrowthVerdict(verdict, reason, facts: facts), period: 1))
    }
}
