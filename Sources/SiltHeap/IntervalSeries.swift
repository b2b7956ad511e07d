/// What is known of one site, or of a group of sites, by the intervals of a hunt: every number adds up over stacks.
///
/// Intervals are numbered 1...n over the whole hunt: rounds of a route, or slices of an idle phase. 0 is the baseline.
/// Element i of `counts`, `bytes` and `old` belongs to interval i + 1, element i of `live` to the end of interval i.
package struct IntervalSeries: Equatable, Sendable {
    /// Blocks and bytes live now, by the interval they were born in.
    package var counts: [Double]
    package var bytes: [Double]
    /// Live bytes at the baseline and at each interval's end: one more than there are intervals.
    package var live: [Double]
    /// Live bytes at each interval's end that were born in an earlier one, before the baseline included.
    package var old: [Double]

    package init(counts: [Double], bytes: [Double], live: [Double], old: [Double]) {
        precondition(
            bytes.count == counts.count && old.count == counts.count && live.count == counts.count + 1,
            "the columns of a series are of different lengths"
        )
        self.counts = counts
        self.bytes = bytes
        self.live = live
        self.old = old
    }

    /// A series of so many intervals in which nothing was.
    package static func nothing(_ count: Int) -> IntervalSeries {
        let zeros = [Double](repeating: 0, count: count)
        return IntervalSeries(counts: zeros, bytes: zeros, live: zeros + [0], old: zeros)
    }

    /// The series of both together, over the same intervals.
    package mutating func add(_ other: IntervalSeries) {
        precondition(other.counts.count == counts.count, "the series are of different hunts")
        for index in counts.indices {
            counts[index] += other.counts[index]
            bytes[index] += other.bytes[index]
            old[index] += other.old[index]
        }
        for index in live.indices { live[index] += other.live[index] }
    }
}
