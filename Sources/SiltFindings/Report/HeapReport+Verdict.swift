internal import SiltGrowth
internal import SiltRecording

extension HeapReport {
    /// Decides on the whole run, from its sites and phases.
    mutating func decide() {
        let charged = !growing.isEmpty
        obstacle = charged ? nil : unmeasured ?? (phases.isEmpty ? openRun : openPhase) ?? usedUp
        verdict = charged ? .growing : obstacle == nil ? .notGrowing : .inconclusive
    }

    private var openRun: Obstacle? {
        if isLongEnough { return shortWorkers.map(Obstacle.shortWorkers) ?? stillRising }
        if stoodStill > 0, seconds >= ProcessClock.minimumSeconds { return .stoodStill(stoodStill, of: seconds) }
        let taken = min(snapshotCount, evenSnapshots)
        return taken < SiteOpinion.minimumSnapshots ? .tooFewSnapshots(taken) : .tooShort(seconds)
    }

    /// What grew as while code is loaded, or as an interpreter's caches do, by ever less, or by bursts that may come again.
    private var stillRising: Obstacle? {
        let sites = sites.filter { $0.verdict == .stillFilling }
        guard let first = sites.max(by: { $0.inUseBytes < $1.inUseBytes }) else { return nil }
        let others = sites.count - 1
        if first.evidence.reason == .inCaches { return .filling(first.blame, others: others, seconds: seconds) }
        guard case .run(let verdict, let period) = first.evidence.basis else {
            return .loading(first.blame, others: others, seconds: seconds)
        }
        let (facts, bursts) = (verdict.facts, verdict.facts.bursts)
        if facts.loadRatio > 0 { return .unevenLoad(first.blame, others: others, ratio: facts.loadRatio) }
        let rest = facts.restSeconds > 0 ? facts.restSeconds : period * Double(facts.sinceHigh)
        if verdict.reason == .flat, bursts == 0, facts.restSeconds == 0 {
            return .full(first.blame, others: others, seconds: rest)
        }
        return bursts == 0 && facts.restSeconds == 0
            ? .fading(first.blame, others: others, seconds: seconds)
            : .resting(first.blame, others: others, bursts: bursts, seconds: rest)
    }

    /// What holds much of the descriptors that a process may have, where all of them are taken.
    private var usedUp: Obstacle? {
        guard let limit = recording.fullDescriptors?.limit else { return nil }
        let holders = sites.filter { $0.resource == .descriptor && $0.heldBytes >= limit / Self.holderPart }
        return holders.max { $0.heldBytes < $1.heldBytes }.map { .usedUp($0.blame, others: holders.count - 1) }
    }

    /// One part in so many.
    private static let holderPart: UInt64 = 4

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
        // Where no phase began it says as well why so little was seen.
        let explains = obstacle == nil || phases.isEmpty && unmeasured == nil
        guard verdict == .notGrowing || explains && verdict == .inconclusive else { return }
        verdict = .inconclusive
        obstacle = failure.map(Obstacle.endedEarly)
    }

    /// Phases of which nothing can be said, in their order, with the reason.
    package var openPhases: [PhaseObstacle] {
        phases.compactMap { phase in
            verdict(of: phase) == .inconclusive ? phase.problem ?? phase.doubt : nil
        }
    }

    /// Why a phase is not acquitted though nothing is charged in it; nil when it is.
    package func doubt(of phase: HuntPhases.Phase) -> PhaseObstacle? {
        if let doubt = phase.doubt ?? filling(in: phase) { return doubt }
        return outsideMalloc.flatMap { $0.phase == phase.name ? .outsideMalloc($0) : nil }
    }

    /// The verdict on one phase of a hunt.
    package func verdict(of phase: HuntPhases.Phase) -> Verdict {
        if phase.problem != nil { return .inconclusive }
        if sites.contains(where: { $0.isGrowing && $0.phase == phase.name }) { return .growing }
        return doubt(of: phase) == nil ? .notGrowing : .inconclusive
    }
}

extension ReportSite {
    /// The phase in which it is not charged, but has not stopped rising.
    var fillingPhase: String? {
        verdict == .stillFilling ? evidence.phase?.name : nil
    }
}

extension HeapReport {
    /// Why the target's heap was not seen, or not to the end; nil when it was.
    var unmeasured: Obstacle? {
        if let reason = recording.target.untraceable { return .untraceable(reason) }
        if let untraced { return untraced }
        if recording.processes.isEmpty { return .nothingTraced }
        if isOfProfiles, phases.isEmpty { return .singleProfile }
        if totals.allocatedCount == 0, recording.counters.isEmpty, !isOfProfiles { return .noAllocation }
        if trust.counters.stopReason == .eventFileEnds { return .damagedEventFile }
        return stop.map(Obstacle.stopped) ?? outsideMalloc.map(Obstacle.outsideMalloc)
    }

    /// Since when events are missing, and why; nil when none are.
    package var stop: Obstacle.Stop? {
        let counters = trust.counters
        guard let reason = counters.stopReason, reason != .eventFileEnds else { return nil }
        return Obstacle.Stop(
            reason: reason,
            seconds: Double(counters.offNs) / 1e9,
            processes: recording.trust.count { $0.offReason != 0 }
        )
    }

    /// Why what was followed says nothing of the command; nil when it does.
    private var untraced: Obstacle? {
        let programs = recording.untraced
        let itself = programs.first { !$0.became.isEmpty && !isWrapper($0) }
        if let itself { return .becameUntraced(itself) }
        guard let first = programs.first else { return nil }
        if recording.processes.isEmpty { return .untraced(first) }
        let suspects = programs.filter(mayHoldGrowth)
        return suspects.max { ($0.grownBytes, $0.seconds) < ($1.grownBytes, $1.seconds) }.map(Obstacle.untracedChild)
    }

    /// Whether an untraced child lived for most of the time, a service of its own, or was seen to grow for a while.
    private func mayHoldGrowth(_ program: RecordedUntraced) -> Bool {
        guard program.became.isEmpty, !isWrapper(program), program.seconds >= UntracedLimits.minimumSeconds else {
            return false
        }
        if program.seconds > UntracedLimits.serviceShare * endSeconds { return true }
        return program.grownBytes >= UntracedLimits.growthBytes
            && program.seconds >= UntracedLimits.growthShare * endSeconds
    }

    /// What it started was traced for most of the time, and it did not grow itself: an init, a change of user.
    private func isWrapper(_ program: RecordedUntraced) -> Bool {
        guard program.starterPid != 0, program.grownBytes < UntracedLimits.growthBytes else { return false }
        return recording.processes.contains {
            guard $0.pid == program.starterPid || $0.parentPid == program.starterPid else { return false }
            let lived = Double(($0.endNs ?? recording.target.endNs ?? 0) &- $0.startNs) / 1e9
            return lived > UntracedLimits.serviceShare * endSeconds
        }
    }

    private var endSeconds: Double { Double(recording.target.endNs ?? 0) / 1e9 }
}
