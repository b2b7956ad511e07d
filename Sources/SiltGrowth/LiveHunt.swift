/// Judges a hunt of which only live bytes are known: no births, as in heap profiles that are fetched at its marks.
///
/// What rises at idle is not charged to the routes. `live`: at the baseline and at the end of each interval.
package func judgeHuntWithoutBirths(_ live: [Double], _ hunt: HuntIntervals) -> HuntVerdicts {
    let background = backgroundRise(live, hunt)
    let routes = (0..<hunt.routes).map { index -> GrowthVerdict in
        let rounds = hunt.positions(ofPhase: index + 1)
        let verdict = judgeRoundsWithoutBirths(live, hunt, rounds: rounds)
        guard verdict.verdict.isGrowing, background > 0 else { return verdict }
        return aboveBackground(verdict, live, rounds, idle: background * hunt.exposure(rounds) / Double(rounds.count))
    }
    return HuntVerdicts(idle: judgeIdleWithoutBirths(live, hunt), routes: routes)
}

/// The verdict on what rises faster than at idle; `idle`: bytes in the time of one round.
private func aboveBackground(
    _ verdict: GrowthVerdict,
    _ live: [Double],
    _ rounds: Range<Int>,
    idle: Double
) -> GrowthVerdict {
    var result = verdict
    result.facts.idleBytes = idle
    if verdict.slope - idle < 0.3 * idle {
        let values = Array(live[rounds.lowerBound...rounds.upperBound])
        let shape = Shape(values, drops: result.facts.drops).verdict(reason: .idleRate)
        return GrowthVerdict(shape, .idleRate, facts: result.facts)
    }
    result.slope -= idle
    if verdict.slope > 0 { result.perRequest *= result.slope / verdict.slope }
    return result
}

/// Live bytes gained in an idle phase after its first interval, per second or interval; nil when it is too short.
private func idleRise(_ live: [Double], _ hunt: HuntIntervals, phase: Int) -> Double? {
    let judged = hunt.positions(ofPhase: phase).dropFirst()
    guard !judged.isEmpty else { return nil }
    return (live[judged.upperBound] - live[judged.lowerBound]) / hunt.exposure(judged)
}

/// What both idle phases gain, or the only one: at least 0.
private func backgroundRise(_ live: [Double], _ hunt: HuntIntervals) -> Double {
    let rises = [0, hunt.routes + 1].compactMap { idleRise(live, hunt, phase: $0) }
    return max(0, rises.min() ?? 0)
}

/// Growth of the first idle phase that the last one shows again, at 40 % of the rate or more.
private func judgeIdleWithoutBirths(_ live: [Double], _ hunt: HuntIntervals) -> GrowthVerdict {
    let last = hunt.routes + 1
    let phase = hunt.positions(ofPhase: 0).isEmpty ? last : 0
    var verdict = judgeRoundsWithoutBirths(live, hunt, rounds: hunt.positions(ofPhase: phase))
    guard verdict.verdict.isGrowing else { return verdict }
    guard phase == 0, let early = idleRise(live, hunt, phase: 0), let late = idleRise(live, hunt, phase: last) else {
        verdict.confidence = .low
        return verdict
    }
    if late >= 0.4 * early { return verdict }
    let values = Array(live[...hunt.positions(ofPhase: 0).upperBound])
    return GrowthVerdict(Shape(values, drops: verdict.facts.drops).verdict(reason: .none), .none, facts: verdict.facts)
}
