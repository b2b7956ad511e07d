internal import Glibc
internal import SiltGrowth
internal import SiltHeap
internal import SiltRecording

/// Workers of one program that replace each other during a phase of a hunt, judged as one.
///
/// What one of them leaks is gone with it, and so is its cache. So they are judged by what each holds when it has done so
/// much: what was born then adds up over them, and the requests of the phase are shared out by what was done in it. A
/// worker's work is counted by the blocks that it allocates, without those of its start.
struct HuntWorkers {
    /// In `HuntPhases.phases`.
    let phase: Int
    /// In `Recording.processes`: all of that program that made no other, and those whose work was in the phase.
    let members: Set<Int>
    let judged: Set<Int>
    let leader: Int
    let count: Evidence.Phase.Workers
    /// Equal parts of what each of those judged did, with the requests that they had.
    let parts: HuntIntervals
    /// By process id: the part, from 1, that each interval belongs to; 0: to the start.
    private let places: [UInt32: [Int]]

    /// Those judged did at least as much as those that did this share of it together.
    private static let judgedShare = 0.75
    /// So much of the work of one is in the phase.
    private static let phaseShare = 0.9
    private static let minimumIntervals = 6
    private static let maximumParts = 12

    /// What the processes of each program did; empty where none began during the hunt.
    static func services(of recording: Recording, _ hunt: HuntPhases) -> [[WorkerLife]] {
        let services = WorkerTurns.services(of: recording)
        let all = services.lazy.flatMap { $0 }
        guard all.contains(where: { RecordedIntervals.began(recording.processes[$0], during: recording) }) else {
            return []
        }
        return services.map { members in members.map { WorkerLife($0, recording, hunt) } }
    }

    /// By phase and program.
    static func all(of services: [[WorkerLife]], _ recording: Recording, _ hunt: HuntPhases) -> [HuntWorkers] {
        services.filter { $0.contains(where: \.isLate) }.flatMap { lives in
            let lives = withoutStart(lives)
            return hunt.phases.indices.compactMap { phase in
                hunt.phases[phase].isIdle ? nil : HuntWorkers(lives, phase, recording, hunt)
            }
        }
    }

    /// Each without its start: what all of them do until they hold ever less of what they allocate, but no more than one did
    /// before it waited for the first time.
    private static func withoutStart(_ all: [WorkerLife]) -> [WorkerLife] {
        var lives = all
        let steady = lives.lazy.filter { $0.isLate && $0.isSeen }.map(\.untilSteady).sorted()
        guard !steady.isEmpty else { return lives }
        let start = min(steady[steady.count / 2], lives.compactMap(\.untilPause).min() ?? 0)
        for index in lives.indices where lives[index].isLate { lives[index].start = start }
        return lives
    }

    /// Workers of a phase that came one after the other and are not judged, with their share of what the phase allocated:
    /// whether they would have given back what they held is not known.
    static func unjudged(
        _ phase: Int,
        of services: [[WorkerLife]],
        besides judged: [HuntWorkers],
        _ recording: Recording,
        _ hunt: HuntPhases
    ) -> (processes: Int, share: Double) {
        var (all, gone, processes) = (0.0, 0.0, 0)
        let known = judged.filter { $0.phase == phase }.reduce(into: Set<Int>()) { $0.formUnion($1.members) }
        for lives in services {
            let done = lives.filter { !recording.processes[$0.process].isProfiled }
                .map { (process: $0.process, isLate: $0.isLate, blocks: $0.done(in: phase)) }
            let ended = done.filter {
                let row = recording.processes[$0.process]
                return $0.blocks > 0 && $0.isLate && row.forked && row.endNs ?? .max < hunt.endNs
            }
            let isOfJobs = areJobs(ended.map(\.process), of: lives, in: phase, recording, hunt)
            all += done.reduce(0) { $0 + $1.blocks }
            guard !isOfJobs else { continue }
            let open = ended.filter { !known.contains($0.process) }
            gone += open.reduce(0) { $0 + $1.blocks }
            processes += open.count
        }
        return (processes, all > 0 ? gone / all : 0)
    }

    /// Whether each of those that ended did one thing: none of them waited for the next round, or as many came as
    /// requests, or where these were not counted, they lived for a moment.
    private static func areJobs(
        _ ended: [Int],
        of lives: [WorkerLife],
        in phase: Int,
        _ recording: Recording,
        _ hunt: HuntPhases
    ) -> Bool {
        let rounds = recording.rounds.filter { hunt.phases[phase].numbers.contains($0.phase) }
        let waited = rounds.count { round in
            lives.contains {
                let row = recording.processes[$0.process]
                return row.startNs <= round.endNs && round.endNs <= row.endNs ?? .max
            }
        }
        guard 2 * waited > rounds.count, !ended.isEmpty else { return true }
        if let requests = hunt.phases[phase].requests {
            return Double(requests) < minimumRequests * Double(ended.count)
        }
        let nanoseconds = ended.map {
            let row = recording.processes[$0]
            return (row.endNs ?? hunt.endNs) &- row.startNs
        }.sorted()
        return Double(nanoseconds[nanoseconds.count / 2]) / 1e9 < minimumSeconds
    }

    private static let (minimumSeconds, minimumRequests) = (0.03, 1.5)

    private init?(_ lives: [WorkerLife], _ phase: Int, _ recording: Recording, _ hunt: HuntPhases) {
        let candidates = lives.filter {
            $0.isLate && $0.isSeen && $0.work > 0 && $0.work(in: phase) >= Self.phaseShare * $0.work
        }.sorted { $0.work > $1.work }
        let late = lives.filter { $0.isLate && $0.done(in: phase) > 0 }.map(\.process)
        guard !Self.areJobs(late, of: lives, in: phase, recording, hunt) else { return nil }
        let all = candidates.reduce(0) { $0 + $1.work }
        var sum = 0.0
        var work = 0.0
        for life in candidates where sum < Self.judgedShare * all {
            sum += life.work
            work = life.work
        }
        let judged = candidates.filter { $0.work >= work && $0.intervals(until: work) >= Self.minimumIntervals }
        let generations = WorkerTurns.generations(
            judged.map { (recording.processes[$0.process].startNs, recording.processes[$0.process].endNs ?? .max) }
        )
        guard generations >= WorkerTurns.minimumGenerations, let leader = judged.first else { return nil }
        let intervals = judged.map { $0.intervals(until: work) }.sorted()[judged.count / 2]
        let partCount = min(Self.maximumParts, max(Self.minimumIntervals, intervals / 2))
        let done = lives.reduce(0) { $0 + $1.done(in: phase) }
        let (requests, seconds) = (hunt.phases[phase].requests, judged.reduce(0) { $0 + $1.seconds })
        let perWork = Double(requests ?? UInt64(hunt.phases[phase].rounds)) / max(1, done)
        var loads = [Double](repeating: 0, count: partCount)
        var places: [UInt32: [Int]] = [:]
        for life in judged {
            let own = life.places(partCount, until: work)
            places[recording.processes[life.process].id] = own
            for (place, done) in zip(own, life.works) where place > 0 { loads[place - 1] += done * perWork }
        }
        self.phase = phase
        members = Set(lives.map(\.process))
        self.judged = Set(judged.map(\.process))
        self.leader = leader.process
        self.count = Evidence.Phase.Workers(count: judged.count, generations: generations)
        parts = .rounds(
            requests: loads,
            seconds: Array(repeating: seconds / Double(judged.count * partCount), count: partCount)
        )
        self.places = places
    }

    /// The part of its work that each interval of a process belongs to.
    func places(of process: UInt32) -> [Int] { places[process] ?? [] }

    /// Those of all that were judged together.
    func series(_ history: SiteHistory) -> IntervalSeries? { history.intervals(parts.count) }

    func verdict(_ history: SiteHistory) -> GrowthVerdict {
        let series = series(history) ?? .nothing(parts.count)
        let verdict = judgeRounds(series, parts)
        return verdict.verdict.isGrowing ? verdict : judgeBursts(series, parts) ?? verdict
    }
}
