package import SiltRecording

extension Recording {
    /// Resident bytes of what still ran at the last snapshot of all, each process at its last look.
    package var residentBytes: UInt64 {
        let last = snapshots.lazy.map(\.timeNs).max() ?? 0
        return zip(processes, ProcessClock.all(of: self)).reduce(0) { sum, process in
            guard process.0.endNs ?? .max >= last else { return sum }
            return sum &+ (process.1.rows.last { $0.rssBytes != nil }?.rssBytes ?? 0)
        }
    }
}
