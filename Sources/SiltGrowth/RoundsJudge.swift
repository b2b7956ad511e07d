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

/// Rounds at the start of which nothing is concluded.
func warmUpRounds(of rounds: Int) -> Int { rounds <= 5 ? 1 : rounds <= 9 ? 2 : rounds / 4 }

/// Mode B: survivors → reason → verdict.
private struct RoundsJudge {
    private let series: IntervalSeries
    private let hunt: HuntIntervals
    private let rounds: Range<Int>
    private let meanLoad: Double
    /// Rounds between warm-up and the last one, whose survivors have outlived no other.
    private let judged: RoundSurvivors
    private let warmUp: Int

    init(_ series: IntervalSeries, _ hunt: HuntIntervals, _ rounds: Range<Int>) {
        self.series = series
        self.hunt = hunt
        self.rounds = rounds
        warmUp = warmUpRounds(of: rounds.count)
        meanLoad = hunt.meanLoad(rounds)
        let eligible = hunt.loaded(rounds.dropFirst(warmUp).dropLast(), meanLoad: meanLoad)
        judged = RoundSurvivors(series, hunt, eligible, meanLoad: meanLoad)
    }

    /// Requests of a round as a share of the mean.
    private func load(_ position: Int) -> Double { meanLoad > 0 ? hunt.requests[position] / meanLoad : 1 }

    func verdict() -> GrowthVerdict {
        let live = Array(series.live[rounds.lowerBound...rounds.upperBound])
        var facts = GrowthFacts(live, drops: falls(live))
        guard rounds.count >= 3, !judged.positions.isEmpty else {
            return GrowthVerdict(.notEnoughData, .none, facts: facts)
        }
        let skipped = rounds.lowerBound..<rounds.lowerBound + warmUp
        judged.describe(&facts, series, hunt, skipped: skipped)
        let reason = reason()
        let rises = LiveRounds(series.live, hunt, rounds)
        switch reason {
        case .leak:
            let rate = (slope: mean(judged.bytes), error: judged.meanError)
            let leak = LiveRounds.Rise(reason: .leak, rate: rate, confidence: confidence)
            return rises.verdict(leak, facts)
        case .none, .sparse, .turnover:
            if let rise = rises.rise() { return rises.verdict(rise, facts) }
        case .late, .deep, .slowed, .doubling, .backlog, .trend, .decel, .stalled, .flat, .everyRound, .gap, .idleRate,
            .idle:
            break
        }
        return GrowthVerdict(Shape(live, drops: facts.drops).verdict(reason: reason), reason, facts: facts)
    }

    private func reason() -> Reason {
        let all = judged.positions.count
        let last = rounds.upperBound - 1
        let slope = mean(judged.bytes)
        if judged.survivors < (rounds.count <= 4 ? 3 : 2) { return .none }
        if judged.occupiedShare < (all <= 3 ? 1 : 0.6) { return .sparse }
        if judged.decelerates || judged.fallsToHalf && judged.survivors >= 8 || fadesInThreeRounds { return .decel }
        if series.old[last] - series.old[rounds.lowerBound + warmUp] < 0.5 * judged.survivorBytes { return .turnover }
        // What the round before the last left is old only now.
        if series.old[last] - series.old[last - 1] < 0.3 * slope * load(last - 1), judged.survivors >= 3 {
            return .stalled
        }
        if series.counts[last] == 0, load(last) > 0, judged.survivors / Double(all) >= 2 { return .gap }
        return .leak
    }

    /// Three rounds have one that is judged: only the series of all tells a leak from tables that fill.
    private var fadesInThreeRounds: Bool {
        guard rounds.count == 3 else { return false }
        let counts = rounds.map { load($0) > 0 ? series.counts[$0] / load($0) : 0 }
        return counts[2] <= 0.6 * counts[1] && 0.6 * counts[1] <= 0.36 * counts[0]
    }

    private var confidence: Confidence {
        let all = judged.positions.count
        guard judged.occupied == all else { return .low }
        if all >= 4, judged.variation < 0.6, judged.survivors >= 8 { return .high }
        if all >= 3, judged.variation < 0.15, judged.survivors >= 6 { return .high }
        return all >= 2 && judged.survivors >= 4 ? .medium : .low
    }
}
