package import SiltHeap

/// What a site leaves when nobody asks anything of the program: survivors of the idle phases.
///
/// The first phase's first interval is left out (start-up), and so are the last phase's first (what the routes left
/// undone) and the last of all (too young to tell).
struct IdleRate {
    private typealias Rules = GrowthRules.Idle

    let first: [Int]
    let last: [Int]
    /// The intervals the rate is taken from: of both phases when they agree, else of the first.
    let measured: [Int]
    let count: Double
    let bytes: Double
    /// How long they took, in seconds or intervals; 0 when the hunt has no idle phase.
    let exposure: Double

    init(_ series: IntervalSeries, _ hunt: HuntIntervals) {
        let end = hunt.count - 1
        func judged(_ phase: Int) -> [Int] { hunt.positions(ofPhase: phase).dropFirst().filter { $0 != end } }
        func survivors(_ positions: [Int]) -> Double { positions.reduce(0) { $0 + series.counts[$1] } }
        first = judged(0)
        last = judged(hunt.routes + 1)
        if first.isEmpty || last.isEmpty {
            measured = first + last
        } else {
            // In blocks that each would leave in the other's time, with room for two that came by chance.
            let ratio = hunt.exposure(last) / hunt.exposure(first)
            let (early, late) = (survivors(first), survivors(last))
            let (most, few) = (Rules.agreementRatio, Rules.agreementBlocks)
            let agree = late <= most * early * ratio + few && early <= most * late / ratio + few
            measured = agree ? first + last : first
        }
        count = survivors(measured)
        bytes = measured.reduce(0) { $0 + series.bytes[$1] }
        exposure = hunt.exposure(measured)
    }

    var isKnown: Bool { exposure > 0 }

    /// Standard score of the survivors of that much time against the idle rate; nil when there is none.
    ///
    /// Square roots of counts have nearly the same variance at any rate (Anscombe 1948), so that few can be compared.
    func score(of survivors: Double, in time: Double) -> Double? {
        guard isKnown, time > 0 else { return nil }
        func root(_ count: Double, _ time: Double) -> Double { ((count + Rules.anscombe) / time).squareRoot() }
        let difference = root(survivors, time) - root(count, exposure)
        return difference / (Rules.rootDeviation * (1 / time + 1 / exposure).squareRoot())
    }

    /// True when so many survivors are not clearly more than idle leaves in that time; false when no rate is known.
    func explains(_ survivors: Double, in time: Double) -> Bool {
        guard let score = score(of: survivors, in: time) else { return false }
        let rate = count / exposure
        return score < GrowthRules.clearScore || survivors / time - rate < Rules.excessShare * rate
    }
}

/// Judges what grows without requests, by the first idle phase and the last one.
///
/// It must leave survivors in most intervals of the first and again in the last, and not ever fewer: a start-up that goes
/// on in the background ends. A hunt with one idle phase cannot show that, so its charges have low confidence.
package func judgeIdle(_ series: IntervalSeries, _ hunt: HuntIntervals) -> GrowthVerdict {
    let idle = IdleRate(series, hunt)
    let phase = hunt.positions(ofPhase: idle.first.isEmpty ? hunt.routes + 1 : 0)
    let live = Array(series.live[phase.lowerBound...phase.upperBound])
    var facts = GrowthFacts(live, drops: falls(live))
    let leading = idle.first.isEmpty ? idle.last : idle.first
    guard leading.count >= GrowthRules.Idle.minimumIntervals else {
        return GrowthVerdict(.notEnoughData, .none, facts: facts)
    }
    let judged = RoundSurvivors(series, hunt, idle.measured, meanLoad: 0)
    judged.describe(&facts, series, hunt, skipped: phase.lowerBound..<phase.lowerBound + 1)
    facts.idleCount = mean(judged.counts)
    facts.idleBytes = mean(judged.bytes)
    let part = RoundSurvivors(series, hunt, leading, meanLoad: 0)
    let trend = RoundTrend(
        counts: part.counts,
        loads: leading.map { hunt.exposure([$0]) },
        times: leading.indices.map(Double.init)
    )
    let isConfirmed = idle.first.isEmpty || idle.last.isEmpty || isSeenAgain(series, hunt, idle)
    guard part.survivors >= GrowthRules.Idle.minimumSurvivors, part.occupiedShare >= GrowthRules.Idle.occupiedShare,
        isConfirmed, !trend.declines
    else {
        let reason: Reason = trend.declines ? .decel : .idleRate
        return GrowthVerdict(Shape(live, drops: facts.drops).verdict(reason: reason), reason, facts: facts)
    }
    var confidence = Confidence(judged, score: .infinity)
    if idle.first.isEmpty || idle.last.isEmpty { confidence = .low }
    return GrowthVerdict(
        .growing,
        .idle,
        confidence: confidence,
        slope: mean(judged.bytes),
        error: judged.meanError,
        facts: facts
    )
}

/// The last idle phase leaves enough of what the first left in the same time.
private func isSeenAgain(_ series: IntervalSeries, _ hunt: HuntIntervals, _ idle: IdleRate) -> Bool {
    func rate(_ positions: [Int]) -> Double {
        positions.reduce(0) { $0 + series.counts[$1] } / hunt.exposure(positions)
    }
    return rate(idle.last) >= GrowthRules.Idle.repeatedShare * rate(idle.first)
}

extension Confidence {
    /// For survivors that stand that far above what idle phases leave.
    init(_ judged: RoundSurvivors, score: Double) {
        typealias Limits = GrowthRules.RouteConfidence
        let isWhole = judged.positions.count >= Limits.highIntervals && judged.occupiedShare == 1
        let isMany = judged.survivors >= Limits.mediumSurvivors && judged.occupiedShare >= Limits.mediumShare
        if isWhole, judged.survivors >= Limits.highSurvivors, judged.variation < Limits.highVariation,
            score > Limits.highScore
        {
            self = .high
        } else {
            self = isMany ? .medium : .low
        }
    }
}
