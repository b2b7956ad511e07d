package import SiltHeap

/// Judges a site by one route of a hunt, against what it leaves at idle.
///
/// Four intervals of the route are needed, six to eight recommended, with a hundred requests or more each. Without the
/// first idle phase the last alone gives the idle rate, and the other way round; a route that ends the hunt loses its
/// last interval, whose survivors have outlived no other. Without any idle phase nothing tells background growth from
/// the route's own, so that confidence is medium at most.
package func judgeRoute(_ series: IntervalSeries, _ hunt: HuntIntervals, route: Int) -> GrowthVerdict {
    RouteJudge(series, hunt, route).verdict()
}

/// The judge's work on one route: survivors at the very end → reason → verdict.
private struct RouteJudge {
    typealias Rules = GrowthRules.Route

    private let series: IntervalSeries
    private let hunt: HuntIntervals
    private let idle: IdleRate
    private let rounds: Range<Int>
    private let warmUp: Int
    private let judged: RoundSurvivors
    /// The judged intervals, and the newest that were left out for what they hold beside.
    private let eligible: [Int]
    private let meanLoad: Double
    private let exposure: Double

    init(_ series: IntervalSeries, _ hunt: HuntIntervals, _ route: Int) {
        self.series = series
        self.hunt = hunt
        idle = IdleRate(series, hunt)
        rounds = hunt.positions(ofPhase: route)
        warmUp = max(1, rounds.count / Rules.warmUpPart)
        let kept = rounds.dropFirst(warmUp).filter { $0 != hunt.count - 1 }
        meanLoad = hunt.meanLoad(kept)
        eligible = hunt.loaded(kept, meanLoad: meanLoad)
        let positions = RoundSurvivors.withoutNewest(series, hunt, eligible, meanLoad: meanLoad)
        judged = RoundSurvivors(series, hunt, positions, meanLoad: meanLoad)
        exposure = hunt.exposure(positions)
    }

    func verdict() -> GrowthVerdict {
        let live = Array(series.live[rounds.lowerBound...rounds.upperBound])
        var facts = GrowthFacts(live, drops: falls(live))
        guard rounds.count >= Rules.minimumIntervals, judged.positions.count >= Rules.minimumJudged else {
            return GrowthVerdict(.notEnoughData, .none, facts: facts)
        }
        judged.describe(&facts, series, hunt, skipped: rounds.lowerBound..<rounds.lowerBound + warmUp)
        let score = idle.score(of: judged.survivors, in: exposure)
        facts.aboveIdle = score
        facts.idleCount = idlePart(idle.count)
        facts.idleBytes = idlePart(idle.bytes)
        let review = LeakReview(series, hunt, rounds, eligible, judged: judged, meanLoad: meanLoad)
        facts.keptSeconds = review.keptSeconds
        let reason = reason()
        if [.turnover, .stalled].contains(reason), let rise = review.rise(above: idlePart(idle.bytes)) {
            return review.charge(rise, facts)
        }
        guard reason == .leak else { return review.acquittal(reason, facts) }
        var confidence = Confidence(judged, score: score ?? .infinity)
        if score == nil, confidence == .high { confidence = .medium }
        let claim = LeakReview.Claim(
            slope: slope,
            error: judged.meanError,
            load: judged.requests / Double(judged.positions.count),
            confidence: confidence
        )
        switch review.outcome(of: claim, idle: idlePart(idle.bytes)) {
        case .acquitted(let reason): return review.acquittal(reason, facts)
        case .charged(let claim): return review.charge(claim, facts)
        case .open: return GrowthVerdict(.stillFilling, .decel, facts: facts)
        }
    }

    /// Bytes an interval leaves beyond those of idle.
    private var slope: Double { judged.survivorBytes / Double(judged.positions.count) - idlePart(idle.bytes) }

    /// What idle leaves in the time of one judged interval.
    private func idlePart(_ total: Double) -> Double {
        idle.isKnown ? total / idle.exposure * exposure / Double(judged.positions.count) : 0
    }

    private func reason() -> Reason {
        let isIdles = idle.explains(judged.survivors, in: exposure)
        if judged.survivors < Rules.minimumSurvivors { return isIdles ? .idleRate : .none }
        if isSparse(judged.counts) { return .sparse }
        if isIdles || slope <= 0 { return .idleRate }
        if let reason = reasonAboveIdle { return reason }
        let falls = judged.neverRises && judged.older > GrowthRules.declineRatio * judged.newer
        let fades = falls || judged.positions.count <= Rules.fallingIntervals && judged.fallsToHalf
        if judged.decelerates || fades { return .decel }
        if isTurnedOver { return .turnover }
        if judged.isLate { return .late }
        let recent = judged.counts.suffix(max(1, rounds.count / Rules.recentPart))
        return mean(recent) < GrowthRules.stalledShare * mean(judged.counts) ? .stalled : .leak
    }

    /// Too few of the intervals have any.
    private func isSparse(_ counts: [Double]) -> Bool {
        let isSpread = counts.count >= GrowthRules.Hunt.spreadIntervals && thirds(of: counts) == [true, true, true]
        return Double(counts.count { $0 > 0 }) / Double(counts.count) < GrowthRules.Hunt.occupiedShare && !isSpread
    }

    /// What idle leaves in every interval can hide that the route left much in few of them: a cache holds what came last.
    ///
    /// Asks the same of each interval's survivors beyond chance, when these are most of what is more than idle leaves.
    private var reasonAboveIdle: Reason? {
        guard idle.isKnown, idle.count > 0 else { return nil }
        let expected = judged.positions.map { idle.count / idle.exposure * hunt.exposure([$0]) }
        let above = zip(judged.positions, expected).map { position, idle in
            max(0, series.counts[position] - idle - Rules.chanceScore * idle.squareRoot())
        }
        let excess = judged.survivors - expected.reduce(0, +)
        guard above.reduce(0, +) >= Rules.ownShare * excess else { return nil }
        if isSparse(above) { return .sparse }
        return thirds(of: above) == [false, true, true] ? .late : nil
    }

    /// Old bytes did not grow by what the intervals that became old meanwhile left.
    private var isTurnedOver: Bool {
        let pair = hunt.comparable(judged.positions)
        guard pair.last > pair.first else { return false }
        let (start, end) = (judged.positions[pair.first], judged.positions[pair.last])
        let left = (start..<end).reduce(0) { $0 + series.bytes[$1] }
        return series.old[end] - series.old[start] < GrowthRules.turnoverShare * left
    }
}
