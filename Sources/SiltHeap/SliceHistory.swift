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

    /// Snapshots in a bucket: a power of two.
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
        buckets.addBorn(bytes, count, makeBucket(for: interval))
    }

    /// Blocks born in an earlier interval were freed, in the interval after the last one that was closed.
    package mutating func died(bytes: UInt64, count: UInt64, born interval: UInt32) {
        guard interval > 0 else {
            baseBytes -= min(baseBytes, bytes)
            baseCount -= min(baseCount, count)
            return
        }
        buckets.subtractBorn(bytes, count, makeBucket(for: interval))
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

    /// Live bytes and blocks by the bucket of their birth, as in the series at that snapshot, without what takes longer.
    package func births(atSnapshot interval: UInt32) -> (bytes: [Double], counts: [Double]) {
        var wanted = width
        while interval > 0, (interval - 1) / wanted >= UInt32(Self.limit) { wanted *= 2 }
        let joined = Int(wanted / width)
        let ranges = (0..<Int(interval / wanted)).map { bucket in
            (bucket * joined..<(bucket + 1) * joined).clamped(to: 0..<buckets.count)
        }
        return (
            ranges.map { Double(buckets.sum(.bornBytes, $0)) }, ranges.map { Double(buckets.sum(.bornCount, $0)) }
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
            // The baseline, or the first snapshot for which buckets have to be wider.
            take(UInt32(snapshot + 1), live)
            standStill(until: UInt32(min(Int64(interval) - 1, Int64(width) * Int64(Self.limit))))
        }
    }

    /// The snapshots up to one for which the buckets are wide enough were like the last.
    private mutating func standStill(until end: UInt32) {
        guard end > 0, snapshot < Int64(end) else { return }
        let (first, last) = (Int(UInt32(snapshot) / width), Int((end - 1) / width))
        let isWithin = UInt32(snapshot) % width > 0
        buckets.append(upTo: last + 1, limit: Self.limit)
        let born = buckets.runningSums(.bornBytes)
        for bucket in first...last {
            let isLower = !isWithin || bucket > first || live < buckets.value(.trough, bucket)
            if isLower { buckets.set(live, .trough, bucket) }
            if bucket < last || end % width == 0 { age(bucket, born) }
        }
        snapshot = Int64(end)
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
        if interval % width == 0 { age(bucket, buckets.runningSums(.bornBytes)) }
    }

    /// What is old at a bucket's end; `born`: the running sums of what was born.
    private mutating func age(_ bucket: Int, _ born: [UInt64]) {
        let number = bucket + 1
        buckets.set(baseBytes &+ born[number / 2], .olderThanHalf, bucket)
        buckets.set(baseBytes &+ born[number * 3 / 4], .olderThanQuarter, bucket)
    }

    @inline(__always)
    private mutating func makeBucket(for interval: UInt32) -> Int {
        let bucket = bucket(of: interval)
        return bucket < buckets.count ? bucket : makeNewBucket(for: interval)
    }

    @inline(never)
    private mutating func makeNewBucket(for interval: UInt32) -> Int {
        while bucket(of: interval) >= Self.limit { mergePairs() }
        buckets.append(upTo: bucket(of: interval) + 1, limit: Self.limit)
        return bucket(of: interval)
    }

    /// `width` is a power of two.
    private func bucket(of interval: UInt32) -> Int { Int((interval - 1) >> UInt32(width.trailingZeroBitCount)) }

    private mutating func mergePairs() {
        buckets.joinPairs { column, first, second in
            switch column {
            case .bornBytes, .bornCount: first &+ second
            case .trough: min(first, second)
            case .olderThanQuarter, .olderThanHalf: second
            }
        }
        width *= 2
    }
}
