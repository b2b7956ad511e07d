internal import SiltRecording

/// The paragraph on the whole process: heap, memory beyond it, and whether the allocator keeps what the program freed.
enum WholeProcess {
    static func lines(_ recording: Recording, clocks: [ProcessClock], report: HeapReport) -> [String] {
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
            if profiled == 0, !report.sites.contains(where: \.isGrowing), let retention = retention(rows) {
                lines.append(retention)
            }
        }
        return lines
    }

    /// RSS that grows, or stays at its height, while the heap does not: what was freed was not given back.
    private static func retention(_ rows: [RecordedSnapshot]) -> String? {
        guard rows.count >= SiteOpinion.minimumSnapshots else { return nil }
        let quarter = max(1, rows.count / 4)
        let rssStart = median(rows.prefix(quarter).map { $0.rssBytes ?? 0 })
        let rssEnd = median(rows.suffix(quarter).map { $0.rssBytes ?? 0 })
        let heapStart = median(rows.prefix(quarter).map(\.inUseBytes))
        let heapEnd = median(rows.suffix(quarter).map(\.inUseBytes))
        let heapPeak = rows.map(\.inUseBytes).max() ?? 0
        let risen = rssEnd - rssStart
        let least = 8.0 * 1_048_576
        let remedy = "malloc_trim(0) after peaks, MALLOC_ARENA_MAX=2, or another allocator gives it back"
        if risen > max(least, rssStart / 10), heapEnd - heapStart < risen / 4 {
            return "not a leak: allocator retention: RSS grew \(Format.bytes(risen)) while the live heap did not; "
                + remedy
        }
        if Double(heapPeak) - heapEnd > max(least, heapEnd), rssEnd > 0.8 * Double(heapPeak) {
            return "not a leak: allocator retention: RSS stays at \(Format.bytes(rssEnd)) though only "
                + "\(Format.bytes(heapEnd)) of a peak of \(Format.bytes(heapPeak)) are live; " + remedy
        }
        return nil
    }

    private static func median(_ values: [UInt64]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : Double(sorted[sorted.count / 2])
    }
}

extension Recording {
    /// In use by heap profiles at the first or the last of their snapshots; 0 without such profiles.
    func profiledBytes(at end: KeyPath<[RecordedSnapshot], RecordedSnapshot?>) -> UInt64 {
        processes.filter { $0.kind == .heapProfile }.reduce(0) { sum, process in
            sum + (snapshots.filter { $0.process == process.id }[keyPath: end]?.inUseBytes ?? 0)
        }
    }
}
