/// Judges a hunt of which only live bytes are known: no births, as in heap profiles that are fetched at its marks.
///
/// What rises at idle is not charged to the routes. `live`: at the baseline and at the end of each interval.
package func judgeHuntWithoutBirths(_ live: [Double], _ hunt: HuntIntervals) -> HuntVerdicts {
    let idle = LiveIdle(live, hunt)
    let routes = (0..<hunt.routes).map { index -> GrowthVerdict in
        let rounds = hunt.positions(ofPhase: index + 1)
        let verdict = judgeRoundsWithoutBirths(live, hunt, rounds: rounds)
        return verdict.verdict.isGrowing ? idle.above(verdict, live, hunt, rounds) : verdict
    }
    return HuntVerdicts(idle: idle.verdict(live, hunt), routes: routes)
}

/// How live bytes rise in the idle phases, after the first interval of each: per second, or per interval.
struct LiveIdle {
    /// nil for a phase that is too short to tell.
    private let first: Double?
    private let last: Double?

    init(_ live: [Double], _ hunt: HuntIntervals) {
        func rise(phase: Int) -> Double? {
            let judged = hunt.positions(ofPhase: phase).dropFirst()
            guard !judged.isEmpty else { return nil }
            return (live[judged.upperBound] - live[judged.lowerBound]) / hunt.exposure(judged)
        }
        first = rise(phase: 0)
        last = rise(phase: hunt.routes + 1)
    }

    /// What both phases show, or the only one; never negative.
    private var rate: Double { max(0, [first, last].compactMap { $0 }.min() ?? 0) }

    /// A charge by live bytes, less what idle adds in the same time: an acquittal when that is most of it.
    func above(
        _ verdict: GrowthVerdict,
        _ live: [Double],
        _ hunt: HuntIntervals,
        _ rounds: Range<Int>
    ) -> GrowthVerdict {
        let idle = rate * hunt.exposure(rounds) / Double(rounds.count)
        var result = verdict
        result.facts.idleBytes = idle
        if verdict.slope - idle < GrowthRules.Idle.excessShare * idle || verdict.slope <= 0 {
            let values = Array(live[rounds.lowerBound...rounds.upperBound])
            let shape = Shape(values, drops: result.facts.drops).verdict(reason: .idleRate)
            return GrowthVerdict(shape, .idleRate, facts: result.facts)
        }
        result.slope -= idle
        result.perRequest *= result.slope / verdict.slope
        return result
    }

    /// Growth of the first idle phase that the last one shows again, at enough of the rate.
    ///
    /// Low confidence where there is one idle phase alone.
    func verdict(_ live: [Double], _ hunt: HuntIntervals) -> GrowthVerdict {
        let phase = hunt.positions(ofPhase: hunt.positions(ofPhase: 0).isEmpty ? hunt.routes + 1 : 0)
        var verdict = judgeRoundsWithoutBirths(live, hunt, rounds: phase)
        guard verdict.verdict.isGrowing else { return verdict }
        guard let first, let last else {
            verdict.confidence = .low
            return verdict
        }
        if last >= GrowthRules.Idle.repeatedShare * first { return verdict }
        let values = Array(live[phase.lowerBound...phase.upperBound])
        let shape = Shape(values, drops: verdict.facts.drops).verdict(reason: .none)
        return GrowthVerdict(shape, .none, facts: verdict.facts)
    }
}
