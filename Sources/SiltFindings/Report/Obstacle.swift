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
    /// An untraced child lived long enough to be what grows (`mayHoldGrowth`).
    case untracedChild(RecordedUntraced)
    case nothingTraced
    /// A profile says what is in use, not what grows.
    case singleProfile
    case noAllocation
    case damagedEventFile
    case stopped(Stop)
    case tooFewSnapshots(Int)
    /// Seconds that the process was seen which was seen longest.
    case tooShort(Double)
    /// Seconds for which no snapshot was taken, of those that the process was seen.
    case stoodStill(Double, of: Double)
    case shortWorkers(ShortWorkers)
    /// Call sites that grew as code does that is loaded; the first of them, how many more, and what was watched.
    case loading(ReportFrame, others: Int, seconds: Double)
    /// The same, of sites that may be an interpreter's own caches.
    case filling(ReportFrame, others: Int, seconds: Double)
    /// The same, of sites that grew by ever less.
    case fading(ReportFrame, others: Int, seconds: Double)
    /// The same, of sites that grew by so many regular bursts and have rested since, for so long; 0: that grew steadily until the
    /// whole process rested.
    case resting(ReportFrame, others: Int, bursts: Int, seconds: Double)
    /// The same, of sites that grew evenly, and then not for so long though the program was as busy.
    case full(ReportFrame, others: Int, seconds: Double)
    /// The same, of sites that hold much of the descriptors that a process may have, where no other is left.
    case usedUp(ReportFrame, others: Int)
    /// The same, of sites that grew with what the program allocates, which became so many times as much, or ever less with it.
    case unevenLoad(ReportFrame, others: Int, ratio: Double)
    case phase(PhaseObstacle)
    /// RSS grew by what is not a block of the allocator's.
    case outsideMalloc(MemoryGrowth)
    case endedEarly(HuntFailure)

    /// Recording ended before the program did.
    package struct Stop: Equatable, Sendable {
        package var reason: TrustCounters.StopReason
        /// Since the start of the trace.
        package var seconds: Double
        /// Processes that it happened to.
        package var processes: Int
    }
}

extension Obstacle {
    /// A program that was not traced may be what grew.
    package var isOfUntraced: Bool {
        switch self {
        case .becameUntraced, .untraced, .untracedChild: true
        case .untraceable, .nothingTraced, .singleProfile, .noAllocation, .damagedEventFile, .stopped,
            .tooFewSnapshots, .tooShort, .stoodStill, .shortWorkers, .loading, .filling, .fading, .resting,
            .full, .usedUp, .unevenLoad, .phase, .outsideMalloc, .endedEarly:
            false
        }
    }
}

/// Why a hunt ended before its end, and the phases that it did not come to.
package struct HuntFailure: Equatable, Sendable {
    /// May have several lines: what a script printed stands below the first.
    package var reason: String
    package var missing: [String]
}

/// Why nothing can be said of a phase of a hunt.
package enum PhaseObstacle: Equatable, Sendable {
    case failedRequests(phase: String, share: Double)
    case tooFewRounds(phase: String, Int)
    /// Processes ended during the hunt, and what they held went with them; `share`: theirs of what was allocated.
    case endedProcesses(phase: String, Int, share: Double)
    /// Profiles hold one sample every `period` bytes: a leak of `bytes` per request would have left so many of them.
    case tooFewSamples(phase: String, samples: Double, period: UInt64, bytes: Double, requests: UInt64)
    /// Sites that are not charged still fill; the first of them, and how many more.
    case stillFilling(phase: String, ReportFrame, others: Int, rounds: Int)
    /// RSS grew by what is not a block of the allocator's.
    case outsideMalloc(MemoryGrowth)
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
        if ended.share > HuntPhases.maximumEndedShare {
            return .endedProcesses(phase: name, ended.processes, share: ended.share)
        }
        guard let requests, samplePeriod > 1 else { return nil }
        let bytes = HuntPhases.minimumLeakBytes
        let samples = bytes * Double(requests) / Double(samplePeriod)
        guard samples < HuntPhases.minimumSamples else { return nil }
        return .tooFewSamples(phase: name, samples: samples, period: samplePeriod, bytes: bytes, requests: requests)
    }

    /// The warm-up and two more.
    package static let minimumRounds = GrowthLimits.minimumRounds
}

/// What decides whether an untraced program may hold the growth that was looked for.
package enum UntracedLimits {
    /// A shorter one took with it what it had.
    static let minimumSeconds = 1.0
    /// Share of the trace that a service lives.
    static let serviceShare = 0.5
    /// Its resident memory rose by this much after its first second, and it lived for this share of the trace.
    package static let growthBytes: UInt64 = 1 << 20
    static let growthShare = 0.1
}
