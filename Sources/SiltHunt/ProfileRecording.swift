internal import SiltGrowth
internal import SiltHeap
internal import SiltPprof
internal import SiltRecording
internal import SiltSession

/// Writes a recording of what profiles said, as `RecordingOutput` writes one of traced events.
struct ProfileRecording {
    private let writer: RecordingWriter
    private var modules: [String: UInt32] = [:]
    private var frames: [PprofSymbol: UInt32] = [:]
    private var stacks: [Node: UInt32] = [:]
    private var frameCount: UInt32 = 0
    private var stackCount: UInt32 = 0
    /// What heap profiles say to have been allocated, by stack; empty where they do not say.
    private var allocated: [UInt32: RecordedCounters] = [:]

    private struct Node: Hashable {
        var parent: UInt32
        var frame: UInt32
    }

    typealias Round = (mark: RoundMark, start: Double, end: Double)

    static func write(
        to path: String,
        heap: ProfileHistory,
        goroutines: ProfileHistory,
        rounds: [Round],
        times: [Double],
        target: RecordedTarget,
        allocated: PprofInUse? = nil
    ) throws {
        var recording = ProfileRecording(writer: try RecordingWriter(path: path))
        try recording.writer.begin()
        var target = target
        target.endNs = times.last.map(nanoseconds)
        try recording.writer.write(target)
        if let allocated { try recording.take(allocated) }
        if heap.length > 0 { try recording.add(heap, process: 1, kind: .heapProfile, times, target) }
        if goroutines.length > 0 { try recording.add(goroutines, process: 2, kind: .goroutine, times, target) }
        try recording.add(rounds)
        try recording.writer.commit()
        try recording.writer.close()
    }

    private init(writer: RecordingWriter) { self.writer = writer }

    private mutating func add(
        _ history: ProfileHistory,
        process: UInt32,
        kind: RecordedProcess.Kind,
        _ times: [Double],
        _ target: RecordedTarget
    ) throws {
        var row = RecordedProcess(id: process, pid: 0)
        row.command = target.command
        row.kind = kind
        try writer.write(row)
        var totals = RecordedTotals()
        for stack in history.complete {
            let id = try node(stack.frames, history.symbols)
            var counters = RecordedCounters(process: process, stack: id)
            counters.inUseBytes = stack.bytes.last ?? 0
            counters.inUseCount = stack.count.last ?? 0
            counters.peakBytes = stack.bytes.max() ?? 0
            counters.peakCount = stack.count.max() ?? 0
            // Profiles of what is in use know no more of what was allocated.
            let all = kind == .heapProfile ? allocated.removeValue(forKey: id) : nil
            counters.allocatedBytes = max(all?.allocatedBytes ?? 0, counters.peakBytes)
            counters.allocatedCount = max(all?.allocatedCount ?? 0, counters.peakCount)
            try writer.write(counters)
            try writer.write(history: SiteHistory(liveBytes: stack.bytes).encoded(), process: process, stack: id)
            totals.inUseBytes += counters.inUseBytes
            totals.inUseCount += counters.inUseCount
            totals.allocatedBytes += counters.allocatedBytes
            totals.allocatedCount += counters.allocatedCount
        }
        if kind == .heapProfile {
            for counters in allocated.values.sorted(by: { $0.stack < $1.stack }) {
                try writer.write(counters)
                totals.allocatedBytes += counters.allocatedBytes
                totals.allocatedCount += counters.allocatedCount
            }
        }
        for (index, time) in times.enumerated() {
            var snapshot = RecordedSnapshot(
                process: process,
                snapshot: UInt32(index),
                timeNs: ProfileRecording.nanoseconds(time)
            )
            for stack in history.stacks where index < stack.bytes.count {
                snapshot.inUseBytes += stack.bytes[index]
                snapshot.inUseCount += stack.count[index]
            }
            totals.peakInUseBytes = max(totals.peakInUseBytes, snapshot.inUseBytes)
            try writer.write(snapshot)
        }
        totals.freedBytes = totals.allocatedBytes - totals.inUseBytes
        totals.freedCount = totals.allocatedCount - totals.inUseCount
        try writer.write(totals, process: process)
    }

    private mutating func take(_ profile: PprofInUse) throws {
        for stack in profile.stacks {
            let id = try node(stack.symbols, profile.symbols)
            var counters = RecordedCounters(process: 1, stack: id)
            counters.allocatedBytes = UInt64(max(0, stack.bytes))
            counters.allocatedCount = UInt64(max(0, stack.count))
            allocated[id] = counters
        }
    }

    private mutating func add(_ rounds: [Round]) throws {
        var phase = 0
        var row = RecordedPhase(name: "", startNs: 0)
        for (index, interval) in ProfileRecording.intervals(rounds).enumerated() {
            let (mark, start, end) = rounds[index]
            if interval.phase != phase {
                phase = interval.phase
                row = RecordedPhase(name: mark.phase, startNs: ProfileRecording.nanoseconds(start))
                _ = try writer.add(row)
            }
            row.endNs = ProfileRecording.nanoseconds(end)
            if let requests = mark.requests { row.requests = (row.requests ?? 0) + requests }
            try writer.write(row, number: phase)
            var round = RecordedRound(
                number: UInt32(index + 1),
                phase: phase,
                kind: mark.kind,
                startNs: ProfileRecording.nanoseconds(start),
                endNs: ProfileRecording.nanoseconds(end)
            )
            round.requests = mark.requests
            round.failedRequests = mark.failedRequests
            try writer.write(round)
        }
    }

    /// The rounds with the numbers of their phases, from 1: rounds in a row of one name are one phase.
    static func intervals(_ rounds: [Round]) -> [HuntIntervals.Interval] {
        var phase = 0
        var result: [HuntIntervals.Interval] = []
        for (index, round) in rounds.enumerated() {
            let before = index > 0 ? rounds[index - 1].mark : nil
            let isIdle = round.mark.kind == .idle
            if before == nil || before?.phase != round.mark.phase || (before?.kind == .idle) != isIdle { phase += 1 }
            result.append(
                HuntIntervals.Interval(
                    phase: phase,
                    isIdle: isIdle,
                    requests: Double(round.mark.requests ?? 0),
                    seconds: round.end - round.start
                )
            )
        }
        return result
    }

    private static func nanoseconds(_ seconds: Double) -> UInt64 { UInt64(max(0, seconds) * 1e9) }

    // MARK: Stacks

    /// The innermost node of a stack; nodes are made from the outermost frame inward, so that parents come first.
    private mutating func node(_ frames: [UInt32], _ symbols: [PprofSymbol]) throws -> UInt32 {
        var parent: UInt32 = 0
        for position in frames.reversed() {
            let key = Node(parent: parent, frame: try frame(symbols[Int(position)]))
            if let known = stacks[key] {
                parent = known
                continue
            }
            stackCount += 1
            stacks[key] = stackCount
            try writer.add(stack: stackCount, parent: parent, frame: key.frame)
            parent = stackCount
        }
        return parent
    }

    private mutating func frame(_ symbol: PprofSymbol) throws -> UInt32 {
        if let known = frames[symbol] { return known }
        frameCount += 1
        frames[symbol] = frameCount
        try writer.add(frame: frameCount, module: try module(symbol.module), offset: symbol.offset, kind: 0)
        if !symbol.function.isEmpty {
            let row = SymbolRow(
                function: symbol.function,
                file: symbol.file.isEmpty ? nil : symbol.file,
                line: symbol.line > 0 ? Int(symbol.line) : nil,
                inlined: symbol.isInlined
            )
            try writer.write(symbols: [row], frame: frameCount)
        }
        return frameCount
    }

    private mutating func module(_ path: String) throws -> UInt32 {
        guard !path.isEmpty else { return 0 }
        if let known = modules[path] { return known }
        let id = UInt32(modules.count + 1)
        modules[path] = id
        try writer.add(module: id, path: path, buildID: [])
        return id
    }
}

/// Makes a recording of one profile in a file.
///
/// Throws what `PprofProfile` and `RecordingWriter` throw.
package func writeRecording(ofProfile path: String, to recording: String, siltVersion: String) throws {
    let profile = try PprofProfile(path: path)
    let inUse = try profile.inUse()
    var history = ProfileHistory()
    history.add(inUse, countsOnly: inUse.bytesType == nil)
    var target = RecordedTarget(command: [])
    target.siltVersion = siltVersion
    target.startUnixNs = UInt64(max(0, profile.timeNanos))
    target.allocator = "profile \(path)" + (profile.period > 1 ? ", one sample every \(profile.period) bytes" : "")
    let nothing = ProfileHistory()
    let isOfGoroutines = inUse.bytesType == nil
    try ProfileRecording.write(
        to: recording,
        heap: isOfGoroutines ? nothing : history,
        goroutines: isOfGoroutines ? history : nothing,
        rounds: [],
        times: [0],
        target: target,
        allocated: isOfGoroutines ? nil : try profile.allocated()
    )
}
