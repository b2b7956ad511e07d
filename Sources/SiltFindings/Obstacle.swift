internal import SiltGrowth
package import SiltRecording

/// Why nothing can be said of the target, or not of all of it; `ObstacleText` puts it into words.
package enum Obstacle: Equatable, Sendable {
    /// As `silt doctor` says it.
    case untraceable(String)
    /// The command became a program that was not traced.
    case becameUntraced(RecordedUntraced)
    /// Only programs ran that were not traced.
    case untraced(RecordedUntraced)
    /// An untraced child ran beside the rest for most of the time: a service of its own.
    case untracedChild(RecordedUntraced)
    case nothingTraced
    /// A profile says what is in use, not what grows.
    case singleProfile
    case noAllocation
    case damagedEventFile
    case stopped(Stop)
    case tooFewSnapshots(Int)
    case shortWorkers(ShortWorkers)
    case phase(PhaseObstacle)

    /// Recording ended before the program did.
    package struct Stop: Equatable, Sendable {
        package var reason: TrustCounters.StopReason
        /// Since the start of the trace.
        package var seconds: Double
        /// Processes that it happened to.
        package var processes: Int
    }
}

/// Why nothing can be said of a phase of a hunt.
package enum PhaseObstacle: Equatable, Sendable {
    case failedRequests(phase: String, share: Double)
    case tooFewRounds(phase: String, Int)
    /// Processes ended during the hunt, and what they held went with them; `share`: theirs of what was allocated.
    case endedProcesses(phase: String, Int, share: Double)
}

extension HuntPhases.Phase {
    /// Why nothing can be said of it; nil when something can.
    package var problem: PhaseObstacle? {
        if isInconclusive { return .failedRequests(phase: name, share: failedShare) }
        if !isIdle, rounds < Self.minimumRounds { return .tooFewRounds(phase: name, rounds) }
        return nil
    }

    /// Why it is not acquitted though nothing was seen to grow in it; nil when it is.
    package var doubt: PhaseObstacle? {
        guard ended.share > HuntPhases.maximumEndedShare else { return nil }
        return .endedProcesses(phase: name, ended.processes, share: ended.share)
    }

    /// The warm-up and two more.
    package static let minimumRounds = GrowthLimits.minimumRounds
}

extension HeapReport {
    /// Why the target's heap was not seen, or not to the end; nil when it was.
    var unmeasured: Obstacle? {
        if let reason = recording.target.untraceable { return .untraceable(reason) }
        if let untraced { return untraced }
        if recording.processes.isEmpty { return .nothingTraced }
        if isOfProfiles, phases.isEmpty { return .singleProfile }
        if totals.allocatedCount == 0, !isOfProfiles { return .noAllocation }
        if trust.counters.stopReason == .eventFileEnds { return .damagedEventFile }
        return stop.map(Obstacle.stopped)
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
        if let itself = programs.first(where: { !$0.became.isEmpty }) { return .becameUntraced(itself) }
        guard let first = programs.first else { return nil }
        if recording.processes.isEmpty { return .untraced(first) }
        let end = Double(recording.target.endNs ?? 0) / 1e9
        return first.seconds >= 1 && first.seconds > end / 2 ? .untracedChild(first) : nil
    }
}
