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
    /// In hunts: it still rises, and ever less comes or what comes is replaced, so that it may end or not.
    case stillFilling = "still-filling"
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
    /// Content is replaced, but every round ends higher.
    case everyRound = "every-round"
    /// Earlier rounds left survivors, the last one none.
    case gap
    /// No more than what idle phases leave in the same time.
    case idleRate = "idle-rate"
    /// Grows without requests, in the first and in the last idle phase.
    case idle
}

/// How far a verdict can be relied on.
package enum Confidence: String, Sendable, CaseIterable {
    case high
    case medium
    case low

    /// The higher the surer.
    package var rank: Int {
        switch self {
        case .low: 0
        case .medium: 1
        case .high: 2
        }
    }
}

/// A site's verdict with the figures it rests on.
package struct GrowthVerdict: Equatable, Sendable {
    package var verdict: Verdict
    package var reason: Reason
    /// Nil unless the site grows.
    package var confidence: Confidence?
    /// Bytes per interval (of rounds: at their mean load), and half the width of its 95 % range.
    package var slope: Double
    package var error: Double
    /// The same in bytes per request; 0 when requests are not known.
    package var perRequest: Double
    package var perRequestError: Double
    package var facts: GrowthFacts

    package init(
        _ verdict: Verdict,
        _ reason: Reason,
        confidence: Confidence? = nil,
        slope: Double = 0,
        error: Double = 0,
        perRequest: Double = 0,
        perRequestError: Double = 0,
        facts: GrowthFacts
    ) {
        self.verdict = verdict
        self.reason = reason
        self.confidence = confidence
        self.slope = slope
        self.error = error
        self.perRequest = perRequest
        self.perRequestError = perRequestError
        self.facts = facts
    }
}

/// What the evidence line says.
package struct GrowthFacts: Equatable, Sendable {
    /// Snapshots after the baseline; of rounds and slices of a hunt: those of the phase.
    package var snapshots = 0
    /// Time slices or rounds that were judged, and those with survivors.
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
    /// Share of the run that was over when nearly all of the growth had come.
    package var settledAt = 1.0
    /// Snapshots since the least live bytes of a slice last reached a new high.
    package var sinceHigh = 0
    /// The biggest rise from one slice to the next, and the share of the run before it.
    package var biggestRise = 0.0
    package var biggestRiseAt = 0.0
    /// Jumps as a doubling block makes them.
    package var jumps = 0
    /// Seconds for which the whole process has rested, where a site grew until then; 0: it does not, or they are not known.
    package var restSeconds = 0.0
    /// Regular bursts of which nothing was freed, where what grew by them rests.
    package var bursts = 0
    /// What the whole process allocated in the newer half, by what it did in the older, where a site grew with it or became
    /// slower with it; 0: it did not, or that is not known.
    package var loadRatio = 0.0
    /// Half the range of the live bytes, as a share of their middle.
    package var wobble = 0.0
    /// In hunts: the first and the last judged interval, numbered from 1 over the hunt, and their requests.
    package var firstJudged = 0
    package var lastJudged = 0
    package var requests = 0.0
    /// Seconds the judged intervals took, 0 when they are not known.
    package var seconds = 0.0
    /// Seconds for which half of the judged blocks, and none of them freed, have been watched; 0 when they are not known.
    package var keptSeconds = 0.0
    /// The same in snapshots, for free runs, which know no seconds.
    package var keptSnapshots = 0
    /// Bytes of the survivors of the intervals skipped as warm-up, what a leak left in them included.
    package var warmUpBytes = 0.0
    /// What of the warm-up's bytes is more than the judged intervals leave: came once.
    package var oneOffBytes = 0.0
    /// What idle phases leave in the time of one judged interval.
    package var idleCount = 0.0
    package var idleBytes = 0.0
    /// Standard score of the survivors against the idle rate; nil when there was none to compare with.
    package var aboveIdle: Double?

    package init() {}
}

extension GrowthFacts {
    /// A cache may keep its blocks for less than this: no verdict is sure before they have been watched for so long.
    package static let sureSeconds = GrowthRules.Conservation.sureSeconds

    /// The growth came with the start.
    package var hasSettledAtStart: Bool { settledAt <= GrowthRules.Form.settledAtStart }

    /// The growth had come before the last three tenths of the time.
    package var hasSettledEarly: Bool { settledAt <= GrowthRules.Form.settledEarly }

    /// What the live bytes did, whatever the survivors say.
    init(_ series: SurvivorSeries) {
        self.init([series.baseline] + series.troughs, width: series.width, drops: series.drops)
        snapshots = series.snapshots
        live = series.live
    }

    /// What a series of live bytes did that begins at the baseline.
    ///
    /// `width`: snapshots from one value to the next.
    init(_ values: [Double], width: Int = 1, drops: Int) {
        let count = Double(max(1, values.count - 1))
        guard let first = values.first, let last = values.last, let most = values.max(), let least = values.min() else {
            return
        }
        snapshots = (values.count - 1) * width
        baseline = first
        live = last
        self.drops = drops
        wobble = most + least > 0 ? (most - least) / (most + least) : 0
        let settled = first + GrowthRules.Form.settledShare * (last - first)
        settledAt = Double(values.firstIndex { $0 >= settled } ?? values.count - 1) / count
        var top = first
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
            if rise > 0, values[index - 1] > 0, value >= GrowthRules.Doubling.jumpRatio * values[index - 1] {
                jumps += 1
            }
        }
        sinceHigh = (values.count - 1 - highest) * width
    }
}

extension GrowthVerdict {
    /// Whether what is charged came so evenly, and in blocks of so few bytes on average, that an interpreter may keep it of its
    /// own accord.
    package func mayBeKept(inBlocksOf bytes: Double) -> Bool {
        verdict.isGrowing && [.leak, .late, .deep, .slowed, .everyRound].contains(reason) && facts.survivors > 0
            && facts.survivorBytes <= bytes * facts.survivors
    }
}
