package import SiltRecording

extension HeapReport {
    /// What the target may use, what is left of it at the end, and by how much pages outgrow blocks.
    var memoryLimit: (bytes: UInt64, left: Int64, overhead: Double)? {
        guard let bytes = limitBytes else { return nil }
        let rows = recording.snapshots.filter { ($0.rssBytes ?? 0) > 0 }
        guard let first = rows.min(by: { $0.timeNs < $1.timeNs }), let last = rows.max(by: { $0.timeNs < $1.timeNs }),
            let start = first.rssBytes, let used = last.rssBytes
        else { return nil }
        // A limit counts pages, a site blocks: what the allocator takes besides grows with them.
        let gained =
            Double(last.inUseBytes) - Double(first.inUseBytes)
            + Double(recording.profiledBytes(at: \.last)) - Double(recording.profiledBytes(at: \.first))
        let overhead = (Double(used) - Double(start)) / gained
        let isKnown = gained >= Self.minimumGain
        return (
            bytes, Int64(clamping: bytes) - Int64(clamping: used),
            isKnown ? min(Self.maximumOverhead, max(1, overhead)) : 1
        )
    }

    /// What grew less says nothing of the overhead, and a larger one has other reasons than the blocks.
    private static let minimumGain = 1_048_576.0
    private static let maximumOverhead = 3.0
}

extension Recording {
    /// In use by heap profiles at the first or the last of their snapshots; 0 without such profiles.
    package func profiledBytes(at end: KeyPath<[RecordedSnapshot], RecordedSnapshot?>) -> UInt64 {
        processes.filter { $0.isProfiled }.reduce(0) { sum, process in
            sum &+ (snapshots.filter { $0.process == process.id }[keyPath: end]?.inUseBytes ?? 0)
        }
    }
}
