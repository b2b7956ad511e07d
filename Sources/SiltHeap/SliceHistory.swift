/// The survivors of one site, or of a group of sites, by the time slice of a free run they were born in.
///
/// Snapshot 0 is the baseline, interval i ends with snapshot i. Where snapshots are not equally far apart, intervals are the
/// ticks of their `SnapshotScale`. Intervals are gathered into at most 32 equally wide
/// buckets: when a 33rd is needed, neighbors merge and the width doubles. Idle stretches cost nothing until the site
/// moves again, or is looked at. Memory: 20 bytes a bucket, 640 when all are used, and some 100 beside them.
package struct SliceHistory: Equatable, Sendable {
    /// A drop is a fall by more than one part in so many of the peak.
    package static let dropPart: UInt64 = 5
    static let limit = 32

    enum Column: Int, HistoryColumn {
        /// Live now, by the bucket of their birth.
        case bornBytes
        case bornCount
        /// Least live bytes at the snapshots of a bucket.
        case trough
        /// At a bucket's end: live bytes older than a quarter, and than half, of the run.
        case olderThanQuarter
        case olderThanHalf
    }

    /// Snapshots in a bucket.
    var width: UInt32 = 1
    /// Live bytes and blocks born before the baseline.
    var baseBytes: UInt64
    var baseCount: UInt64
    var baseline: UInt64 = 0
    var live: UInt64 = 0
    var peak: UInt64 = 0
    var drops: UInt32 = 0
    /// The last snapshot that was taken in; -1 before the baseline.
    var snapshot: Int64 = -1
    var buckets = HistoryBuckets<Column>()

    /// A site that held just these bytes, born before the baseline, at every snapshot up to that of the interval.
    package init(baselineBytes: UInt64, baselineCount: UInt64, interval: UInt32) {
        baseBytes = baselineBytes
        baseCount = baselineCount
        (baseline, live, peak) = (baselineBytes, baselineBytes, baselineBytes)
        snapshot = Int64(interval)
        guard interval > 0 else { return }
        while (interval - 1) / width >= UInt32(Self.limit) { width *= 2 }
        buckets.append(upTo: Int((interval - 1) / width) + 1, limit: Self.limit)
        let full = Int(interval / width)
        for bucket in 0..<buckets.count {
            buckets.set(baselineBytes, .trough, bucket)
            guard bucket < full else { break }
            buckets.set(baselineBytes, .olderThanQuarter, bucket)
            buckets.set(baselineBytes, .olderThanHalf, bucket)
        }
    }

    /// Blocks born in an interval are alive: at the snapshot that ends it, or again after a failed realloc.
    package mutating func survived(bytes: UInt64, count: UInt64, born interval: UInt32) {
        guard interval > 0 else {
            baseBytes &+= bytes
            baseCount &+= count
            return
        }
        let bucket = makeBucket(for: interval)
        buckets.add(bytes, .bornBytes, bucket)
        buckets.add(count, .bornCount, bucket)
    }

    /// Blocks born in an earlier interval were freed, in the interval after the last one that was closed.
    package mutating func died(bytes: UInt64, count: UInt64, born interval: UInt32) {
        guard interval > 0 else {
            baseBytes -= min(baseBytes, bytes)
            baseCount -= min(baseCount, count)
            return
        }
        let bucket = makeBucket(for: interval)
        buckets.subtract(bytes, .bornBytes, bucket)
        buckets.subtract(count, .bornCount, bucket)
    }

    /// Takes in a snapshot; those without a call were like the one before.
    ///
    /// `step`: intervals since the snapshot before, in between which nobody looked.
    package mutating func close(interval: UInt32, liveBytes: UInt64, step: UInt32 = 1) {
        catchUp(before: interval - min(interval, step - 1))
        if step > 1, interval > 0 { snapshot = max(snapshot, Int64(interval) - 1) }
        take(interval, liveBytes, step: step)
    }

    /// The history up to a snapshot, for the judge: of what was born by then, what lives as long as the history goes.
    package func series(atSnapshot interval: UInt32) -> SurvivorSeries {
        var copy = self
        copy.catchUp(before: interval + 1)
        let snapshots = min(Int(interval), Int(max(0, copy.snapshot)))
        let full = snapshots / Int(copy.width)
        let goesOn = Int64(snapshots) < copy.snapshot
        let troughs = copy.buckets.values(.trough, full)
        return SurvivorSeries(
            snapshots: snapshots,
            width: Int(copy.width),
            bytes: copy.buckets.values(.bornBytes, full),
            counts: copy.buckets.values(.bornCount, full),
            troughs: troughs,
            olderThanQuarter: copy.buckets.values(.olderThanQuarter, full),
            olderThanHalf: copy.buckets.values(.olderThanHalf, full),
            baseline: Double(copy.baseline),
            live: goesOn ? troughs.last ?? Double(copy.baseline) : Double(copy.live),
            peak: Double(copy.peak),
            drops: Int(copy.drops)
        )
    }

    /// Becomes the history of both together, at the later of their last snapshots.
    ///
    /// Births and old bytes add up exactly. Troughs are sums of troughs: a lower bound of the sum's own.
    package mutating func add(_ other: SliceHistory) {
        var second = other
        let last = UInt32(max(snapshot, second.snapshot, 0))
        catchUp(before: last + 1)
        second.catchUp(before: last + 1)
        while width < second.width { mergePairs() }
        while second.width < width { second.mergePairs() }
        baseBytes &+= second.baseBytes
        baseCount &+= second.baseCount
        buckets.add(second.buckets, limit: Self.limit)
        baseline &+= second.baseline
        live &+= second.live
        peak &+= second.peak
        drops = max(drops, second.drops)
    }

    private mutating func catchUp(before interval: UInt32) {
        while snapshot + 1 < Int64(interval) {
            let next = UInt32(snapshot + 1)
            take(next, live)
            // The rest of its bucket at once.
            let end = next == 0 ? 0 : min(((next - 1) / width + 1) * width, interval - 1)
            guard end > next else { continue }
            snapshot = Int64(end)
            if end % width == 0 { age(Int((end - 1) / width)) }
        }
    }

    private mutating func take(_ interval: UInt32, _ bytes: UInt64, step: UInt32 = 1) {
        guard Int64(interval) > snapshot else { return }
        if peak > 0, live > bytes, live - bytes > peak / Self.dropPart { drops += 1 }
        peak = max(peak, bytes)
        live = bytes
        snapshot = Int64(interval)
        if interval == 0 {
            baseline = bytes
            return
        }
        let bucket = makeBucket(for: interval)
        // The bucket's first snapshot: the one before it was of an earlier bucket, or the baseline.
        let isFirst = (interval - 1) % width < step
        buckets.set(isFirst ? bytes : min(buckets.value(.trough, bucket), bytes), .trough, bucket)
        if interval % width == 0 { age(bucket) }
    }

    /// What is old at a bucket's end.
    private mutating func age(_ bucket: Int) {
        let number = bucket + 1
        let (half, quarter) = (number / 2, number * 3 / 4)
        let bytes = baseBytes &+ buckets.sum(.bornBytes, 0..<half)
        buckets.set(bytes, .olderThanHalf, bucket)
        buckets.set(bytes &+ buckets.sum(.bornBytes, half..<quarter), .olderThanQuarter, bucket)
    }

    private mutating func makeBucket(for interval: UInt32) -> Int {
        while Int((interval - 1) / width) >= Self.limit { mergePairs() }
        let bucket = Int((interval - 1) / width)
        buckets.append(upTo: bucket + 1, limit: Self.limit)
        return bucket
    }

    private mutating func mergePairs() {
        let old = buckets
        buckets.removeAll()
        buckets.append(upTo: (old.count + 1) / 2, limit: Self.limit)
        for bucket in 0..<buckets.count {
            let first = 2 * bucket
            let second = min(first + 1, old.count - 1)
            for column in Column.allCases {
                let (a, b) = (old.value(column, first), old.value(column, second))
                switch column {
                case .bornBytes, .bornCount: buckets.set(second > first ? a &+ b : a, column, bucket)
                case .trough: buckets.set(min(a, b), column, bucket)
                case .olderThanQuarter, .olderThanHalf: buckets.set(b, column, bucket)
                }
            }
        }
        width *= 2
    }
}
