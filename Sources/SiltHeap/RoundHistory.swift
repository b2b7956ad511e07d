/// The survivors of one site, or of a group of sites, by the interval of a hunt they were born in.
///
/// Intervals are rounds of a route or slices of idle time: they differ in length and meaning, so each has a bucket of its
/// own. They are numbered from 1; 0 is all that was before the baseline, the snapshot at which the hunt began.
package struct RoundHistory: Equatable, Sendable {
    /// Intervals that can be kept; what comes after them counts as born in the last.
    package static let limit = 4096

    enum Column: Int, HistoryColumn {
        /// Live now, by the interval of their birth.
        case bornBytes
        case bornCount
        /// Live bytes at an interval's end, and those of them born in an earlier one.
        case live
        case old
    }

    /// False where only live bytes are known, as of heap profiles: nothing is known of who was born when.
    package internal(set) var hasBirths = true
    var baseline: UInt64
    var live: UInt64
    /// The last interval that was closed.
    package internal(set) var closed = 0
    var buckets = HistoryBuckets<Column>()

    /// A site that holds these bytes at the baseline.
    package init(baseline: UInt64) {
        self.baseline = baseline
        live = baseline
    }

    /// A history of live bytes alone: at the baseline of a hunt, and then at the end of each interval.
    package init(liveBytes: [UInt64]) {
        self.init(baseline: liveBytes.first ?? 0)
        hasBirths = false
        for (index, bytes) in liveBytes.dropFirst().enumerated() { close(interval: index + 1, liveBytes: bytes) }
    }

    /// Blocks born in an interval are alive: at the snapshot that ends it, or again after a failed realloc.
    mutating func survived(bytes: UInt64, count: UInt64, born interval: Int) {
        guard interval > 0 else { return }
        buckets.addBorn(bytes, count, makeBucket(for: interval))
    }

    /// Blocks born in an earlier interval were freed, in the interval after the last one that was closed.
    mutating func died(bytes: UInt64, count: UInt64, born interval: Int) {
        guard interval > 0 else { return }
        buckets.subtractBorn(bytes, count, makeBucket(for: interval))
    }

    /// An interval has ended; those without a call ended with the live bytes of the one before.
    mutating func close(interval: Int, liveBytes: UInt64) {
        catchUp(to: interval - 1)
        guard interval > closed else { return }
        live = liveBytes
        closed = interval
        let bucket = makeBucket(for: interval)
        buckets.set(live, .live, bucket)
        buckets.set(live - min(live, buckets.value(.bornBytes, bucket)), .old, bucket)
    }

    /// The first so many intervals, for the judges.
    package func series(intervals: Int) -> IntervalSeries {
        var copy = self
        let count = min(max(0, intervals), Self.limit)
        copy.catchUp(to: count)
        return IntervalSeries(
            counts: copy.buckets.values(.bornCount, count),
            bytes: copy.buckets.values(.bornBytes, count),
            live: [Double(baseline)] + copy.buckets.values(.live, count),
            old: copy.buckets.values(.old, count)
        )
    }

    /// Becomes the history of both together, of two that are of the same hunt.
    package mutating func add(_ other: RoundHistory) {
        hasBirths = hasBirths && other.hasBirths
        var second = other
        catchUp(to: second.closed)
        second.catchUp(to: closed)
        buckets.add(second.buckets, limit: Self.limit)
        baseline &+= second.baseline
        live &+= second.live
    }

    /// The same by longer intervals: `places` are the ones, from 1 and never falling, that intervals 1, 2 … belong to; 0: to
    /// what was before the baseline.
    ///
    /// What came later is left out, and so is what came after `limit` intervals. Of what was born in an interval only the last
    /// survivors are known, so what is old at its end may be a little too much.
    package func regrouped(_ places: [Int]) -> RoundHistory {
        let places = places.prefix(Self.limit)
        let series = series(intervals: places.count)
        var result = RoundHistory(baseline: baseline)
        result.hasBirths = hasBirths
        for (index, place) in places.enumerated() {
            let count = UInt64(series.counts[index])
            if count > 0 { result.survived(bytes: UInt64(series.bytes[index]), count: count, born: place) }
            guard index + 1 == places.count || places[index + 1] > place else { continue }
            if place == 0 {
                (result.baseline, result.live) = (UInt64(series.live[index + 1]), UInt64(series.live[index + 1]))
            }
            result.close(interval: place, liveBytes: UInt64(series.live[index + 1]))
        }
        return result
    }

    private mutating func catchUp(to interval: Int) {
        while closed < interval { close(interval: closed + 1, liveBytes: live) }
    }

    private mutating func makeBucket(for interval: Int) -> Int {
        let bucket = min(interval, Self.limit) - 1
        buckets.append(upTo: bucket + 1, limit: Self.limit)
        return bucket
    }
}
