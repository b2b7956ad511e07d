import SiltEvents
import SiltGrowth
import SiltRecording
import SiltTestRecordings

@testable import SiltFindings
@testable import SiltReports

/// A fixed recording: a server whose order_create leaks through xmalloc, a cache that filled once, and a worker forked from it.
enum OrderServer {
    static let frames: [(offset: UInt64, symbols: [SourceFrame])] = [
        (0x1000, [SourceFrame(function: "xmalloc", file: "/src/util.c", line: 12)]),
        (0x2000, [SourceFrame(function: "order_create", file: "/src/orders.c", line: 88)]),
        (
            0x3000,
            [
                SourceFrame(function: "parse_header", file: "/src/http.c", line: 31, inlined: true),
                SourceFrame(function: "handle_order", file: "/src/http.c", line: 77),
            ]
        ),
        (0x4000, [SourceFrame(function: "main", file: "/src/server.c", line: 40)]),
        (0x5000, [SourceFrame(function: "cache_fill", file: "/src/cache.c", line: 9)]),
        (0x6abc, []),
    ]

    static func recording(snapshots: UInt32 = 24, period: UInt64 = 2_000_000_000) throws -> Recording {
        let writer = try RecordingWriter(path: nil)
        try writer.begin()
        var target = RecordedTarget(command: ["./server", "--port", "8080"])
        target.pid = 4000
        target.allocator = "/lib/libc.so.6"
        target.exitStatus = 0
        try writer.write(target)
        try writer.add(module: 1, path: "/opt/shop/server", buildID: [1, 2, 3, 4])
        for (index, frame) in frames.enumerated() {
            let id = UInt32(index + 1)
            try writer.add(frame: id, module: 1, offset: frame.offset)
            try writer.write(symbols: frame.symbols, frame: id)
        }
        // 1 main · 2 main,handle_order · 3 …,order_create · 4 …,xmalloc · 5 main,cache_fill · 6 …,xmalloc · 7 6abc, which broke off
        for (id, parent, frame) in [(1, 0, 4), (2, 1, 3), (3, 2, 2), (4, 3, 1), (5, 1, 5), (6, 5, 1), (7, 0, 6)] {
            try writer.add(stack: UInt32(id), parent: UInt32(parent), frame: UInt32(frame))
        }
        for id: UInt32 in 1...2 {
            try writeProcess(id, to: writer, snapshots: snapshots, period: period)
        }
        try writer.commit()
        try writer.close()
        return try Recording(of: writer)
    }

    private static func writeProcess(
        _ id: UInt32,
        to writer: RecordingWriter,
        snapshots: UInt32,
        period: UInt64
    ) throws {
        var process = RecordedProcess(id: id, pid: 3999 + id)
        process.command = ["./server", "--port", "8080"]
        process.parentPid = id == 1 ? 1000 : 4000
        process.forked = id == 2
        process.parent = id - 1
        process.startNs = UInt64(id) * 1000
        process.endNs = 60_000_000_000
        process.end = .exited(status: 0)
        try writer.write(process)
        let scale: UInt64 = id == 1 ? 4 : 1
        let leak = 14_353 * scale
        for (stack, group, live, all) in [
            (StackID(4), FrameID(2), leak, leak + 444), (6, 5, 512 * scale, 512 * scale), (7, 6, 0, 99),
        ] {
            var counters = RecordedCounters(.heap, process: id, stack: stack)
            counters.group = group
            counters.inUseBytes = live * 1024
            counters.inUseCount = live
            counters.allocatedBytes = all * 1024
            counters.allocatedCount = all
            counters.peakBytes = live * 1024
            counters.peakCount = live
            counters.temporaryCount = all - live
            try writer.write(counters)
        }
        try writer.write([RecordedMoves(process: id, stack: 6, count: 11 * scale, bytes: scale << 20)])
        var totals = RecordedTotals()
        totals.inUseCount = leak + 512 * scale
        totals.inUseBytes = totals.inUseCount * 1024
        totals.freedCount = 543
        totals.freedBytes = 543 * 1024
        totals.allocatedCount = totals.inUseCount + totals.freedCount
        totals.allocatedBytes = totals.allocatedCount * 1024
        totals.peakInUseBytes = totals.inUseBytes
        try writer.write(totals, process: id)
        var trust = TrustCounters()
        trust.allocations = totals.allocatedCount
        trust.frees = totals.freedCount
        trust.eventsSent = trust.eventsReceived
        trust.stacks = totals.allocatedCount
        trust.unknownFrees = 2
        trust.waits = 3
        trust.waitNs = 1_500_000_000
        try writer.write(trust, process: id)
        for number in 0...snapshots {
            let live = leak * 1024 * UInt64(number) / UInt64(max(1, snapshots))
            var snapshot = RecordedSnapshot(process: id, snapshot: number, timeNs: UInt64(number) * period)
            snapshot.inUseBytes = live
            snapshot.rssBytes = live + 8_388_608
            try writer.write(snapshot)
            try writer.write(
                RecordedSample(
                    .heap,
                    process: id,
                    group: 2,
                    snapshot: number,
                    inUseBytes: live,
                    inUseCount: live / 1024
                )
            )
            if number == 3 {
                try writer.write(
                    RecordedSample(
                        .heap,
                        process: id,
                        group: 5,
                        snapshot: number,
                        inUseBytes: 512 * scale * 1024,
                        inUseCount: 512
                    )
                )
            }
        }
    }

    /// The report, with the verdicts given here instead of those of the judge.
    static func growingReport(
        _ options: ReportOptions = ReportOptions(),
        untraced: [RecordedUntraced] = []
    ) throws -> HeapReport {
        var recording = try recording()
        recording.untraced = untraced
        var report = try ReportBuilder.build(recording, options: options)
        for index in report.sites.indices {
            switch report.sites[index].blame.function {
            case "order_create":
                report.sites[index].verdict = .growing
                report.sites[index].confidence = .high
                report.sites[index].evidence = evidence(.growing, .leak, slope: 1_048_576, error: 10_000)
                report.sites[index].rate = Rate(
                    value: 1_048_576,
                    low: 1_038_576,
                    high: 1_058_576,
                    unit: .bytesPerSecond
                )
                report.sites[index].caller = report.frames(ofStack: report.sites[index].stack)[3]
            case "cache_fill":
                report.sites[index].verdict = .plateauing
                report.sites[index].isAcquitted = true
                report.sites[index].confidence = .high
                report.sites[index].evidence = evidence(.plateauing, .flat)
            default:
                report.sites[index].verdict = .stable
                report.sites[index].confidence = .low
                report.sites[index].evidence = Evidence(.onlyYoungBlocks)
            }
        }
        report.decide()
        return report
    }

    /// Of a run of a minute, a snapshot a second.
    private static func evidence(
        _ verdict: Verdict,
        _ reason: Reason,
        slope: Double = 0,
        error: Double = 0
    ) -> Evidence {
        var facts = GrowthFacts()
        (facts.snapshots, facts.slices, facts.occupied) = (60, 18, 18)
        (facts.fewest, facts.most, facts.survivors, facts.survivorBytes) = (80, 80, 1_440, 2_097_152)
        (facts.from, facts.to, facts.settledAt, facts.sinceHigh) = (0.25, 0.97, 0.1, 42)
        (facts.baseline, facts.live) = (1_048_576, 3_145_728)
        let judged = GrowthVerdict(
            verdict,
            reason,
            confidence: verdict.isGrowing ? .high : nil,
            slope: slope,
            error: error,
            facts: facts
        )
        return Evidence(.run(judged, period: 1))
    }
}
