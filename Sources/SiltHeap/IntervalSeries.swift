/// What a hunt knows of one site: a value per interval, which is a round of load or a slice of an idle phase.
///
/// Intervals are numbered from 1 (index 0); what was alive at the baseline belongs to none. All of it adds up over stacks
/// and processes.
package struct IntervalSeries: Equatable, Sendable {
    /// Blocks, and their bytes, that live now, by the interval of their birth.
    package var counts: [Double]
    package var bytes: [Double]
    /// Live bytes at the baseline and at each interval's end: one value more than there are intervals.
    package var live: [Double]
    /// Live bytes at each interval's end that were born before the interval, the baseline included.
    package var old: [Double]

    package init(counts: [Double], bytes: [Double], live: [Double], old: [Double]) {
        self.counts = counts
        self.bytes = bytes
        self.live = live
        self.old = old
    }
}
