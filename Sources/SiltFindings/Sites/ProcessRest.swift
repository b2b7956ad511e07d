internal import SiltHeap
internal import SiltRecording

/// That a process allocates hardly anything at the end, as when nothing is asked of it any more: what grew until then has not
/// stopped by itself.
struct ProcessRest {
    /// When it began, as histories are asked with it.
    let tick: UInt32
    let seconds: Double
    /// It is short beside the time before: what was seen then stands.
    let isShort: Bool
    /// Nothing could come any more, since all that the process may have was taken.
    var isByLimit = false

    /// Allocations a second, as a share of what they were.
    private static let quietShare = 0.02
    /// In less time a program starts, and rests when it has.
    private static let minimumSeconds = 8.0
    /// Of the time before: longer than that is no pause at the end, or says that it was a start.
    private static let (shortShare, maximumShare) = (0.25, 1.0)

    init?(_ rows: ArraySlice<RecordedSnapshot>, _ scale: SnapshotScale) {
        guard let first = rows.first, let last = rows.last, last.allocatedCount > first.allocatedCount,
            last.timeNs > first.timeNs
        else { return nil }
        func seconds(_ one: RecordedSnapshot, _ other: RecordedSnapshot) -> Double {
            Double(other.timeNs &- one.timeNs) / 1e9
        }
        let rate = Double(last.allocatedCount - first.allocatedCount) / seconds(first, last)
        let start = rows.dropLast().first { row in
            Double(last.allocatedCount &- row.allocatedCount) <= Self.quietShare * rate * seconds(row, last)
        }
        guard let start, seconds(first, start) >= Self.minimumSeconds,
            seconds(start, last) <= Self.maximumShare * seconds(first, start)
        else { return nil }
        tick = scale.tick(of: start.snapshot)
        self.seconds = seconds(start, last)
        isShort = self.seconds <= Self.shortShare * seconds(first, start)
    }

    /// From the last snapshot before a process had as many descriptors open as it may; nil: it never did, or from the start.
    init?(_ rows: ArraySlice<RecordedSnapshot>, _ scale: SnapshotScale, _ limit: DescriptorLimit?) {
        guard let fullNs = limit?.fullNs, let start = rows.last(where: { $0.timeNs < fullNs }), let last = rows.last
        else { return nil }
        tick = scale.tick(of: start.snapshot)
        seconds = Double(last.timeNs &- start.timeNs) / 1e9
        (isShort, isByLimit) = (true, true)
    }

    /// When that site came to rest: a limit is seen to be reached at the next look, which may come late, and the last that
    /// stayed came before.
    func end(of series: SurvivorSeries) -> UInt32 {
        guard isByLimit, let last = series.counts.lastIndex(where: { $0 > 0 }) else { return tick }
        return min(tick, UInt32((last + 1) * series.width))
    }
}
