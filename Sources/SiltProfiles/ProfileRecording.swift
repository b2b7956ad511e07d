internal import SiltEvents
internal import SiltHeap
package import SiltPprof
package import SiltRecording
package import SiltSession

/// Writes what profiles said into a recording, as `RecordingOutput` writes traced events.
package struct ProfileRecording {
    private let writer: RecordingWriter
    private var stacks: ProfileStacks
    /// What a process of profiles is written as, except for its number.
    private let process: RecordedProcess
    /// What heap profiles say to have been allocated, by stack; empty where they do not say.
    private var allocated: [StackID: RecordedCounters] = [:]

    /// Makes a recording of profiles alone.
    package static func write(
        to path: String,
        heap: ProfileHistory,
        goroutines: ProfileHistory,
        book: RoundBook,
        times: [UInt64],
        target: RecordedTarget,
        allocated: PprofInUse? = nil
    ) throws {
        var process = RecordedProcess(id: 0, pid: 0)
        process.command = target.command
        var recording = ProfileRecording(writer: try RecordingWriter(path: path), process: process)
        try recording.writer.begin()
        var target = target
        target.endNs = times.last
        try recording.writer.write(target)
        if let allocated { try recording.take(allocated) }
        try recording.add(heap, goroutines, times)
        try recording.write(book)
        try recording.writer.close()
    }

    /// Adds profiles to the closed recording of a trace, one pulled at its baseline and one at the end of each of its rounds.
    ///
    /// `source` says what they are, for the report's trust line.
    package static func add(
        to path: String,
        heap: ProfileHistory,
        goroutines: ProfileHistory,
        command: [String],
        pid: UInt32,
        source: String
    ) throws {
        var process = RecordedProcess(id: 0, pid: pid)
        process.command = command
        process.executable = source
        var recording = ProfileRecording(writer: try RecordingWriter(addingTo: path), process: process)
        try recording.writer.begin()
        let times = try recording.writer.roundTimes()
        // A round that the trace did not end has a profile, and no number.
        try recording.add(heap.first(times.count), goroutines.first(times.count), times)
        try recording.writer.close()
    }

    private init(writer: RecordingWriter, process: RecordedProcess) {
        self.writer = writer
        self.process = process
        stacks = ProfileStacks(writer)
    }

    /// Adds one process: its heap, and its goroutines beside it, or alone where nothing is known of the heap.
    private mutating func add(_ heap: ProfileHistory, _ goroutines: ProfileHistory, _ times: [UInt64]) throws {
        guard heap.length > 0 || goroutines.length > 0 else { return }
        var row = process
        row.id = writer.storedProcesses + 1
        row.isProfiled = true
        try writer.write(row)
        var totals = try add(heap, of: .heap, process: row.id)
        try addFreed(to: &totals, process: row.id)
        let counted = try add(goroutines, of: .goroutine, process: row.id)
        let main = heap.length > 0 ? heap : goroutines
        if heap.length == 0 { totals = counted }
        totals.peakInUseBytes = try addSnapshots(main, process: row.id, times)
        totals.freedBytes = totals.allocatedBytes - totals.inUseBytes
        totals.freedCount = totals.allocatedCount - totals.inUseCount
        try writer.write(totals, process: row.id)
    }

    /// Writes what profiles said of a resource; returns its sums.
    private mutating func add(
        _ history: ProfileHistory,
        of resource: Resource,
        process: UInt32
    ) throws -> RecordedTotals {
        var totals = RecordedTotals()
        for stack in history.complete {
            let id = try stacks.node(stack.frames, history.symbols)
            var counters = RecordedCounters(resource, process: process, stack: id)
            counters.inUseBytes = stack.bytes.last ?? 0
            counters.inUseCount = stack.count.last ?? 0
            counters.peakBytes = stack.bytes.max() ?? 0
            counters.peakCount = stack.count.max() ?? 0
            // Profiles of what is in use know no more of what was allocated.
            let all = resource == .heap ? allocated.removeValue(forKey: id) : nil
            counters.allocatedBytes = max(all?.allocatedBytes ?? 0, counters.peakBytes)
            counters.allocatedCount = max(all?.allocatedCount ?? 0, counters.peakCount)
            try writer.write(counters)
            let live = SiteHistory.rounds(RoundHistory(liveBytes: stack.bytes))
            try writer.write(history: live.encoded(), of: resource, process: process, stack: id)
            totals.inUseBytes += counters.inUseBytes
            totals.inUseCount += counters.inUseCount
            totals.allocatedBytes += counters.allocatedBytes
            totals.allocatedCount += counters.allocatedCount
        }
        return totals
    }

    /// Stacks of which nothing is in use any more.
    private func addFreed(to totals: inout RecordedTotals, process: UInt32) throws {
        for var counters in allocated.values.sorted(by: { $0.stack < $1.stack }) {
            counters.process = process
            try writer.write(counters)
            totals.allocatedBytes += counters.allocatedBytes
            totals.allocatedCount += counters.allocatedCount
        }
    }

    /// Returns the most bytes that were in use at a snapshot.
    private func addSnapshots(_ history: ProfileHistory, process: UInt32, _ times: [UInt64]) throws -> UInt64 {
        var peak: UInt64 = 0
        for (index, time) in times.enumerated() {
            var snapshot = RecordedSnapshot(process: process, snapshot: UInt32(index), timeNs: time)
            for stack in history.stacks where index < stack.bytes.count {
                snapshot.inUseBytes += stack.bytes[index]
                snapshot.inUseCount += stack.count[index]
            }
            peak = max(peak, snapshot.inUseBytes)
            try writer.write(snapshot)
        }
        return peak
    }

    private mutating func take(_ profile: PprofInUse) throws {
        for stack in profile.stacks {
            let id = try stacks.node(stack.symbols, profile.symbols)
            var counters = RecordedCounters(.heap, process: 0, stack: id)
            counters.allocatedBytes = UInt64(max(0, stack.bytes))
            counters.allocatedCount = UInt64(max(0, stack.count))
            allocated[id] = counters
        }
    }

    private func write(_ book: RoundBook) throws {
        for (index, phase) in book.phases.enumerated() { try writer.write(phase, number: index + 1) }
        for round in book.rounds { try writer.write(round) }
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
    target.allocator = ProfileSource.text("profile \(path)", period: profile.period)
    let nothing = ProfileHistory()
    let isOfGoroutines = inUse.bytesType == nil
    try ProfileRecording.write(
        to: recording,
        heap: isOfGoroutines ? nothing : history,
        goroutines: isOfGoroutines ? history : nothing,
        book: RoundBook(startNs: 0),
        times: [0],
        target: target,
        allocated: isOfGoroutines ? nil : try profile.allocated()
    )
}
