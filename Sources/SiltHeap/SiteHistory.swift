/// The survivors of one site, or of a group of sites, by the time slice they were born in.
///
/// Snapshot 0 is the baseline, interval i ends with snapshot i. Intervals are gathered into at most 32 equally wide
/// buckets: when a 33rd is needed, neighbors merge and the width doubles. Idle stretches cost nothing until the site
/// moves again, or is looked at. Memory: 20 bytes a bucket, 640 when all are used, and some 100 beside them.
///
/// A hunt keeps its intervals: they differ in length and meaning, so each has a bucket of its own, and the snapshot at
/// which the hunt began is the baseline.
package struct SiteHistory: Equatable, Sendable {
    package static let bucketLimit = 32
    /// Intervals that can be kept; what comes after them counts as born in the last.
    package static let keptLimit = 4096

    /// Five numbers a bucket, one after the other.
    enum Column: Int, CaseIterable {
        /// Live now, by the bucket of their birth.
        case bornBytes
        case bornCount
        /// Least live bytes at the snapshots of a bucket.
        case trough
        /// At a bucket's end: live bytes older than a quarter, and than half, of the run.
        ///
        /// Where intervals are kept: born before this one, and nothing.
        case olderThanQuarter
        case olderThanHalf
    }

    private static let stride = Column.allCases.count

    /// The interval whose snapshot is the baseline of a history that keeps its intervals; nil: they are merged.
    package internal(set) var keptSince: UInt32?
    /// False where only live bytes are known, as of heap profiles: nothing is known of who was born when.
    package internal(set) var hasBirths = true
    /// Snapshots in a bucket.
    var width: UInt32 = 1
    /// Bits the byte columns have lost at the low end: 0 until one of them passes 4 GiB.
    var shift: UInt32 = 0
    /// Live bytes and blocks born before the baseline.
    var baseBytes: UInt64 = 0
    var baseCount: UInt64 = 0
    private var cells: [UInt32] = []
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
        take(0, baselineBytes)
        catchUp(before: interval + 1)
    }

    /// A history that keeps the intervals after one, at whose end it held just these blocks.
    package init(keptSince interval: UInt32, bytes: UInt64, count: UInt64) {
        keptSince = interval
        baseBytes = bytes
        baseCount = count
        take(0, bytes)
    }

    /// A history of live bytes alone: at the baseline of a hunt, and then at the end of each interval.
    package init(liveBytes: [UInt64]) {
        self.init(keptSince: 0, bytes: liveBytes.first ?? 0, count: 0)
        hasBirths = false
        for (index, bytes) in liveBytes.dropFirst().enumerated() {
            close(interval: UInt32(index + 1), liveBytes: bytes)
        }
    }

    /// Intervals since the baseline.
    private func number(_ interval: UInt32) -> UInt32 {
        guard let keptSince else { return interval }
        return interval - min(interval, keptSince)
    }

    /// Blocks born in an interval are alive: at the snapshot that ends it, or again after a failed realloc.
    package mutating func survived(bytes: UInt64, count: UInt64, born birth: UInt32) {
        let interval = number(birth)
        if interval == 0 {
            baseBytes += bytes
            baseCount += count
            return
        }
        let bucket = makeBucket(for: interval)
        add(bytes, .bornBytes, bucket)
        add(count, .bornCount, bucket)
    }

    /// Blocks born in an earlier interval were freed, in the interval after the last one that was closed.
    package mutating func died(bytes: UInt64, count: UInt64, born birth: UInt32) {
        let interval = number(birth)
        if interval == 0 {
            baseBytes -= min(baseBytes, bytes)
            baseCount -= min(baseCount, count)
            return
        }
        let bucket = makeBucket(for: interval)
        let left = value(.bornBytes, bucket)
        set(left - min(left, rounded(bytes)), .bornBytes, bucket)
        let blocks = value(.bornCount, bucket)
        set(blocks - min(blocks, count), .bornCount, bucket)
    }

    /// Takes in a snapshot; those without a call were like the one before.
    package mutating func close(interval: UInt32, liveBytes: UInt64) {
        let interval = number(interval)
        catchUp(before: interval)
        take(interval, liveBytes)
    }

    /// The history as it stands after a snapshot, for the judge.
    package func series(atSnapshot interval: UInt32) -> SurvivorSeries {
        var copy = self
        copy.catchUp(before: interval + 1)
        let full = Int(max(0, copy.snapshot)) / Int(copy.width)
        func padded(_ column: Column) -> [Double] {
            (0..<full).map { $0 < copy.bucketCount ? Double(copy.value(column, $0)) : 0 }
        }
        return SurvivorSeries(
            snapshots: Int(max(0, copy.snapshot)),
            width: Int(copy.width),
            bytes: padded(.bornBytes),
            counts: padded(.bornCount),
            troughs: padded(.trough),
            olderThanQuarter: padded(.olderThanQuarter),
            olderThanHalf: padded(.olderThanHalf),
            baseline: Double(copy.baseline),
            live: Double(copy.live),
            peak: Double(copy.peak),
            drops: Int(copy.drops)
        )
    }

    /// The first so many intervals of a hunt, for its judges; nil unless the history keeps its intervals.
    package func intervals(_ count: Int) -> IntervalSeries? {
        guard keptSince != nil else { return nil }
        var copy = self
        let last = UInt32(min(max(0, count), SiteHistory.keptLimit))
        copy.catchUp(before: last + 1)
        func padded(_ column: Column) -> [Double] {
            (0..<Int(last)).map { $0 < copy.bucketCount ? Double(copy.value(column, $0)) : 0 }
        }
        return IntervalSeries(
            counts: padded(.bornCount),
            bytes: padded(.bornBytes),
            live: [Double(copy.baseline)] + padded(.trough),
            old: padded(.olderThanQuarter)
        )
    }

    /// Live bytes that were born after the baseline.
    package var survivorBytes: UInt64 { (0..<bucketCount).reduce(0) { $0 + value(.bornBytes, $1) } }

    /// Live blocks that were born after the baseline.
    package var survivorCount: UInt64 { (0..<bucketCount).reduce(0) { $0 + value(.bornCount, $1) } }

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
        set(isFirst ? bytes : min(value(.trough, bucket), bytes), .trough, bucket)
        if interval % width == 0 { age(bucket) }
    }

    /// What is old at a bucket's end.
    private mutating func age(_ bucket: Int) {
        if keptSince != nil {
            let own = value(.bornBytes, bucket)
            return set(live - min(live, own), .olderThanQuarter, bucket)
        }
        let number = bucket + 1
        var bytes = baseBytes
        for earlier in 0..<number * 3 / 4 {
            if earlier == number / 2 { set(bytes, .olderThanHalf, bucket) }
            bytes &+= value(.bornBytes, earlier)
        }
        if number * 3 / 4 <= number / 2 { set(bytes, .olderThanHalf, bucket) }
        set(bytes, .olderThanQuarter, bucket)
    }

    private mutating func makeBucket(for interval: UInt32) -> Int {
        if keptSince == nil { while Int((interval - 1) / width) >= SiteHistory.bucketLimit { mergePairs() } }
        let bucket = min(Int((interval - 1) / width), SiteHistory.keptLimit - 1)
        while bucketCount <= bucket { appendBucket() }
        return bucket
    }

    private mutating func mergePairs() {
        let count = bucketCount
        let old = self
        cells.removeAll(keepingCapacity: true)
        for bucket in 0..<(count + 1) / 2 {
            appendBucket()
            let first = 2 * bucket
            let second = min(first + 1, count - 1)
            for column in Column.allCases {
                let (a, b) = (old.value(column, first), old.value(column, second))
                switch column {
                case .bornBytes, .bornCount: set(second > first ? a + b : a, column, bucket)
                case .trough: set(min(a, b), column, bucket)
                case .olderThanQuarter, .olderThanHalf: set(b, column, bucket)
                }
            }
        }
        width *= 2
    }

    /// The history of both together, at the later of their last snapshots.
    ///
    /// Births and old bytes add up exactly. Troughs are sums of troughs: a lower bound of the sum's own.
    package func adding(_ other: SiteHistory) -> SiteHistory {
        var first = self
        first.add(other)
        return first
    }

    /// Becomes the history of both together, as `adding` says.
    ///
    /// Both merge their intervals, or keep those of one hunt: they began it at snapshots of different numbers when one
    /// process was traced longer than the other.
    package mutating func add(_ other: SiteHistory) {
        precondition((keptSince == nil) == (other.keptSince == nil), "one history merges its intervals, one keeps them")
        hasBirths = hasBirths && other.hasBirths
        var second = other
        let last = UInt32(max(snapshot, second.snapshot, 0))
        catchUp(before: last + 1)
        second.catchUp(before: last + 1)
        while width < second.width { mergePairs() }
        while second.width < width { second.mergePairs() }
        baseBytes &+= second.baseBytes
        baseCount &+= second.baseCount
        while bucketCount < second.bucketCount { appendBucket() }
        for bucket in 0..<second.bucketCount {
            for column in Column.allCases { add(second.value(column, bucket), column, bucket) }
        }
        baseline &+= second.baseline
        live &+= second.live
        peak &+= second.peak
        drops = max(drops, second.drops)
    }

    // MARK: Buckets

    var bucketCount: Int { cells.count / SiteHistory.stride }

    @inline(__always)
    func value(_ column: Column, _ bucket: Int) -> UInt64 {
        let cell = UInt64(cells[bucket * SiteHistory.stride + column.rawValue])
        return column == .bornCount ? cell : cell << UInt64(shift)
    }

    @inline(__always)
    mutating func set(_ value: UInt64, _ column: Column, _ bucket: Int) {
        if column == .bornCount {
            cells[bucket * SiteHistory.stride + column.rawValue] = UInt32(clamping: value)
            return
        }
        while value >> UInt64(shift) > UInt64(UInt32.max) { coarsen() }
        cells[bucket * SiteHistory.stride + column.rawValue] = UInt32(value >> UInt64(shift))
    }

    @inline(__always)
    private mutating func add(_ amount: UInt64, _ column: Column, _ bucket: Int) {
        let amount = column == .bornCount ? amount : rounded(amount)
        set(value(column, bucket) &+ amount, column, bucket)
    }

    /// As the byte columns can hold it.
    @inline(__always)
    private func rounded(_ bytes: UInt64) -> UInt64 {
        guard shift > 0 else { return bytes }
        let half = UInt64(1) << UInt64(shift - 1)
        return ((bytes &+ half) >> UInt64(shift)) << UInt64(shift)
    }

    private mutating func appendBucket() {
        if cells.count == cells.capacity {
            let limit = keptSince == nil ? SiteHistory.bucketLimit : SiteHistory.keptLimit
            cells.reserveCapacity(min(max(4, 2 * bucketCount), limit) * SiteHistory.stride)
        }
        for _ in 0..<SiteHistory.stride { cells.append(0) }
    }

    /// Halves the resolution of all byte columns.
    private mutating func coarsen() {
        shift += 1
        for index in cells.indices where index % SiteHistory.stride != Column.bornCount.rawValue { cells[index] >>= 1 }
    }
}

extension SiteHistory {
    /// Buckets full of zeroes, to be `set`: what a decoder starts from.
    mutating func makeBuckets(_ count: Int) {
        cells = Array(repeating: 0, count: count * SiteHistory.stride)
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
