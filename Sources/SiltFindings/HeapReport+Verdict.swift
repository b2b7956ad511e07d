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

    private var openPhase: Obstacle? { phases.lazy.compactMap { $0.problem ?? $0.doubt }.first.map(Obstacle.phase) }

    /// The verdict on one phase of a hunt.
    package func verdict(of phase: HuntPhases.Phase) -> Verdict {
        if phase.problem != nil { return .inconclusive }
        if sites.contains(where: { $0.isGrowing && $0.phase == phase.name }) { return .growing }
        return phase.doubt == nil ? .notGrowing : .inconclusive
    }
}
