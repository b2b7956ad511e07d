package import SiltRecording

/// What the program freed and its allocator did not give back to the kernel.
package enum Retention: Equatable, Sendable {
    /// RSS grew by so many bytes and the live heap did not.
    case grew(Double)
    /// RSS stayed at its height when the heap fell from its peak.
    case stayed(Double, live: Double, peak: UInt64)

    /// Less may be chance, in bytes and as a share of the RSS at the start.
    private static let minimumBytes = 8.0 * 1_048_576
    private static let minimumShare = 0.1
    /// The live heap may have grown by this share of the rise at most.
    private static let maximumLiveShare = 0.25
    /// RSS stays when it is more than this share of the heap's peak.
    private static let stayingShare = 0.8

    /// nil where there is none, or with too few snapshots; `rows`: those of one process that have an RSS.
    package init?(_ rows: [RecordedSnapshot]) {
        guard rows.count >= SiteOpinion.minimumSnapshots else { return nil }
        let quarter = max(1, rows.count / 4)
        let rssStart = Self.median(rows.prefix(quarter).map { $0.rssBytes ?? 0 })
        let rssEnd = Self.median(rows.suffix(quarter).map { $0.rssBytes ?? 0 })
        let heapStart = Self.median(rows.prefix(quarter).map(\.inUseBytes))
        let heapEnd = Self.median(rows.suffix(quarter).map(\.inUseBytes))
        let heapPeak = rows.map(\.inUseBytes).max() ?? 0
        let risen = rssEnd - rssStart
        if risen > max(Self.minimumBytes, rssStart * Self.minimumShare),
            heapEnd - heapStart < risen * Self.maximumLiveShare
        {
            self = .grew(risen)
        } else if Double(heapPeak) - heapEnd > max(Self.minimumBytes, heapEnd),
            rssEnd > Self.stayingShare * Double(heapPeak)
        {
            self = .stayed(rssEnd, live: heapEnd, peak: heapPeak)
        } else {
            return nil
        }
    }

    private static func median(_ values: [UInt64]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : Double(sorted[sorted.count / 2])
    }
}
