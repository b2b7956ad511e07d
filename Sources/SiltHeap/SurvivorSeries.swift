/// The numbers a verdict rests on; arrays hold one value a full bucket, oldest first.
package struct SurvivorSeries: Equatable, Sendable {
    /// Snapshots after the baseline.
    package var snapshots = 0
    /// Snapshots in a bucket.
    package var width = 1
    /// Live now, by the bucket of their birth.
    package var bytes: [Double] = []
    package var counts: [Double] = []
    /// Least live bytes in a bucket.
    package var troughs: [Double] = []
    /// At a bucket's end: live bytes older than a quarter, and than half, of the run.
    package var olderThanQuarter: [Double] = []
    package var olderThanHalf: [Double] = []
    /// Live bytes at the baseline, now, and at most.
    package var baseline = 0.0
    package var live = 0.0
    package var peak = 0.0
    /// Snapshots at which live bytes fell by more than a fifth of the peak.
    package var drops = 0

    /// A site of which nothing is known.
    package static let nothing = SurvivorSeries()
}
