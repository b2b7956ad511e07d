internal import SiltEvents
internal import SiltHeap
internal import SiltPprof
package import SiltRecording
package import SiltSession

/// Writes what profiles said into a recording, as `RecordingOutput` writes traced events.
package struct ProfileRecording {
    private let writer: RecordingWriter
    private var stacks: ProfileStacks
    /// What a process of profiles is written as, except for its number.
    private let process: RecordedProcess
    /// What profiles say to have been allocated, by resource and stack; empty where they do not say.
    private var allocated: [Resource: [StackID: RecordedCounters]] = [:]

    /// What profiles said of one resource.
    fileprivate struct Part {
        var resource: Resource
        var history: ProfileHistory
        /// What was allocated since the start, where a profile says it.
        var allocated: PprofInUse?
    }

    /// Makes a recording of profiles alone.
    package static func write(
        to path: String,
        heap: ProfileHistory,
        goroutines: ProfileHistory,
        book: RoundBook,
        times: [UInt64],
        target: RecordedTarget
    ) throws {
        let parts = [Part(resource: .heap, history: heap), Part(resource: .goroutine, history: goroutines)]
        try write(to: path, parts, book: book, times: times, target: target)
    }

    fileprivate static func write(
        to path: String,
        _ parts: [Part],
        book: RoundBook,
        times: [UInt64],
        target: RecordedTarget
    ) throws {
        var process = RecordedProcess(id: 0, pid: 0)
        process.command = target.command
        var recording = ProfileRecording(writer: try RecordingWriter(path: path), process: process)
        try recording.writer.begin()
        var target = target
        target.endNs = times.last
        try recording.writer.write(target)
        for part in parts { try recording.take(part) }
        try recording.add(parts, times)
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
        let parts = [(Resource.heap, heap), (.goroutine, goroutines)].map { resource, history in
            Part(resource: resource, history: history.first(times.count))
        }
        try recording.add(parts, times)
        try recording.writer.close()
    }

    private init(writer: RecordingWriter, process: RecordedProcess) {
        self.writer = writer
        self.process = process
        stacks = ProfileStacks(writer)
    }

    /// Adds one process: its heap, and what else was counted beside it, or alone where nothing is known of the heap.
    private mutating func add(_ parts: [Part], _ times: [UInt64]) throws {
        let known = parts.filter { $0.history.length > 0 }
        guard let main = known.first else { return }
        var row = process
        row.id = writer.storedProcesses + 1
        row.isProfiled = true
        try writer.write(row)
        // Those of the process are of its heap.
        var totals = try add(main, process: row.id)
        for part in known.dropFirst() { _ = try add(part, process: row.id) }
        totals.peakInUseBytes = try addSnapshots(main.history, process: row.id, times)
        totals.freedBytes = totals.allocatedBytes - totals.inUseBytes
        totals.freedCount = totals.allocatedCount - totals.inUseCount
        try writer.write(totals, process: row.id)
    }

    /// Writes what profiles said of a resource; returns its sums.
    private mutating func add(_ part: Part, process: UInt32) throws -> RecordedTotals {
        var totals = RecordedTotals()
        for stack in part.history.complete {
            let id = try stacks.node(stack.frames, part.history.symbols)
            var counters = RecordedCounters(part.resource, process: process, stack: id)
            counters.inUseBytes = stack.bytes.last ?? 0
            counters.inUseCount = stack.count.last ?? 0
            counters.peakBytes = stack.bytes.max() ?? 0
            counters.peakCount = stack.count.max() ?? 0
            // Profiles of what is in use know no more of what was allocated.
            let all = allocated[part.resource]?.removeValue(forKey: id)
            counters.allocatedBytes = max(all?.allocatedBytes ?? 0, counters.peakBytes)
            counters.allocatedCount = max(all?.allocatedCount ?? 0, counters.peakCount)
            try writer.write(counters)
            let live = SiteHistory.rounds(RoundHistory(liveBytes: stack.bytes))
            try writer.write(history: live.encoded(), of: part.resource, process: process, stack: id)
            totals.inUseBytes += counters.inUseBytes
            totals.inUseCount += counters.inUseCount
            totals.allocatedBytes += counters.allocatedBytes
            totals.allocatedCount += counters.allocatedCount
        }
        try addFreed(part.resource, to: &totals, process: process)
        return totals
    }

    /// Stacks of which nothing is in use any more.
    private func addFreed(_ resource: Resource, to totals: inout RecordedTotals, process: UInt32) throws {
        for var counters in (allocated[resource] ?? [:]).values.sorted(by: { $0.stack < $1.stack }) {
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

    private mutating func take(_ part: Part) throws {
        guard let profile = part.allocated else { return }
        for stack in profile.stacks {
            let id = try stacks.node(stack.symbols, profile.symbols)
            var counters = RecordedCounters(part.resource, process: 0, stack: id)
            counters.allocatedBytes = UInt64(max(0, stack.bytes))
            counters.allocatedCount = UInt64(max(0, stack.count))
            allocated[part.resource, default: [:]][id] = counters
        }
    }

    private func write(_ book: RoundBook) throws {
        for (index, phase) in book.phases.enumerated() { try writer.write(phase, number: index + 1) }
        for round in book.rounds { try writer.write(round) }
    }
}

/// Makes a recording of one profile in a file, silt's own or another's.
///
/// Throws what `PprofProfile` and `RecordingWriter` throw.
package func writeRecording(ofProfile path: String, to recording: String, siltVersion: String) throws {
    let profile = try PprofProfile(path: path)
    var target = RecordedTarget(command: [])
    target.siltVersion = siltVersion
    target.startUnixNs = UInt64(max(0, profile.timeNanos))
    target.allocator = ProfileSource.text("profile \(path)", period: profile.period)
    let parts = try profile.parts()
    try ProfileRecording.write(to: recording, parts, book: RoundBook(startNs: 0), times: [0], target: target)
}

extension PprofProfile {
    /// What it says to be in use: the heap first, then what silt's own profiles have beside it or instead.
    ///
    /// Throws `nothingInUse` where there is nothing, `unknownCount` for a count of things that silt does not know.
    fileprivate func parts() throws(PprofError) -> [ProfileRecording.Part] {
        var parts: [ProfileRecording.Part] = []
        for resource in Resource.allCases where resource != .heap {
            let bytes = resource.isCounted ? nil : resource.sampleType("inuse_space")
            guard let inUse = try inUse(bytes: bytes, count: resource.sampleType("inuse_objects")) else { continue }
            let allocated =
                resource.isCounted
                ? nil
                : try self.inUse(
                    bytes: resource.sampleType("alloc_space"),
                    count: resource.sampleType("alloc_objects")
                )
            parts.append(ProfileRecording.Part(resource, inUse, allocated: allocated))
        }
        // Who counts one thing alone has no heap.
        if !parts.isEmpty, !saysHeap { return parts }
        let inUse = try inUse()
        if inUse.bytesType != nil {
            return [ProfileRecording.Part(.heap, inUse, allocated: try allocated())] + parts
        }
        guard let type = inUse.countType, Self.threads.contains(type.type) else {
            throw .unknownCount(inUse.countType ?? PprofValueType(type: "", unit: ""))
        }
        return [ProfileRecording.Part(.thread, inUse)]
    }

    /// How Go (`pprof.Lookup`) and pypprof call threads.
    private static let threads = ["threadcreate", "THREADS"]
}

extension ProfileRecording.Part {
    fileprivate init(_ resource: Resource, _ inUse: PprofInUse, allocated: PprofInUse? = nil) {
        (self.resource, self.allocated) = (resource, allocated)
        history = ProfileHistory()
        history.add(inUse, countsOnly: inUse.bytesType == nil)
    }
}
