package import SiltHeap

/// Judges a site by rounds of one load: run, settle, snapshot, and again.
///
/// A leak leaves survivors of every round, warm-up only of the first, churn and the last request's state only of the
/// last. Three rounds are needed, five recommended, six to eight for high confidence. `rounds`: positions of the rounds
/// to judge among the hunt's intervals; survivors are those of the hunt's end, whatever came after the rounds.
package func judgeRounds(_ series: IntervalSeries, _ hunt: HuntIntervals, rounds: Range<Int>) -> GrowthVerdict {
    RoundsJudge(series, hunt, rounds).verdict()
}

/// Judges all intervals of a hunt as rounds of one load.
package func judgeRounds(_ series: IntervalSeries, _ hunt: HuntIntervals) -> GrowthVerdict {
    judgeRounds(series, hunt, rounds: 0..<hunt.count)
}

/// The judge's work on one site's rounds: survivors → reason → verdict.
private struct RoundsJudge {
    typealias Rules = GrowthRules.Rounds

    private let series: IntervalSeries
    private let hunt: HuntIntervals
    private let rounds: Range<Int>
    private let meanLoad: Double
    /// Rounds between warm-up and the last one, whose survivors have outlived no other.
    private let judged: RoundSurvivors
    /// The judged rounds, and the newest that were left out for what they hold beside.
    private let eligible: [Int]
    private let warmUp: Int

    init(_ series: IntervalSeries, _ hunt: HuntIntervals, _ rounds: Range<Int>) {
        self.series = series
        self.hunt = hunt
        self.rounds = rounds
        warmUp = Rules.warmUp(of: rounds.count)
        meanLoad = hunt.meanLoad(rounds)
        eligible = hunt.loaded(rounds.dropFirst(warmUp).dropLast(), meanLoad: meanLoad)
        let positions = RoundSurvivors.withoutNewest(series, hunt, eligible, meanLoad: meanLoad)
        judged = RoundSurvivors(series, hunt, positions, meanLoad: meanLoad)
    }

    /// Requests of a round as a share of the mean.
    private func load(_ position: Int) -> Double { hunt.load(position, meanLoad) }

    func verdict() -> GrowthVerdict {
        let live = Array(series.live[rounds.lowerBound...rounds.upperBound])
        var facts = GrowthFacts(live, drops: falls(live))
        guard rounds.count >= Rules.minimum, !judged.positions.isEmpty else {
            return GrowthVerdict(.notEnoughData, .none, facts: facts)
        }
        let skipped = rounds.lowerBound..<rounds.lowerBound + warmUp
        judged.describe(&facts, series, hunt, skipped: skipped)
        let review = LeakReview(series, hunt, rounds, eligible, judged: judged, meanLoad: meanLoad)
        facts.keptSeconds = review.keptSeconds
        var reason = reason()
        if reason == .leak {
            let claim = LeakReview.Claim(
                slope: mean(judged.bytes),
                error: judged.meanError,
                load: meanLoad,
                confidence: confidence
            )
            switch review.outcome(of: claim, idle: 0) {
            case .charged(let claim): return review.charge(claim, facts)
            case .open: return GrowthVerdict(.stillFilling, .decel, facts: facts)
            case .acquitted(let other): reason = other
            }
        }
        if [.turnover, .stalled].contains(reason), let rise = review.rise(above: 0) {
            return review.charge(rise, facts)
        }
        if [.none, .sparse, .turnover].contains(reason) {
            let rises = LiveRounds(series, hunt, rounds)
            if let rise = rises.rise() { return rises.verdict(rise, facts) }
        }
        return review.acquittal(reason, facts)
    }

    private func reason() -> Reason {
        let all = judged.positions.count
        let last = rounds.upperBound - 1
        let slope = mean(judged.bytes)
        if judged.survivors < Rules.minimumSurvivors(rounds: rounds.count) { return .none }
        if judged.occupiedShare < Rules.occupiedShare(judged: all) { return .sparse }
        let falls = judged.fallsToHalf && judged.survivors >= Rules.fallingSurvivors
        if judged.decelerates || falls || fadesInThreeRounds { return .decel }
        if isTurnedOver { return .turnover }
        // What the round before the last left is old only now.
        let recent = series.old[last] - series.old[last - 1]
        if recent < GrowthRules.stalledShare * slope * load(last - 1),
            judged.survivors >= GrowthRules.stalledBlocks
        {
            return .stalled
        }
        let usual = judged.survivors / Double(all)
        if series.counts[last] == 0, load(last) > 0, usual >= Rules.gapSurvivors { return .gap }
        return .leak
    }

    /// Old bytes did not grow by what stayed.
    private var isTurnedOver: Bool {
        let places = rounds.dropFirst(warmUp)
        let pair = hunt.comparable(places)
        let (first, last) = (places.lowerBound + pair.first, places.lowerBound + pair.last)
        let left = judged.positions.reduce(0) { $0 + (first..<last ~= $1 ? series.bytes[$1] : 0) }
        return series.old[last] - series.old[first] < GrowthRules.turnoverShare * left
    }

    /// Three rounds have one that is judged: only the series of all tells a leak from tables that fill.
    private var fadesInThreeRounds: Bool {
        guard rounds.count == Rules.minimum else { return false }
        let counts = rounds.map { load($0) > 0 ? series.counts[$0] / load($0) : 0 }
        let fade = Rules.fadeShare
        return counts[2] <= fade * counts[1] && fade * counts[1] <= fade * fade * counts[0]
    }

    private var confidence: Confidence {
        let all = judged.positions.count
        typealias Limits = GrowthRules.RoundConfidence
        guard judged.occupied == all else { return .low }
        let isLong =
            all >= Limits.highRounds && judged.variation < Limits.highVariation
            && judged.survivors >= Limits.highSurvivors
        let isEven =
            all >= Limits.evenRounds && judged.variation < Limits.evenVariation
            && judged.survivors >= Limits.evenSurvivors
        if isLong || isEven { return .high }
        return all >= Limits.mediumRounds && judged.survivors >= Limits.mediumSurvivors ? .medium : .low
    }
}
