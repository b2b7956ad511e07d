package import SiltRecording

extension HeapReport {
    /// What the target may use, and what is left of it at the end.
    package var memoryLimit: (bytes: UInt64, left: Int64, overhead: Double)? {
        guard let bytes = options.limitBytes ?? recording.memoryLimit else { return nil }
        let rows = recording.snapshots.filter { ($0.rssBytes ?? 0) > 0 }
        guard let first = rows.min(by: { $0.timeNs < $1.timeNs }), let last = rows.max(by: { $0.timeNs < $1.timeNs }),
            let start = first.rssBytes, let used = last.rssBytes
        else { return nil }
        // A limit counts pages, a site blocks: what the allocator takes besides grows with them.
        let gained =
            Double(last.inUseBytes) - Double(first.inUseBytes)
            + Double(recording.profiledBytes(at: \.last)) - Double(recording.profiledBytes(at: \.first))
        let overhead = gained < 1_048_576 ? 1 : min(3, max(1, (Double(used) - Double(start)) / gained))
        return (bytes, Int64(clamping: bytes) - Int64(clamping: used), overhead)
    }
}

extension Recording {
    /// In use by heap profiles at the first or the last of their snapshots; 0 without such profiles.
    package func profiledBytes(at end: KeyPath<[RecordedSnapshot], RecordedSnapshot?>) -> UInt64 {
        processes.filter { $0.kind == .heapProfile }.reduce(0) { sum, process in
            sum + (snapshots.filter { $0.process == process.id }[keyPath: end]?.inUseBytes ?? 0)
        }
    }
}
