internal import SiltEvents
internal import SiltFindings
internal import SiltRecording
internal import SiltText

/// The paragraph on the whole process: heap, what its memory is for, and what that grew by.
enum WholeProcess {
    static func lines(_ report: HeapReport) -> [String] {
        let recording = report.recording
        guard !recording.processes.isEmpty else { return [] }
        let totals = report.totals
        let counted = recording.resources.filter(\.isCounted).map { resource in
            let rows = recording.counters.lazy.filter { $0.resource == resource }
            return resource.amount(0, in: rows.reduce(0) { $0 + $1.inUseCount })
        }
        if report.countedResource.isCounted { return ["\(counted.joined(separator: ", ")) at the end"] }
        let isOver = recording.processes.allSatisfy { $0.end != .running }
        var lines = [
            "heap: \(Headline.inUse(totals)) in use at \(isOver ? "exit" : "the end"), "
                + "peak \(Format.bytes(totals.peakInUseBytes)); allocated \(Format.bytes(totals.allocatedBytes)) "
                + "in \(Format.plural(totals.allocatedCount, "block"))"
        ]
        if !counted.isEmpty {
            lines.append("\(counted.joined(separator: ", ")) in use at \(isOver ? "exit" : "the end")")
        }
        guard let memory = WholeMemory(recording, clocks: ProcessClock.all(of: recording)),
            let first = memory.rows.first?.rssBytes, let last = memory.rows.last, let end = last.rssBytes
        else { return lines }
        let isOneOf = recording.processes.count { !$0.isProfiled } > 1
        var line = isOneOf ? "memory of pid \(recording.processes[memory.process].pid): " : "memory: "
        line += "RSS \(Format.bytes(end)), \(Format.bytes(first)) at the start"
        if let look = memory.look {
            line += "; " + parts(look)
        } else if end > last.inUseBytes + recording.profiledBytes(at: \.last) {
            // Heaps of the same program that never call malloc: their memory is not allocator overhead.
            line += "; \(Format.bytes(end - last.inUseBytes - recording.profiledBytes(at: \.last))) of it is not live "
            line += "heap (allocator overhead, code, stacks, mappings)"
        }
        lines.append(line)
        if let note = PoolAllocators.note(report) { lines.append(note) }
        if report.obstacle?.isOfUntraced != true, let cause = memory.cause {
            lines.append(words(cause, allocator: recording.target.allocator))
        }
        return lines
    }

    /// What memory is for, those uses first that malloc knows.
    private static func parts(_ look: RecordedMemory) -> String {
        MemoryUse.allCases.filter { look.bytes[$0] > 0 }.map { "\(Format.bytes(look.bytes[$0])) \(name($0))" }
            .joined(separator: ", ")
    }

    static func name(_ use: MemoryUse) -> String {
        switch use {
        case .live: "live blocks"
        case .allocator: "held by the allocator beside them"
        case .mapped: "mapped by the program"
        case .stacks: "stacks"
        case .files: "files, variables and shared memory"
        case .own: "silt's own"
        case .other: "not explained"
        }
    }

    private static func words(_ cause: WholeMemory.Cause, allocator: String) -> String {
        switch cause {
        case .retention(let held, let risen):
            let share = Format.percent(100 * min(1, held / risen))
            return "not a leak: allocator retention: \(share) of the \(Format.bytes(risen)) that RSS grew by is freed "
                + "memory that the allocator holds (\(Format.bytes(held))); " + remedy(allocator)
        case .kept(let held, let live, let peak):
            return "not a leak: allocator retention: the allocator holds \(Format.bytes(held)) beside "
                + "\(Format.bytes(live)) of live blocks, since a peak of \(Format.bytes(peak)); " + remedy(allocator)
        case .touched(let bytes, let live):
            return "RSS grew \(Format.bytes(bytes)) because live blocks are touched for the first time; "
                + "\(Format.bytes(live)) are live"
        case .outside(let bytes, let use):
            return "RSS grew \(Format.bytes(bytes)) outside malloc: \(ObstacleText.words(use))"
        case .files(let bytes):
            return "RSS grew \(Format.bytes(bytes)) by pages of files and shared memory"
        }
    }

    /// What makes the allocator that is in the process give memory back.
    private static func remedy(_ allocator: String) -> String {
        let name = allocator.lastPathComponent
        if name.contains("jemalloc") {
            return "MALLOC_CONF=background_thread:true,dirty_decay_ms:1000 gives it back"
        }
        if name.contains("tcmalloc") {
            return "MallocExtension::ReleaseFreeMemory() or TCMALLOC_RELEASE_RATE=10 gives it back"
        }
        if name.contains("mimalloc") { return "mi_collect(true) or MIMALLOC_PURGE_DELAY=0 gives it back" }
        if name.hasPrefix("libc.so") || name.hasPrefix("libc-2") {
            return "malloc_trim(0) after peaks, MALLOC_ARENA_MAX=2, or another allocator gives it back"
        }
        return "what \(name.isEmpty ? "it" : String(name).printable) has for that, or another allocator, gives it back"
    }
}
