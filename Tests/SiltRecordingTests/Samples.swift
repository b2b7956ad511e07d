import Foundation
import SiltEvents
import SiltRecording
import SiltTestRecordings

/// A folder for one test, gone afterwards.
final class Folder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("silt-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            print("left \(path): \(error)")
        }
    }

    func file(_ name: String) -> String { path + "/" + name }
}

/// A small world: two processes, three stacks, every table filled.
enum SmallWorld {
    static func target() -> RecordedTarget {
        var target = RecordedTarget(command: ["/opt/server", "--name", "it's me", "", "a b"])
        target.directory = "/srv"
        target.executable = "/opt/server"
        target.pid = 101
        target.allocator = "/lib/x86_64-linux-gnu/libc.so.6"
        target.exitStatus = 3
        target.siltVersion = "0.1"
        target.kernel = "6.1.0"
        target.snapshotPeriodNs = 1_000_000_000
        target.startUnixNs = 1_700_000_000_000_000_000
        target.startNs = 5_000_000_000
        target.endNs = 9_000_000_000
        return target
    }

    /// With another amount for each of its columns.
    static func look() -> RecordedMemory {
        var look = RecordedMemory(process: 1, snapshot: 0)
        for use in MemoryUse.allCases { look.bytes[use] = UInt64(use.rawValue) + 100 }
        for detail in MemoryDetail.allCases { look.details[detail] = UInt64(detail.rawValue) + 200 }
        return look
    }

    static func pins() -> [RecordedPin] { [RecordedPin(process: 1, stack: 3, bytes: 8192)] }

    static func moves() -> [RecordedMoves] { [RecordedMoves(process: 1, stack: 2, count: 3, bytes: 300)] }

    static func cost() -> RecordedCost {
        var cost = RecordedCost()
        cost.commandCPUNs = 3_700_000_000
        cost.commandPeakBytes = 17_000_000
        cost.analyzerCPUNs = 900_000_000
        cost.analyzerPeakBytes = 23_000_000
        return cost
    }

    static func processes() -> [RecordedProcess] {
        var parent = RecordedProcess(id: 1, pid: 101)
        parent.command = ["/opt/server"]
        parent.end = .exited(status: 3)
        parent.endNs = 9_000_000_000
        var child = RecordedProcess(id: 2, pid: 102)
        child.parentPid = 101
        child.parent = 1
        child.forked = true
        child.end = .killed(signal: 9)
        return [parent, child]
    }

    static func write(to writer: RecordingWriter) throws {
        try writer.begin()
        try writer.write(target())
        try writer.write(cost())
        for process in processes() { try writer.write(process) }
        var totals = RecordedTotals()
        totals.allocatedBytes = 1000
        totals.allocatedCount = 10
        totals.freedBytes = 400
        totals.freedCount = 4
        totals.inUseBytes = 600
        totals.inUseCount = 6
        totals.peakInUseBytes = 777
        try writer.write(totals, process: 1)
        var trust = TrustCounters()
        trust.allocations = 10
        trust.frees = 4
        trust.gaps = 1
        trust.eventsSent = 15
        trust.offReason = 2
        try writer.write(trust, process: 1)
        try writer.add(module: 1, path: "/opt/server", buildID: [0xde, 0xad])
        try writer.add(frame: 1, module: 1, offset: 0x1234)
        try writer.add(frame: 2, module: 0, offset: 0xffff_8000_0000_1000, kind: .exact)
        try writer.add(stack: 1, parent: 0, frame: 1)
        try writer.add(stack: 2, parent: 1, frame: 2)
        try writer.add(stack: 3, parent: 2, frame: 1)
        for stack: UInt32 in 1...3 {
            var counters = RecordedCounters(.heap, process: 1, stack: stack)
            counters.group = 1
            counters.inUseBytes = UInt64(stack) * 100
            counters.inUseCount = UInt64(stack)
            counters.allocatedBytes = .max
            counters.peakBytes = 7
            counters.temporaryCount = 1
            try writer.write(counters)
        }
        var snapshot = RecordedSnapshot(process: 1, snapshot: 0, timeNs: 5_000_000_000)
        snapshot.rssBytes = 4096
        try writer.write(snapshot)
        try writer.write(
            RecordedSample(
                .heap,
                process: 1,
                group: 1,
                snapshot: 0,
                inUseBytes: 6,
                inUseCount: 1
            )
        )
        try writer.write(history: [1, 2, 3], of: .heap, process: 1, stack: 3)
        try writer.write(history: [4, 5], of: .heap, process: 1, group: 1)
        try writer.write(
            symbols: [
                SourceFrame(function: "inner", file: "/src/a.c", line: 12, inlined: true),
                SourceFrame(function: "outer", file: "/src/a.c", line: 40),
            ],
            frame: 1
        )
        try writer.write([look()], process: 1, replacing: true)
        try writer.write([RecordedPin(process: 1, stack: 2, bytes: 1)], process: 1)
        try writer.write(pins(), process: 1)
        try writer.write([RecordedMoves(process: 1, stack: 2, count: 1, bytes: 100)])
        try writer.write(moves())
        try writer.write(memoryLimit: 512 << 20)
        try writer.add(RecordedMark(name: "ready", timeNs: 6_000_000_000))
        let phase = 1
        try writer.write(RecordedPhase(name: "/orders", startNs: 6_000_000_000), number: phase)
        try writer.write(
            RecordedPhase(name: "/orders", startNs: 6_000_000_000, endNs: 7_000_000_000, requests: 2000),
            number: phase
        )
        var round = RecordedRound(number: 1, phase: phase, kind: .warmUp, startNs: 6_000_000_000, endNs: 7_000_000_000)
        round.requests = 2000
        round.failedRequests = 1
        try writer.write(round)
        try writer.add([PhaseAllocations(process: 1, phase: phase, stack: 3, count: 4, bytes: 450)])
        try writer.add([PhaseAllocations(process: 1, phase: phase, stack: 3, count: 1, bytes: 50)])
        try writer.write([PhaseFrees(process: 1, phase: phase, stack: 3, freeStack: 2, count: 4, bytes: 400)])
        try writer.write([RecordedThreads(process: 1, name: "other", stacks: nil)], process: 1)
        try writer.write(
            [
                RecordedThreads(process: 1, name: "main", stacks: [1, 3]),
                RecordedThreads(process: 1, name: "pool", stacks: []),
            ],
            process: 1
        )
        try writer.commit()
    }
}
