package import SiltEvents
package import SiltRecording

extension Recording {
    /// What the resident memory of what still ran at the last snapshot of all is for, each process at its last look, and what
    /// each use rose by since its first one; nil where nobody looked.
    package var memoryParts: (now: MemoryUses<UInt64>, rise: MemoryUses<Double>)? {
        let last = snapshots.lazy.map(\.timeNs).max() ?? 0
        var (now, before) = (MemoryUses<UInt64>(), MemoryUses<UInt64>())
        for process in processes where process.endNs ?? .max >= last {
            guard let newest = memory.last(where: { $0.process == process.id }),
                let oldest = memory.first(where: { $0.process == process.id })
            else { continue }
            now += newest.bytes
            before += oldest.bytes
        }
        return now.sum == 0 ? nil : (now, now.rise(since: before))
    }

    /// Each look at what memory is for, with its time, by time.
    package var memoryLooks: [(timeNs: UInt64, look: RecordedMemory)] {
        var looks: [(timeNs: UInt64, look: RecordedMemory)] = []
        var next = 0
        // Both are by process, then by snapshot.
        for look in memory {
            func isBefore(_ row: RecordedSnapshot) -> Bool {
                (row.process, row.snapshot) < (look.process, look.snapshot)
            }
            while next < snapshots.count, isBefore(snapshots[next]) { next += 1 }
            guard next < snapshots.count, snapshots[next].process == look.process else { continue }
            looks.append((snapshots[next].timeNs, look))
        }
        return looks.sorted { $0.timeNs < $1.timeNs }
    }
}
