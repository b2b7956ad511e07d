internal import Glibc
internal import SiltHeap

/// What must hold of a leak that survivors show before it is charged, and how sure it is.
///
/// Survivors are counted at the end, when a ring, a cache or a pool still holds what came last. So their number must not
/// fall from interval to interval (`RoundTrend`), and old bytes must have risen by what is claimed.
struct LeakReview {
    private typealias Rules = GrowthRules.Conservation

    /// Bytes an interval leaves that has so many requests.
    struct Claim {
        var slope: Double
        var error: Double
        var load: Double
        var confidence: Confidence
    }

    enum Outcome {
        case charged(Claim)
        case acquitted(Reason)
        /// It may be a cache that fills.
        case open
    }

    private let series: IntervalSeries
    private let hunt: HuntIntervals
    private let rounds: Range<Int>
    /// The judged intervals, and those after them that were left out for what they hold beside.
    private let eligible: [Int]
    private let judged: RoundSurvivors
    private let meanLoad: Double

    init(
        _ series: IntervalSeries,
        _ hunt: HuntIntervals,
        _ rounds: Range<Int>,
        _ eligible: [Int],
        judged: RoundSurvivors,
        meanLoad: Double
    ) {
        self.series = series
        self.hunt = hunt
        self.rounds = rounds
        self.eligible = eligible
        self.judged = judged
        self.meanLoad = meanLoad
    }

    /// Charged at its rate or at that of the rise, or not at all.
    func outcome(of claim: Claim, idle: Double) -> Outcome {
        let (positions, trends) = Self.trends(series, hunt, rounds, judged: judged, meanLoad: meanLoad)
        if trends.contains(where: \.declines) || isTail || EarlierFilling(series, hunt, rounds).explainsRise {
            return .acquitted(.decel)
        }
        if wasEmptied { return .acquitted(.late) }
        var claim = claim
        if !isSeen(share: Rules.share) || claim.error > claim.slope {
            guard let rise = rise(above: idle) else { return .acquitted(.turnover) }
            claim = rise
        }
        guard !hunt.seconds.isEmpty else { return .charged(claim) }
        let gains = trendOfGains(in: judged.positions)
        if gains.declines || isFillingByPower(from: positions.first ?? rounds.upperBound) { return .open }
        if !isSeen(share: Rules.clearShare) && rise(above: idle) == nil { return .open }
        if judged.isConcentrated || isReplacing(trends) { return .open }
        let isSure = (trends + [gains]).allSatisfy(\.excludesDecline) && keptSeconds >= Rules.sureSeconds
        if claim.confidence == .high, !isSure { claim.confidence = .medium }
        return .charged(claim)
    }

    func charge(_ claim: Claim, _ facts: GrowthFacts) -> GrowthVerdict {
        let load = claim.load
        return GrowthVerdict(
            .growing,
            .leak,
            confidence: claim.confidence,
            slope: claim.slope,
            error: claim.error,
            perRequest: load > 0 ? claim.slope / load : 0,
            perRequestError: load > 0 ? claim.error / load : 0,
            facts: facts
        )
    }

    /// Not charged: by what the live bytes look like, or as one that still fills.
    func acquittal(_ reason: Reason, _ facts: GrowthFacts) -> GrowthVerdict {
        if isFilling(reason, idleCount: facts.idleCount) { return GrowthVerdict(.stillFilling, reason, facts: facts) }
        let live = Array(series.live[rounds.lowerBound...rounds.upperBound])
        return GrowthVerdict(Shape(live, drops: facts.drops).verdict(reason: reason), reason, facts: facts)
    }

    /// Seconds from the end of the middle one of the judged intervals to the last look.
    var keptSeconds: Double {
        guard !hunt.seconds.isEmpty, !judged.positions.isEmpty else { return 0 }
        return hunt.exposure((judged.positions[judged.positions.count / 2] + 1)..<hunt.count)
    }

    // MARK: Decline

    /// Over the judged intervals and those of the warm-up that are no burst of their own.
    private static func trends(
        _ series: IntervalSeries,
        _ hunt: HuntIntervals,
        _ rounds: Range<Int>,
        judged: RoundSurvivors,
        meanLoad: Double
    ) -> (positions: [Int], trends: [RoundTrend]) {
        var positions = judged.positions
        let usual = mean(judged.counts)
        let most = GrowthRules.Decline.burst * usual + GrowthRules.Decline.chance * usual.squareRoot()
        for position in (rounds.lowerBound + 1..<max(rounds.lowerBound + 1, positions.first ?? 0)).reversed() {
            let load = hunt.load(position, meanLoad)
            guard load > 0, series.counts[position] <= most * load else { break }
            positions.insert(position, at: 0)
        }
        // By requests, and by their logarithm, as new ones come among keys that are asked for again and again.
        let times = positions.map { hunt.asked(in: rounds, by: $0, meanLoad) }
        let counts = positions.map { series.counts[$0] }
        let loads = positions.map { hunt.load($0, meanLoad) }
        let trends = [
            RoundTrend(counts: counts, loads: loads, times: times, score: GrowthRules.Decline.scoreByTime),
            RoundTrend(counts: counts, loads: loads, times: times.map { log($0) }),
        ]
        return (positions, trends)
    }

    /// The same of what live bytes rise by: where new entries take the place of old ones, each interval has as many of them
    /// left, however full it is.
    private func trendOfGains(in positions: [Int]) -> RoundTrend {
        RoundTrend(
            counts: positions.map { max(0, series.live[$0 + 1] - series.live[$0]) / judged.blockBytes },
            loads: positions.map { hunt.load($0, meanLoad) },
            times: positions.map { log(hunt.asked(in: rounds, by: $0, meanLoad)) },
            score: GrowthRules.Decline.scoreOfGains
        )
    }

    /// The newest intervals were left out for what they hold, of the others more is left of the newer, and live bytes rise by
    /// ever less: new entries take the places of any older ones in a table that still fills.
    private func isReplacing(_ trends: [RoundTrend]) -> Bool {
        guard judged.positions.count < eligible.count, eligible.count >= GrowthRules.Filling.replacingIntervals,
            trends.contains(where: { $0.score > GrowthRules.declineScore })
        else { return false }
        return trendOfGains(in: eligible).score < -GrowthRules.clearScore
    }

    /// The rounds before that one are a warm-up, and with them the others are no more even than those of a cache that fills.
    private func isFillingByPower(from first: Int) -> Bool {
        let last = judged.positions.last ?? first
        let all = (rounds.lowerBound..<max(first, last + 1)).filter { hunt.load($0, meanLoad) > 0 }
        let warmUp = all.prefix { $0 < first }.count
        return RoundFilling(
            counts: all.map { series.counts[$0] },
            loads: all.map { hunt.load($0, meanLoad) },
            warmUp: warmUp
        ).isPossible
    }

    /// An earlier route saw a cache fill, and this one brings no more than that one did at its end: the cache's last.
    private var isTail: Bool {
        typealias Rules = GrowthRules.Decline
        let usual = mean(judged.positions.map { series.counts[$0] })
        guard let route = judged.positions.first.map({ hunt.phases[$0] }), route > 1 else { return false }
        return (1..<route).contains { earlier in
            let positions = hunt.positions(ofPhase: earlier)
            let load = hunt.meanLoad(positions)
            let loaded = hunt.loaded(positions.dropFirst(max(1, positions.count / Rules.warmUpPart)), meanLoad: load)
            guard loaded.count > 2 else { return false }
            let part = RoundSurvivors(series, hunt, loaded, meanLoad: load)
            let last = mean(loaded.suffix(max(1, loaded.count / Rules.lastPart)).map { series.counts[$0] })
            guard usual <= Rules.burst * last + Rules.chance * last.squareRoot() else { return false }
            return Self.trends(series, hunt, positions, judged: part, meanLoad: load).trends.contains {
                $0.declines && $0.score < Rules.clearScore
            }
        }
    }

    /// Nothing is left of the oldest rounds after the first, though they should have left much at the others' rate: all of
    /// it was freed at some time, as by a collector, and so may the rest be.
    ///
    /// The newest judged interval may hold what waits to be freed.
    private var wasEmptied: Bool {
        let loaded = rounds.dropFirst().filter { hunt.load($0, meanLoad) > 0 }
        let empty = loaded.prefix { series.counts[$0] == 0 }
        let rest = judged.positions.dropLast().filter { $0 > empty.last ?? -1 }
        guard empty.count >= GrowthRules.Late.minimumEmpty, rest.count > 2 else { return false }
        let loads = rest.map { hunt.load($0, meanLoad) }
        let rate = rest.reduce(0) { $0 + series.counts[$1] } / loads.reduce(0, +)
        let misfit = zip(rest, loads).reduce(0.0) { sum, pair in
            let expected = rate * pair.1
            return sum + (series.counts[pair.0] - expected) * (series.counts[pair.0] - expected) / expected
        }
        // Blocks that come several at a time are missing by chance more often.
        let variance = max(1, misfit / Double(rest.count - 1))
        return rate * empty.reduce(0) { $0 + hunt.load($1, meanLoad) } >= GrowthRules.Late.usual * variance
    }

    // MARK: Conservation

    /// Old bytes rose by that share of what survivors claim, over all intervals and in the newer half of them.
    ///
    /// Where old bytes compare between the newest alone, live bytes rose so over all.
    private func isSeen(share: Double) -> Bool {
        eligible.isEmpty || isSeen(from: 0, share) && isSeen(from: eligible.count / 2, share) && isSeenLive
    }

    /// Live bytes compare over rounds of whatever load, unlike old ones: what is full holds as much after each.
    private var isSeenLive: Bool {
        guard hunt.comparable(eligible).first > 0, let first = judged.positions.first, let last = judged.positions.last
        else { return true }
        return series.live[last + 1] - series.live[first] >= Rules.share * judged.survivorBytes
    }

    private func isSeen(from start: Int, _ share: Double) -> Bool {
        let pair = hunt.comparable(eligible[start...])
        let (first, last) = (start + pair.first, start + pair.last)
        guard first < last else { return true }
        let rate = mean(judged.bytes)
        let kept = judged.positions.count
        let claim = (first..<last).reduce(0.0) {
            // The newest are not judged: they count as what the others leave.
            $0 + ($1 < kept ? series.bytes[eligible[$1]] : rate * hunt.load(eligible[$1], meanLoad))
        }
        return series.old[eligible[last]] - series.old[eligible[first]] >= share * claim
    }

    /// What each of the newest intervals rose by, where that is what the oldest left; nil when the two differ.
    ///
    /// A leak beside content that has filled meanwhile.
    func rise(above idle: Double) -> Claim? {
        let newest = steps.suffix(max(Rules.minimumSteps, eligible.count / 2))
        let slope = mean(newest)
        guard newest.count >= Rules.minimumSteps, newest.allSatisfy({ $0 > Rules.minimumStep * slope }), slope > 0
        else { return nil }
        let oldest = mean(judged.bytes.prefix(max(1, judged.bytes.count / Rules.oldestPart)))
        guard Rules.agreement.contains(slope / max(oldest, .leastNonzeroMagnitude)) else { return nil }
        let error = GrowthRules.rangeScore * deviation(newest) / Double(newest.count).squareRoot()
        guard slope - idle > error, !fades(newest) else { return nil }
        return Claim(slope: slope - idle, error: error, load: meanLoad, confidence: .low)
    }

    /// Whether the newest rises decline, or go on with the decline of all of them: keys of a table that fills.
    ///
    /// By the chance with which blocks of this size come. A leak beside content that has filled meanwhile stays as it is.
    private func fades(_ newest: ArraySlice<Double>) -> Bool {
        guard newest.count >= Rules.manySteps else { return false }
        func trend(_ rises: some Collection<Double>) -> RoundTrend {
            RoundTrend(evenly: rises.map { max(0, $0) / judged.blockBytes })
        }
        let (all, end) = (trend(steps), trend(newest))
        let goesOn = all.declines && end.slope - Rules.goingOn * end.error < all.slope
        return end.declines || goesOn
    }

    /// What each interval left that became old in the next, at mean load.
    private var steps: [Double] {
        let ends = eligible + (eligible.last.map { $0 + 1 < rounds.upperBound ? [$0 + 1] : [] } ?? [])
        return zip(ends, ends.dropFirst()).map { (series.old[$1] - series.old[$0]) / hunt.load($0, meanLoad) }
    }

    // MARK: Filling

    /// It is not charged, but it rose in each of the newest intervals, by a good part of what it rose by before.
    private func isFilling(_ reason: Reason, idleCount: Double) -> Bool {
        typealias Filling = GrowthRules.Filling
        switch reason {
        case .decel, .turnover, .stalled, .sparse, .late: break
        // Few blocks, but in every interval: more rounds tell whether by chance.
        case .none, .idleRate:
            return judged.positions.count >= Filling.minimumJudged && judged.occupiedShare == 1
                && steps.allSatisfy { $0 > 0 } && judged.survivors < Filling.fewBlocks
                && idleCount * Double(judged.positions.count) < Filling.idleShare * judged.survivors
        case .leak, .deep, .slowed, .doubling, .backlog, .trend, .flat, .everyRound, .gap, .idle: return false
        }
        let part = max(Filling.minimumNewest, eligible.count / Filling.newestPart)
        let newest = steps.suffix(part)
        let blocks = eligible.suffix(part).reduce(0) { $0 + series.counts[$1] }
        guard newest.count >= Filling.minimumNewest, blocks >= Filling.minimumBlocks else { return false }
        return newest.allSatisfy { $0 > 0 } && mean(newest) >= Filling.share * mean(steps)
    }
}
