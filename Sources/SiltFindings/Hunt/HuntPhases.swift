internal import SiltGrowth
internal import SiltHeap
internal import SiltRecording

/// The phases of a hunt, as the judges and the report see them.
package struct HuntPhases: Sendable {
    package struct Phase: Sendable {
        package var name: String
        /// Nothing was asked of the target.
        package var isIdle: Bool
        /// Intervals, the warm-up round included.
        package var rounds = 0
        /// nil: nobody counted them.
        package var requests: UInt64?
        package var failedRequests: UInt64?
        /// That its intervals took together.
        package var seconds = 0.0
        /// Processes that allocated in it across rounds and ended during the hunt, and their share of what was allocated.
        ///
        /// What they held is gone with them, so it is not seen whether it would have been given back.
        package var ended: (processes: Int, share: Double) = (0, 0)
        /// Bytes from one sample of a heap profile to the next; 0 without profiles, or when they count all.
        package var samplePeriod: UInt64 = 0
        /// In `Recording.phases`, from 1; an idle phase at the end belongs to that at the beginning.
        package var numbers: [Int] = []
        /// What `HuntVerdicts` knows it by: 0 the idle phases, else the route.
        let route: Int

        init(name: String, isIdle: Bool = false, route: Int) {
            (self.name, self.isIdle, self.route) = (name, isIdle, route)
        }

        /// Of which nothing was measured, or which is a whole run.
        package init(name: String, seconds: Double = 0) {
            self.init(name: name, route: 0)
            self.seconds = seconds
        }
    }

    /// Idle first when there was any, then the routes in their order.
    package private(set) var phases: [Phase] = []
    let intervals: HuntIntervals
    /// Live bytes of the processes at the baseline are those of this time.
    let endNs: UInt64

    /// Processes that allocated more of a phase than this may not have ended for it to be acquitted.
    static let maximumEndedShare = 0.1
    /// A leak of so many bytes per request must have left so many samples before a phase is acquitted by profiles.
    static let (minimumLeakBytes, minimumSamples) = (100.0, 8.0)
    /// More of the requests may not fail if a phase is to say anything.
    static let maximumFailedShare = 0.01

    /// nil when the trace ran freely.
    init?(_ recording: Recording) {
        let rounds = recording.rounds
        guard let last = rounds.last else { return nil }
        endNs = last.endNs
        intervals = HuntIntervals(
            rounds.map { .init(phase: $0.phase, isIdle: $0.isIdle, requests: $0.load, seconds: $0.seconds) }
        )
        for (index, round) in rounds.enumerated() {
            let route = intervals.route(at: index)
            if phases.last?.route != route, let known = phases.firstIndex(where: { $0.route == route }) {
                add(round, to: known)
            } else {
                if phases.last?.route != route {
                    let name = round.isIdle ? "idle" : recording.phases[round.phase - 1].name
                    phases.append(Phase(name: name, isIdle: round.isIdle, route: route))
                }
                add(round, to: phases.count - 1)
            }
        }
        phases.sort { $0.route < $1.route }
        let period = recording.processes.compactMap(\.samplePeriod).max() ?? 0
        for index in phases.indices {
            phases[index].ended = ended(in: phases[index], recording)
            phases[index].samplePeriod = period
        }
    }

    /// `judged`: the processes that are judged by what they held when they ended, in `Recording.processes`.
    func ended(
        in phase: Phase,
        _ recording: Recording,
        besides judged: Set<Int> = []
    ) -> (processes: Int, share: Double) {
        let numbers = Set(phase.numbers)
        var (all, gone) = (0.0, 0.0)
        var processes: Set<UInt32> = []
        for row in recording.phaseAllocations where numbers.contains(row.phase) {
            all += Double(row.bytes)
            guard let index = recording.processIndex(of: row.process), !judged.contains(index),
                recording.processes[index].endNs ?? .max < endNs
            else { continue }
            gone += Double(row.bytes)
            processes.insert(row.process)
        }
        return (processes.count, all > 0 ? gone / all : 0)
    }

    /// In `phases`: the one that was on.
    func phase(at time: UInt64, in recording: Recording) -> Int? {
        let route = intervals.route(at: RecordedIntervals.round(at: time, recording))
        return phases.firstIndex { $0.route == route }
    }

    private mutating func add(_ round: RecordedRound, to index: Int) {
        phases[index].rounds += 1
        phases[index].seconds += round.seconds
        if phases[index].numbers.last != round.phase { phases[index].numbers.append(round.phase) }
        phases[index].requests.add(round.requests)
        phases[index].failedRequests.add(round.failedRequests)
    }

    /// What came after what: the phases with their rounds, idle twice when it was watched at both ends.
    package var spans: [(name: String, positions: Range<Int>)] {
        (0...intervals.routes + 1).compactMap { route in
            let positions = intervals.positions(ofPhase: route)
            guard !positions.isEmpty else { return nil }
            let name = phases.first { $0.route == intervals.route(at: positions.lowerBound) }?.name ?? "idle"
            return (name, positions)
        }
    }

    /// Positions of a phase's rounds in a series of intervals; of the idle phases both.
    func allPositions(of phase: Phase) -> [Int] { spans(of: phase).flatMap { Array($0) } }

    /// The same without each span's first round, in which things warm up.
    func steadyPositions(of phase: Phase) -> [Int] { steadySpans(of: phase).flatMap { Array($0) } }

    /// The same by spans.
    func steadySpans(of phase: Phase) -> [Range<Int>] { spans(of: phase).map { $0.dropFirst() } }

    private func spans(of phase: Phase) -> [Range<Int>] {
        let routes = phase.route > 0 ? [phase.route] : [0, intervals.routes + 1]
        return routes.map(intervals.positions)
    }

    /// What live bytes rose by in a phase; of the idle phases in both together.
    func gain(_ live: [Double], in phase: Phase) -> Double {
        spans(of: phase).reduce(0) { $1.isEmpty ? $0 : $0 + live[$1.upperBound] - live[$1.lowerBound] }
    }

    /// The history by the hunt's intervals; nothing at all of one that does not keep them.
    func series(_ history: SiteHistory) -> IntervalSeries {
        history.intervals(intervals.count) ?? .nothing(intervals.count)
    }
}

extension HuntPhases.Phase {
    /// Share of the requests that failed; 0 when nobody counted them.
    package var failedShare: Double {
        guard let requests, let failedRequests, max(requests, failedRequests) > 0 else { return 0 }
        return Double(failedRequests) / Double(max(requests, failedRequests))
    }

    /// Says nothing of growth: what fails leaves other memory behind than what succeeds.
    package var isInconclusive: Bool { failedShare > HuntPhases.maximumFailedShare }
}
