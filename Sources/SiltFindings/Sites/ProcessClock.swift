internal import SiltHeap
package import SiltRecording

/// The snapshots of one process: how many, how far apart, and what it weighed at them.
package struct ProcessClock {
    /// In `Recording.snapshots`.
    package let rows: ArraySlice<RecordedSnapshot>
    private let scale: SnapshotScale
    /// Seconds of the whole recording.
    private let traced: Double
    /// Rows that are equally far apart: fewer than there are ticks where the analyzer stood still for most of the time.
    package let even: Int
    /// Seconds between the two neighboring rows that are furthest apart.
    package let gap: Double
    /// At its end; nil: it allocates until then.
    private(set) var rest: ProcessRest?

    /// A process that ran for less says nothing; and it must be the program itself, not a job that it started.
    package static let minimumSeconds = 2.0
    private static let minimumShare = 0.5
    /// Share of the time.
    private static let maximumGap = 0.4

    /// Number of the last snapshot; the baseline has number 0.
    package var count: Int { Int(rows.last?.snapshot ?? 0) }

    /// Ticks until then, which histories count; as many as snapshots where these are equally far apart.
    package var ticks: Int { Int(scale.tick(of: UInt32(min(count, 1 << 30)))) }

    /// The same, as histories are asked with it.
    var lastTick: UInt32 { UInt32(min(ticks, 1 << 30)) }

    /// Snapshots if they had all been as far apart as the last ones.
    package var periods: Int { ticks / Int(scale.maximumStep) }

    /// Seconds from one tick to the next, on average; 0 before there are two.
    package var period: Double {
        guard let first = rows.first, let last = rows.last, last.snapshot > first.snapshot else { return 0 }
        return Double(last.timeNs &- first.timeNs) / 1e9
            / Double(scale.tick(of: last.snapshot) - scale.tick(of: first.snapshot))
    }

    /// Rows that are equally far apart in time, or nearly so.
    package var evenRows: [RecordedSnapshot] { Self.evenRows(rows, scale) }

    private static func evenRows(_ rows: ArraySlice<RecordedSnapshot>, _ scale: SnapshotScale) -> [RecordedSnapshot] {
        guard scale != .even else { return Array(rows) }
        let ticks = Int(scale.tick(of: min(rows.last?.snapshot ?? 0, 1 << 30)))
        let step = max(1, ticks / Self.evenParts)
        var result: [RecordedSnapshot] = []
        var next = 0
        for row in rows where Int(scale.tick(of: row.snapshot)) >= next {
            result.append(row)
            next = Int(scale.tick(of: row.snapshot)) + step
        }
        if let last = rows.last, let kept = result.last, kept.snapshot != last.snapshot {
            result[result.count - 1] = last
        }
        return result
    }

    private static let evenParts = 32

    package var seconds: Double {
        guard let first = rows.first, let last = rows.last else { return 0 }
        return Double(last.timeNs &- first.timeNs) / 1e9
    }

    /// The same, of a process of which nothing is to be said.
    var tooShort: ProcessClock { ProcessClock(rows: rows, scale: scale, traced: .infinity) }

    /// There are enough snapshots for any verdict.
    package var canBeJudged: Bool {
        if traced == .infinity || even < SiteOpinion.minimumSnapshots || hasStoodStill { return false }
        if periods >= SiteOpinion.minimumSnapshots { return true }
        guard scale != .even, count >= SiteOpinion.minimumSnapshots else { return false }
        return seconds >= Self.minimumSeconds && seconds >= Self.minimumShare * traced
    }

    /// No snapshots were taken for much of the time, as on a busy machine: when blocks came is not known then.
    package var hasStoodStill: Bool {
        gap > Self.maximumGap * seconds && (rows.count > 2 || scale != .even && gap > Self.minimumSeconds)
    }

    /// In less time a verdict is never sure.
    package var isShort: Bool { scale != .even && periods < SiteOpinion.minimumSnapshots }

    /// The tick of a snapshot.
    func tick(of snapshot: UInt32) -> UInt32 { scale.tick(of: snapshot) }

    /// The last snapshot whose tick is that one or an earlier one; looked for, since a damaged recording may number its few
    /// snapshots by billions.
    func snapshot(by tick: Int) -> UInt32 {
        var (low, high) = (UInt32(0), UInt32(min(count, 1 << 30)))
        while low < high {
            let middle = high - (high - low) / 2
            if Int(self.tick(of: middle)) <= tick { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// Blocks that the process allocated in each bucket of a series; none where snapshots are missing.
    func loads(of series: SurvivorSeries) -> [Double] {
        let (buckets, width) = (series.counts.count, series.width)
        guard buckets > 0, rows.count > buckets else { return [] }
        let points = rows.map { (tick: Int(scale.tick(of: $0.snapshot)), allocated: Double($0.allocatedCount)) }
        var next = 0
        let totals = (0...buckets).map { bucket in
            let tick = bucket * width
            while next < points.count - 1, points[next].tick < tick { next += 1 }
            guard next > 0, points[next].tick > points[next - 1].tick else { return points[next].allocated }
            // Rows may have been thinned: what came in between came evenly.
            let (before, after) = (points[next - 1], points[next])
            let share = Double(tick - before.tick) / Double(after.tick - before.tick)
            return before.allocated + min(1, share) * (after.allocated - before.allocated)
        }
        return zip(totals, totals.dropFirst()).map { max(0, $1 - $0) }
    }

    /// The clock by which descriptors are judged: since all that the process may have are taken, none could come.
    func heeding(_ limit: DescriptorLimit?) -> ProcessClock {
        var clock = self
        clock.rest = ProcessRest(rows, scale, limit) ?? rest
        return clock
    }

    /// As if it had ended with that snapshot, and the trace with it.
    func ending(at snapshot: Int) -> ProcessClock {
        ProcessClock(rows: rows.prefix { $0.snapshot <= snapshot }, scale: scale, traced: 0)
    }

    private init(rows: ArraySlice<RecordedSnapshot>, scale: SnapshotScale, traced: Double) {
        self.rows = rows
        self.scale = scale
        self.traced = traced
        even = Self.evenRows(rows, scale).count
        // What is judged by age has no time of its own.
        rest = traced > 0 ? ProcessRest(rows, scale) : nil
        gap = zip(rows, rows.dropFirst()).reduce(0) { max($0, Double($1.1.timeNs &- $1.0.timeNs) / 1e9) }
    }

    /// By process, as `recording.processes`.
    package static func all(of recording: Recording) -> [ProcessClock] {
        let scale = SnapshotScale(maximumStep: recording.maximumSnapshotStep)
        let times = recording.snapshots.lazy.map(\.timeNs)
        let traced = Double((times.max() ?? 0) - (times.min() ?? 0)) / 1e9
        var result: [ProcessClock] = []
        var start = 0
        for process in recording.processes {
            while start < recording.snapshots.count, recording.snapshots[start].process < process.id { start += 1 }
            var end = start
            while end < recording.snapshots.count, recording.snapshots[end].process == process.id { end += 1 }
            result.append(ProcessClock(rows: recording.snapshots[start..<end], scale: scale, traced: traced))
            start = end
        }
        return result
    }
}
