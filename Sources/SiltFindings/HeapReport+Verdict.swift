extension HeapReport {
    /// Decides on the whole run, from its sites and phases.
    mutating func decide() {
        let charged = !growing.isEmpty
        obstacle = charged ? nil : unmeasured ?? (phases.isEmpty ? openRun : openPhase)
        verdict = charged ? .growing : obstacle == nil ? .notGrowing : .inconclusive
    }

    private var openRun: Obstacle? {
        if isLongEnough { return shortWorkers.map(Obstacle.shortWorkers) }
        return snapshotCount < SiteOpinion.minimumSnapshots ? .tooFewSnapshots(snapshotCount) : .tooShort(seconds)
    }

    private var openPhase: Obstacle? {
        (phases.lazy.compactMap { $0.problem ?? $0.doubt }.first ?? phases.lazy.compactMap(filling).first)
            .map(Obstacle.phase)
    }

    /// What has not stopped rising in a phase and is not charged either; nil when nothing is in doubt.
    package func filling(in phase: HuntPhases.Phase) -> PhaseObstacle? {
        let sites = sites.filter { $0.fillingPhase == phase.name }
        guard let first = sites.max(by: { $0.inUseBytes < $1.inUseBytes }) else { return nil }
        return .stillFilling(phase: phase.name, first.blame, others: sites.count - 1, rounds: phase.rounds)
    }

    /// Says that the hunt did not come to its end: what it did not see cannot be acquitted.
    ///
    /// `planned`: the names of all phases that it was to have.
    package mutating func endEarly(_ why: String, planned: [String]) {
        let seen = Set(phases.map(\.name))
        failure = HuntFailure(reason: why, missing: planned.filter { !seen.contains($0) })
        guard verdict == .notGrowing || obstacle == nil && verdict == .inconclusive else { return }
        verdict = .inconclusive
        obstacle = failure.map(Obstacle.endedEarly)
    }

    /// Phases of which nothing can be said, in their order, with the reason.
    package var openPhases: [PhaseObstacle] {
        phases.compactMap { phase in
            verdict(of: phase) == .inconclusive ? phase.problem ?? phase.doubt : nil
        }
    }

    /// The verdict on one phase of a hunt.
    package func verdict(of phase: HuntPhases.Phase) -> Verdict {
        if phase.problem != nil { return .inconclusive }
        if sites.contains(where: { $0.isGrowing && $0.phase == phase.name }) { return .growing }
        return phase.doubt == nil && filling(in: phase) == nil ? .notGrowing : .inconclusive
    }
}

extension ReportSite {
    /// The phase in which it is not charged, but has not stopped rising.
    var fillingPhase: String? {
        guard verdict == .stillFilling, case .phase(_, let phase) = evidence.basis else { return nil }
        return phase.name
    }
}
