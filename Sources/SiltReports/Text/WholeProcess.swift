internal import SiltFindings
internal import SiltRecording
internal import SiltText

/// The paragraph on the whole process: heap, memory beyond it, and whether the allocator keeps what the program freed.
enum WholeProcess {
    static func lines(_ report: HeapReport) -> [String] {
        let recording = report.recording
        let clocks = ProcessClock.all(of: recording)
        guard !recording.processes.isEmpty else { return [] }
        let totals = report.totals
        if report.countedKind == .goroutine {
            let count = recording.totals.reduce(0) { $0 + $1.inUseCount }
            return ["\(Format.plural(count, "goroutine")) at the end"]
        }
        let isOver = recording.processes.allSatisfy { $0.end != .running }
        var lines = [
            "heap: \(Headline.inUse(totals)) in use at \(isOver ? "exit" : "the end"), "
                + "peak \(Format.bytes(totals.peakInUseBytes)); allocated \(Format.bytes(totals.allocatedBytes)) "
                + "in \(Format.plural(totals.allocatedCount, "block"))"
        ]
        let traced = recording.processes.indices.filter { recording.processes[$0].kind == .traced }
        guard
            let main = traced.max(by: { recording.totals[$0].allocatedBytes < recording.totals[$1].allocatedBytes })
        else { return lines }
        // Heaps of the same program that never call malloc: their memory is not allocator overhead.
        let profiled = recording.profiledBytes(at: \.last)
        let rows = clocks[main].rows.filter { ($0.rssBytes ?? 0) > 0 }
        if let first = rows.first, let last = rows.last, let start = first.rssBytes, let end = last.rssBytes {
            var line = traced.count > 1 ? "memory of pid \(recording.processes[main].pid): " : "memory: "
            line += "RSS \(Format.bytes(end)), \(Format.bytes(start)) at the start"
            if end > last.inUseBytes + profiled {
                line += "; \(Format.bytes(end - last.inUseBytes - profiled)) of it is not live heap "
                line += "(allocator overhead, code, stacks, mappings)"
            }
            lines.append(line)
            if let note = PoolAllocators.note(report) { lines.append(note) }
            if profiled == 0, report.obstacle?.isOfUntraced != true, !report.sites.contains(where: \.isGrowing),
                let retention = Retention(rows)
            {
                lines.append(words(retention))
            }
        }
        return lines
    }

    private static func words(_ retention: Retention) -> String {
        let remedy = "malloc_trim(0) after peaks, MALLOC_ARENA_MAX=2, or another allocator gives it back"
        switch retention {
        case .grew(let bytes):
            return "not a leak: allocator retention: RSS grew \(Format.bytes(bytes)) while the live heap did not; "
                + remedy
        case .stayed(let bytes, let live, let peak):
            return "not a leak: allocator retention: RSS stays at \(Format.bytes(bytes)) though only "
                + "\(Format.bytes(live)) of a peak of \(Format.bytes(peak)) are live; " + remedy
        }
    }
}
