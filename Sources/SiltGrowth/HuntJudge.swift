package import SiltHeap

/// What a hunt says of one site: one verdict per route, and one on the time without requests.
package struct HuntVerdicts: Equatable, Sendable {
    package var idle: GrowthVerdict
    /// Element i belongs to route i + 1.
    package var routes: [GrowthVerdict]
}

/// Judges a site by all phases of a hunt.
///
/// A route of four or more intervals is judged against the idle rate, and where it leaves too few survivors for that by
/// its live bytes. One of three, or of a hunt without idle phases, is judged by its rounds; a leak that the idle rate
/// explains is not charged to it then either.
package func judgeHunt(_ series: IntervalSeries, _ hunt: HuntIntervals) -> HuntVerdicts {
    HuntVerdicts(
        idle: judgeIdle(series, hunt),
        routes: (0..<hunt.routes).map { judgeHunt(series, hunt, route: $0 + 1) }
    )
}

/// The same of one route, or for 0 of the time without requests.
package func judgeHunt(_ series: IntervalSeries, _ hunt: HuntIntervals, route: Int) -> GrowthVerdict {
    guard route > 0 else { return judgeIdle(series, hunt) }
    let idle = IdleRate(series, hunt)
    let rounds = hunt.positions(ofPhase: route)
    if rounds.count >= GrowthRules.Route.minimumIntervals, idle.isKnown {
        let verdict = judgeRoute(series, hunt, route: route)
        return replacedContent(verdict, series, hunt, rounds) ?? verdict
    }
    let verdict = judgeRounds(series, hunt, rounds: rounds)
    return verdict.reason == .leak ? atIdleRate(verdict, series, hunt, rounds, idle) ?? verdict : verdict
}

/// The charge of a route that survivors acquit, for content that is replaced by ever more of it, or that it may still fill; nil without one.
private func replacedContent(
    _ verdict: GrowthVerdict,
    _ series: IntervalSeries,
    _ hunt: HuntIntervals,
    _ rounds: Range<Int>
) -> GrowthVerdict? {
    switch verdict.reason {
    case .none, .sparse, .turnover: break
    // Survivors that the idle rate explains rise the live bytes too.
    case .idleRate: if verdict.facts.survivors >= GrowthRules.Route.minimumSurvivors { return nil }
    case .leak, .late, .deep, .slowed, .doubling, .backlog, .trend, .decel, .stalled, .flat, .everyRound, .gap, .idle:
        return nil
    }
    let judge = LiveRounds(series, hunt, rounds)
    guard !judge.isFading, let rise = judge.rise(), !EarlierFilling(series, hunt, rounds).explainsRise else {
        return nil
    }
    let replaced = judge.verdict(rise, verdict.facts)
    guard replaced.verdict.isGrowing else { return replaced }
    let idle = LiveIdle(series.live, hunt)
    let charge = idle.above(replaced, series.live, hunt, rounds)
    return charge.verdict.isGrowing ? charge : nil
}

/// The acquittal of a leak seen by rounds that idle phases leave as well; nil when they do not explain it.
private func atIdleRate(
    _ verdict: GrowthVerdict,
    _ series: IntervalSeries,
    _ hunt: HuntIntervals,
    _ rounds: Range<Int>,
    _ idle: IdleRate
) -> GrowthVerdict? {
    let judged = verdict.facts.firstJudged - 1..<verdict.facts.lastJudged
    guard idle.explains(verdict.facts.survivors, in: hunt.exposure(judged)) else { return nil }
    let live = Array(series.live[rounds.lowerBound...rounds.upperBound])
    let shape = Shape(live, drops: verdict.facts.drops).verdict(reason: .idleRate)
    return GrowthVerdict(shape, .idleRate, facts: verdict.facts)
}
