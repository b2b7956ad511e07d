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

    /// A site of which nothing is known.
    package static let nothing = SurvivorSeries(
        snapshots: 0,
        width: 1,
        bytes: [],
        counts: [],
        troughs: [],
        olderThanQuarter: [],
        olderThanHalf: [],
        baseline: 0,
        live: 0,
        peak: 0,
        drops: 0
    )
}
