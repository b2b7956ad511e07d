/// How far apart the snapshots of a process are: close together at first, so that a short program is seen as well.
///
/// Snapshots are numbered one by one, from 0, the baseline; a tick is the time from it to the next. The first 32 are a tick
/// apart, the next 16 two ticks, 16 more four, until the longest step is reached. So from the 16th on two of them are
/// never further apart than a sixteenth of the time so far, and the buckets of a `SliceHistory`, whose width in ticks doubles
/// at the same times, hold a snapshot each at least.
package struct SnapshotScale: Equatable, Sendable {
    /// In ticks, a power of two.
    package let maximumStep: UInt32
    private let doublings: UInt32

    private static let (fine, perDoubling): (UInt32, UInt32) = (32, 16)

    /// All of them equally far apart.
    package static let even = SnapshotScale(maximumStep: 1)

    /// The longest step is rounded down to a power of two.
    package init(maximumStep: UInt32) {
        doublings = UInt32(31 - max(1, min(maximumStep, 1 << 16)).leadingZeroBitCount)
        self.maximumStep = 1 << doublings
    }

    /// For a trace whose snapshots are so many seconds apart in the end.
    package init(period: Double) {
        let isFine = period >= Self.finestPeriod
        self.init(maximumStep: isFine ? UInt32(min(period / Self.finestTick, 65_536)) : 1)
    }

    /// Who asks for snapshots in shorter order gets them as they are.
    private static let finestPeriod = 0.5
    private static let finestTick = 0.01

    /// How many ticks after the baseline a snapshot is due.
    package func tick(of snapshot: UInt32) -> UInt32 {
        guard doublings > 0, snapshot > Self.fine else { return snapshot }
        let doubling = min(doublings, (snapshot - Self.fine - 1) / Self.perDoubling + 1)
        let before = Self.fine + Self.perDoubling * (doubling - 1)
        return Self.fine << (doubling - 1) &+ (snapshot - before) << doubling
    }

    /// Ticks from the snapshot before to this one.
    package func step(to snapshot: UInt32) -> UInt32 {
        snapshot == 0 ? 1 : tick(of: snapshot) - tick(of: snapshot - 1)
    }

    /// Seconds until that may be done again for a snapshot which took so much CPU: so many times as long.
    ///
    /// What a program does at its start is much at once, and a verdict needs snapshots over all of its life: the rest is never
    /// longer than half of the time that has passed.
    package static func rest(after cost: Double, share: Double, at time: Double) -> Double {
        min(share * cost, max(shortestRest, time / 2))
    }

    private static let shortestRest = 0.25
}
