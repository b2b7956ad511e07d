internal import SiltHeap

/// What a site does with its memory.
package enum Verdict: String, Sendable, CaseIterable {
    case growing
    case slowGrowing = "slow-growing"
    case plateauing
    case step
    case sawtooth
    case stable
    case shrinking
    case notEnoughData = "not-enough-data"

    /// True for a site that is charged.
    package var isGrowing: Bool { self == .growing || self == .slowGrowing }
}

/// Which pattern in the survivors led to the verdict.
package enum Reason: String, Sendable, CaseIterable {
    case leak
    case late
    case deep
    case slowed
    case doubling
    case backlog
    case trend
    case none
    case decel
    case turnover
    case stalled
    case flat
    case sparse
}

/// How far a verdict can be relied on.
package enum Confidence: String, Sendable, CaseIterable {
    case high
    case medium
    case low
}

/// A site's verdict with the figures it rests on.
package struct GrowthVerdict: Equatable, Sendable {
    package var verdict: Verdict
    package var reason: Reason
    /// Nil unless the site grows.
    package var confidence: Confidence?
    /// Bytes per interval, and half the width of its 95 % range.
    package var slope: Double
    package var error: Double
    package var facts: GrowthFacts

    init(
        _ verdict: Verdict,
        _ reason: Reason,
        confidence: Confidence? = nil,
        slope: Double = 0,
        error: Double = 0,
        facts: GrowthFacts
    ) {
        self.verdict = verdict
        self.reason = reason
        self.confidence = confidence
        self.slope = slope
        self.error = error
        self.facts = facts
    }
}

/// What the evidence line says.
package struct GrowthFacts: Equatable, Sendable {
    package var snapshots = 0
    /// Time slices that were judged, and those with survivors.
    package var slices = 0
    package var occupied = 0
    /// Fewest and most survivors in a slice.
    package var fewest = 0.0
    package var most = 0.0
    package var survivors = 0.0
    package var survivorBytes = 0.0
    /// Mean survivors a slice in the older and in the newer half.
    package var older = 0.0
    package var newer = 0.0
    /// Live bytes at the baseline and now.
    package var baseline = 0.0
    package var live = 0.0
    package var drops = 0
    /// Judged slices as shares of the run.
    package var from = 0.0
    package var to = 1.0
    /// Share of the run that was over when the first judged survivor was born.
    package var since = 0.0
    /// Share of the run that was over when 97 % of the growth had come.
    package var settledAt = 1.0
    /// Snapshots since the least live bytes of a slice last reached a new high.
    package var sinceHigh = 0
    /// The biggest rise from one slice to the next, and the share of the run before it.
    package var biggestRise = 0.0
    package var biggestRiseAt = 0.0
    /// Rises by 1.4 and more, snapshots since the last one, and between the last two.
    package var jumps = 0
    package var sinceJump = 0
    package var jumpGap = 0
    /// Half the range of the live bytes, as a share of their middle.
    package var wobble = 0.0
}

extension GrowthFacts {
    /// What the live bytes did, whatever the survivors say.
    init(_ series: SurvivorSeries) {
        snapshots = series.snapshots
        baseline = series.baseline
        live = series.live
        drops = series.drops
        let values = [series.baseline] + series.troughs
        let count = Double(max(1, series.troughs.count))
        guard let last = values.last, let most = values.max(), let least = values.min() else { return }
        wobble = most + least > 0 ? (most - least) / (most + least) : 0
        let settled = series.baseline + 0.97 * (last - series.baseline)
        settledAt = Double(values.firstIndex { $0 >= settled } ?? values.count - 1) / count
        var top = values[0]
        var highest = 0
        for (index, value) in values.enumerated() where index > 0 {
            if value > top {
                top = value
                highest = index
            }
            let rise = value - values[index - 1]
            if rise > biggestRise {
                biggestRise = rise
                biggestRiseAt = Double(index - 1) / count
            }
            if rise > 0, values[index - 1] > 0, value >= 1.4 * values[index - 1] {
                jumps += 1
                let ago = (values.count - 1 - index) * series.width
                jumpGap = jumps == 1 ? 0 : sinceJump - ago
                sinceJump = ago
            }
        }
        sinceHigh = (values.count - 1 - highest) * series.width
    }
}
