internal import SiltGrowth

/// What is said of one call site in one process.
package struct SiteOpinion {
    var verdict = Verdict.notEnoughData
    var confidence = Confidence.low
    var evidence: Evidence
    /// Bytes per `per`, and their error.
    var slope = 0.0
    var error = 0.0
    /// Intervals of a free-running trace; requests, rounds or seconds of a hunt.
    var per = Rate.Unit.Per.interval
    /// How many of those units a second of the hunt had.
    var unitsPerSecond = 1.0
    /// Judged rounds that left something, and all of them.
    var rounds: (occupied: Int, all: Int)?
    /// Live bytes gained in the phase.
    var rise = 0.0
    /// Live bytes at the last snapshot.
    var live = 0.0

    var isGrowing: Bool { verdict.isGrowing }

    /// The survivors leave no doubt, however long they have been watched.
    var hasClearPattern: Bool { evidence.verdict?.confidence == .high }

    /// True when too few of its blocks survived for more to be said: neither charged nor acquitted.
    var isUndecided: Bool { [.pattern(.none), .pattern(.sparse)].contains(evidence.reason) }

    /// Fewer snapshots than this say nothing.
    package static let minimumSnapshots = GrowthLimits.minimumSnapshots

    /// Nothing can be said.
    static func unknown(_ basis: Evidence.Basis) -> SiteOpinion { SiteOpinion(evidence: Evidence(basis)) }

    /// Of a site without a history: none of its blocks has seen two snapshots.
    static func young(inUseCount: UInt64, snapshots: Int) -> SiteOpinion {
        SiteOpinion(
            verdict: .stable,
            confidence: confidence(inStillnessAfter: snapshots),
            evidence: Evidence(inUseCount == 0 ? .allFreed : .onlyYoungBlocks)
        )
    }

    static let keptByRuntime = SiteOpinion(
        verdict: .stable,
        confidence: .medium,
        evidence: Evidence(.keptByRuntime)
    )

    /// Of a trace that ran freely.
    static func run(_ verdict: GrowthVerdict, clock: ProcessClock) -> SiteOpinion {
        let isSure = Double(verdict.facts.keptSnapshots) * clock.period >= GrowthFacts.sureSeconds && !clock.isShort
        // Tables that double while a program starts, as an interpreter's when it imports, look like a list that keeps growing.
        let mayBeStart = verdict.reason == .doubling && Double(clock.periods) * clock.period < GrowthLimits.startSeconds
        let limit: Confidence = clock.period == 0 || isSure && !mayBeStart ? .high : mayBeStart ? .low : .medium
        return SiteOpinion(
            verdict: verdict.verdict,
            confidence: verdict.verdict == .stillFilling
                ? .low
                : verdict.confidence.map { $0.rank < limit.rank ? $0 : limit }
                    ?? confidence(inStillnessAfter: clock.periods),
            evidence: Evidence(.run(verdict, period: clock.period)),
            slope: verdict.slope,
            error: verdict.error,
            live: verdict.facts.live
        )
    }

    /// Of one phase of a hunt.
    static func phase(_ verdict: GrowthVerdict, _ phase: HuntPhases.Phase) -> SiteOpinion {
        let facts = verdict.facts
        let isOpen = phase.isInconclusive && verdict.verdict.isGrowing
        var opinion = SiteOpinion(
            verdict: verdict.verdict,
            confidence: isOpen ? .low : verdict.confidence ?? confidence(inStillnessAfterRounds: facts.snapshots),
            evidence: Evidence(
                .phase(
                    verdict,
                    Evidence.Phase(
                        name: phase.name,
                        isIdle: phase.isIdle,
                        failedShare: isOpen ? phase.failedShare : nil
                    )
                )
            ),
            rounds: (facts.occupied, facts.slices),
            rise: facts.live - facts.baseline,
            live: facts.live
        )
        let perSecond = facts.seconds > 0 ? Double(facts.slices) / facts.seconds : 0
        if phase.isIdle, perSecond > 0 {
            opinion.per = .second
            opinion.slope = verdict.slope * perSecond
            opinion.error = verdict.error * perSecond
        } else if verdict.perRequest > 0 {
            opinion.per = .request
            opinion.slope = verdict.perRequest
            opinion.error = verdict.perRequestError
            opinion.unitsPerSecond = facts.seconds > 0 ? facts.requests / facts.seconds : 1
        } else {
            opinion.per = .round
            opinion.slope = verdict.slope
            opinion.error = verdict.error
            opinion.unitsPerSecond = perSecond > 0 ? perSecond : 1
        }
        return opinion
    }

    private static let smallCache = 256.0

    /// What is said of workers that replace each other during a phase.
    static func workers(
        _ verdict: GrowthVerdict,
        _ workers: Evidence.Phase.Workers,
        _ phase: HuntPhases.Phase
    ) -> SiteOpinion {
        var opinion = SiteOpinion.phase(verdict, phase)
        guard case .phase(_, var place) = opinion.evidence.basis else { return opinion }
        place.workers = workers
        // A cache of that many entries, as interpreters have, is not full yet when its worker ends.
        if verdict.facts.survivors < smallCache * Double(workers.count) { opinion.confidence = .low }
        opinion.evidence = Evidence(.phase(verdict, place))
        if phase.requests == nil, opinion.per == .request { opinion.per = .round }
        let units = Double(phase.requests ?? UInt64(phase.rounds))
        opinion.unitsPerSecond = phase.seconds > 0 ? units / phase.seconds : 1
        return opinion
    }

    /// From so many snapshots, or rounds of a phase, on it is fairly or very sure that a site does not grow: of simulated
    /// leaks 18 % are missed at 8 snapshots and 10 % at 20 (growth.md).
    private static let stillness = (mediumSnapshots: 8, highSnapshots: 20, mediumRounds: 5, highRounds: 8)

    private static func confidence(inStillnessAfter snapshots: Int) -> Confidence {
        snapshots >= stillness.highSnapshots ? .high : snapshots >= stillness.mediumSnapshots ? .medium : .low
    }

    private static func confidence(inStillnessAfterRounds rounds: Int) -> Confidence {
        rounds >= stillness.highRounds ? .high : rounds >= stillness.mediumRounds ? .medium : .low
    }

    /// Of acquittals: what still fills first, then what rose most.
    func isWeightier(acquittal other: SiteOpinion) -> Bool {
        (verdict == .stillFilling ? 1 : 0, rise) > (other.verdict == .stillFilling ? 1 : 0, other.rise)
    }

    /// Growing first, then the surer, then the faster.
    func isWeightier(than other: SiteOpinion) -> Bool {
        (isGrowing ? 1 : 0, confidence.rank, slope) > (other.isGrowing ? 1 : 0, other.confidence.rank, other.slope)
    }
}

extension SiteOpinion {
    /// Neither charged nor acquitted: it may end by itself, as what fills or is loaded does.
    func leftOpen(_ basis: Evidence.Basis? = nil) -> SiteOpinion {
        var opinion = self
        (opinion.verdict, opinion.confidence) = (.stillFilling, .low)
        if let basis { opinion.evidence = Evidence(basis) }
        return opinion
    }
}
