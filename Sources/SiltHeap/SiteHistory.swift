/// The survivors of one site, or of a group of sites, by the time slice they were born in.
///
/// Snapshot 0 is the baseline, interval i ends with snapshot i. Intervals are gathered into at most 32 equally wide
/// buckets: when a 33rd is needed, neighbours merge and the width doubles. Idle stretches cost nothing until the site
/// moves again, or is looked at.
package struct SiteHistory: Equatable, Sendable {
    package static let bucketLimit = 32

    /// Snapshots in a bucket.
    var width: UInt32 = 1
    /// Live bytes and blocks born before the baseline.
    var baseBytes: UInt64 = 0
    var baseCount: UInt64 = 0
    /// Live now, by the bucket of their birth.
    var bornBytes: [UInt64] = []
    var bornCount: [UInt64] = []
    /// Least live bytes at the snapshots of a bucket.
    var troughs: [UInt64] = []
    /// At a bucket's end: live bytes older than a quarter, and than half, of the run.
    var olderThanQuarter: [UInt64] = []
    var olderThanHalf: [UInt64] = []
    var baseline: UInt64 = 0
    var live: UInt64 = 0
    var peak: UInt64 = 0
    var drops: UInt32 = 0
    /// The last snapshot that was taken in; -1 before the baseline.
    var snapshot: Int64 = -1

    /// A site that held just these bytes, born before the baseline, at every snapshot up to that of the interval.
    package init(baselineBytes: UInt64, baselineCount: UInt64, interval: UInt32) {
        baseBytes = baselineBytes
        baseCount = baselineCount
        for snapshot in 0...interval { take(snapshot, baselineBytes) }
    }

    /// Blocks born in an interval are alive: at the snapshot that ends it, or again after a failed realloc.
    package mutating func survived(bytes: UInt64, count: UInt64, born interval: UInt32) {
        if interval == 0 {
            baseBytes += bytes
            baseCount += count
            return
        }
        let bucket = makeBucket(for: interval)
        bornBytes[bucket] += bytes
        bornCount[bucket] += count
    }

    /// Blocks born in an earlier interval were freed, in the interval after the last one that was closed.
    package mutating func died(bytes: UInt64, count: UInt64, born interval: UInt32) {
        if interval == 0 {
            baseBytes -= min(baseBytes, bytes)
            baseCount -= min(baseCount, count)
            return
        }
        let bucket = makeBucket(for: interval)
        bornBytes[bucket] -= min(bornBytes[bucket], bytes)
        bornCount[bucket] -= min(bornCount[bucket], count)
    }

    /// Takes in a snapshot; those without a call were like the one before.
    package mutating func close(interval: UInt32, liveBytes: UInt64) {
        catchUp(before: interval)
        take(interval, liveBytes)
    }

    /// The history as it stands after a snapshot, for the judge.
    package func series(atSnapshot interval: UInt32) -> SurvivorSeries {
        var copy = self
        copy.catchUp(before: interval + 1)
        let full = Int(max(0, copy.snapshot)) / Int(copy.width)
        func padded(_ values: [UInt64]) -> [Double] {
            (0..<full).map { $0 < values.count ? Double(values[$0]) : 0 }
        }
        return SurvivorSeries(
            snapshots: Int(max(0, copy.snapshot)),
            width: Int(copy.width),
            bytes: padded(copy.bornBytes),
            counts: padded(copy.bornCount),
            troughs: padded(copy.troughs),
            olderThanQuarter: padded(copy.olderThanQuarter),
            olderThanHalf: padded(copy.olderThanHalf),
            baseline: Double(copy.baseline),
            live: Double(copy.live),
            peak: Double(copy.peak),
            drops: Int(copy.drops)
        )
    }

    private mutating func catchUp(before interval: UInt32) {
        while snapshot + 1 < Int64(interval) { take(UInt32(snapshot + 1), live) }
    }

    private mutating func take(_ interval: UInt32, _ bytes: UInt64) {
        guard Int64(interval) > snapshot else { return }
        if peak > 0, live > bytes, (live - bytes) * 5 > peak { drops += 1 }
        peak = max(peak, bytes)
        live = bytes
        snapshot = Int64(interval)
        if interval == 0 {
            baseline = bytes
            return
        }
        let bucket = makeBucket(for: interval)
        let isFirst = (interval - 1) % width == 0
        troughs[bucket] = isFirst ? bytes : min(troughs[bucket], bytes)
        if interval % width == 0 {
            let number = bucket + 1
            olderThanQuarter[bucket] = bornBefore(number * 3 / 4)
            olderThanHalf[bucket] = bornBefore(number / 2)
        }
    }

    private func bornBefore(_ buckets: Int) -> UInt64 { bornBytes[..<buckets].reduce(baseBytes, +) }

    private mutating func makeBucket(for interval: UInt32) -> Int {
        while Int((interval - 1) / width) >= SiteHistory.bucketLimit { mergePairs() }
        let bucket = Int((interval - 1) / width)
        while bornBytes.count <= bucket {
            bornBytes.append(0)
            bornCount.append(0)
            troughs.append(0)
            olderThanQuarter.append(0)
            olderThanHalf.append(0)
        }
        return bucket
    }

    private mutating func mergePairs() {
        func merged(_ values: [UInt64], _ merge: (UInt64, UInt64) -> UInt64) -> [UInt64] {
            stride(from: 0, to: values.count, by: 2).map {
                $0 + 1 < values.count ? merge(values[$0], values[$0 + 1]) : values[$0]
            }
        }
        bornBytes = merged(bornBytes, +)
        bornCount = merged(bornCount, +)
        troughs = merged(troughs, min)
        olderThanQuarter = merged(olderThanQuarter) { $1 }
        olderThanHalf = merged(olderThanHalf) { $1 }
        width *= 2
    }

    /// The history of both together, at the later of their last snapshots.
    ///
    /// Births and old bytes add up exactly. Troughs are sums of troughs: a lower bound of the sum's own.
    package func adding(_ other: SiteHistory) -> SiteHistory {
        var first = self
        var second = other
        let last = UInt32(max(first.snapshot, second.snapshot, 0))
        first.catchUp(before: last + 1)
        second.catchUp(before: last + 1)
        while first.width < second.width { first.mergePairs() }
        while second.width < first.width { second.mergePairs() }
        func sum(_ a: [UInt64], _ b: [UInt64]) -> [UInt64] {
            (0..<max(a.count, b.count)).map { ($0 < a.count ? a[$0] : 0) + ($0 < b.count ? b[$0] : 0) }
        }
        first.baseBytes += second.baseBytes
        first.baseCount += second.baseCount
        first.bornBytes = sum(first.bornBytes, second.bornBytes)
        first.bornCount = sum(first.bornCount, second.bornCount)
        first.troughs = sum(first.troughs, second.troughs)
        first.olderThanQuarter = sum(first.olderThanQuarter, second.olderThanQuarter)
        first.olderThanHalf = sum(first.olderThanHalf, second.olderThanHalf)
        first.baseline += second.baseline
        first.live += second.live
        first.peak += second.peak
        first.drops = max(first.drops, second.drops)
        return first
    }
}

/// The numbers a verdict rests on; arrays hold one value a full bucket, oldest first.
package struct SurvivorSeries: Equatable, Sendable {
    /// Snapshots after the baseline.
    package var snapshots: Int
    /// Snapshots in a bucket.
    package var width: Int
    /// Live now, by the bucket of their birth.
    package var bytes: [Double]
    package var counts: [Double]
    /// Least live bytes in a bucket.
    package var troughs: [Double]
    /// At a bucket's end: live bytes older than a quarter, and than half, of the run.
    package var olderThanQuarter: [Double]
    package var olderThanHalf: [Double]
    /// Live bytes at the baseline, now, and at most.
    package var baseline: Double
    package var live: Double
    package var peak: Double
    /// Snapshots at which live bytes fell by more than a fifth of the peak.
    package var drops: Int

    package init(
        snapshots: Int,
        width: Int,
        bytes: [Double],
        counts: [Double],
        troughs: [Double],
        olderThanQuarter: [Double],
        olderThanHalf: [Double],
        baseline: Double,
        live: Double,
        peak: Double,
        drops: Int
    ) {
        self.snapshots = snapshots
        self.width = width
        self.bytes = bytes
        self.counts = counts
        self.troughs = troughs
        self.olderThanQuarter = olderThanQuarter
        self.olderThanHalf = olderThanHalf
        self.baseline = baseline
        self.live = live
        self.peak = peak
        self.drops = drops
    }
}
