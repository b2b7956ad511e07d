internal import SiltRecording

/// Processes of one program that replace each other: workers that end after so many requests, a process a connection.
///
/// None of them lives long enough to say much, so they are judged as one, by the age of their blocks' process: what was
/// born at the same age of each adds up, and the end of a worker frees all of its content. A site grows when each worker
/// keeps more the longer it lives; how much the service loses follows from how many of them live at once.
struct WorkerTurns {
    /// What is said of them.
    struct Facts: Equatable {
        /// How many there were, and how many came one after the other.
        var workers: Int
        var generations: Int
        /// Snapshots that each of those judged has lived for, the baseline included.
        var snapshots: Int
    }

    /// In `Recording.processes`.
    let members: Set<Int>
    /// Those that lived for `clock.count` snapshots, over which they are judged.
    let judged: Set<Int>
    /// The one that lived longest, and its clock for as long as all of those judged lived.
    let leader: Int
    let clock: ProcessClock
    let facts: Facts
    /// From the start of the first to the end of the last.
    let span: ClosedRange<UInt64>
    /// How many lived at once, on average.
    let alive: Double
    /// All were made by fork alone: workers of a server, rather than jobs.
    let areForked: Bool

    /// What was seen in fewer generations may be the warm-up of a service that is to stay.
    static let minimumGenerations = 3
    /// The time that each must live where snapshots are taken as often as that: less is a job or a connection.
    private static let minimumSeconds = 3.0
    /// Those judged have at least this share of the time that all of them lived together.
    private static let judgedShare = 0.75

    /// Enough of them, each long enough, to be judged as one.
    var canBeJudged: Bool {
        guard facts.generations >= Self.minimumGenerations else { return false }
        return clock.periods >= SiteOpinion.minimumSnapshots || clock.isShort && clock.seconds >= Self.minimumSeconds
    }

    /// There are enough of them, but none of them may be judged alone: that it keeps what it has until its end says nothing.
    var areTooShort: Bool { facts.generations >= Self.minimumGenerations && !canBeJudged }

    /// By program; programs none of whose processes was replaced are left out.
    static func all(of recording: Recording, _ clocks: [ProcessClock]) -> [WorkerTurns] {
        let last = max(
            recording.target.endNs ?? 0,
            recording.snapshots.lazy.map(\.timeNs).max() ?? 0
        )
        return services(of: recording).compactMap {
            WorkerTurns(alike($0, recording, clocks, lastNs: last), recording, clocks, lastNs: last)
        }
        .sorted { $0.leader < $1.leader }
    }

    /// Processes that made no other, by program.
    static func services(of recording: Recording) -> [[Int]] {
        // A fork child that became another program was not a worker.
        let candidates = recording.processes.indices.filter {
            !recording.processes[$0].isProfiled && recording.processes[$0].end != .execed
        }
        let parents = Set(candidates.map { recording.processes[$0].parent })
        let workers = candidates.filter { !parents.contains(recording.processes[$0].id) }
        let programs = Dictionary(grouping: workers) { index in
            let process = recording.processes[index]
            return process.executable.isEmpty ? process.command.first ?? "" : process.executable
        }
        return programs.values.map { $0.sorted() }.sorted { $0[0] < $1[0] }
    }

    /// How many came one after the other.
    static func generations(_ lives: [(start: UInt64, end: UInt64)]) -> Int {
        // The longest row of lives without an overlap is found by taking the earliest end each time.
        var count = 0
        var before: UInt64 = 0
        for life in lives.sorted(by: { $0.end < $1.end }) where count == 0 || life.start >= before {
            count += 1
            before = life.end
        }
        return count
    }

    /// Without those that live much longer than most: they are not workers that are replaced, whatever else ran meanwhile.
    private static func alike(
        _ members: [Int],
        _ recording: Recording,
        _ clocks: [ProcessClock],
        lastNs: UInt64
    ) -> [Int] {
        func lived(_ index: Int) -> UInt64 {
            let start = recording.processes[index].startNs
            return max(start, recording.processes[index].endNs ?? lastNs) - start
        }
        let seen = members.filter { clocks[$0].count > 0 }.map(lived).sorted()
        guard let longest = seen.isEmpty ? nil : seen[seen.count / 2] &* maximumLife else { return members }
        return members.filter { lived($0) <= longest }
    }

    /// Times as long as half of them live.
    private static let maximumLife: UInt64 = 3

    private init?(_ members: [Int], _ recording: Recording, _ clocks: [ProcessClock], lastNs: UInt64) {
        func start(_ index: Int) -> UInt64 { recording.processes[index].startNs }
        func end(_ index: Int) -> UInt64 { max(start(index), recording.processes[index].endNs ?? lastNs) }
        func lived(_ index: Int) -> Double { Double(end(index) - start(index)) }
        let all = members.reduce(0) { $0 + lived($1) }
        var sum = 0.0
        var count = 0
        for index in members.sorted(by: { clocks[$0].count > clocks[$1].count }) where sum < Self.judgedShare * all {
            sum += lived(index)
            count = clocks[index].count
        }
        let judged = members.filter { clocks[$0].count >= count }
        let generations = Self.generations(judged.map { (start($0), end($0)) })
        guard generations > 1, let leader = judged.max(by: { lived($0) < lived($1) }),
            let first = members.map(start).min(), let last = members.map(end).max(), last > first
        else { return nil }
        self.members = Set(members)
        self.judged = Set(judged)
        self.leader = leader
        clock = clocks[leader].ending(at: count)
        facts = Facts(workers: members.count, generations: generations, snapshots: count + 1)
        span = first...last
        alive = all / Double(last - first)
        areForked = members.allSatisfy { recording.processes[$0].forked }
    }

    /// Sums over the workers as what the service loses: of those that live at once.
    func share(_ opinion: SiteOpinion) -> SiteOpinion {
        let scale = alive / Double(judged.count)
        var result = opinion
        result.slope *= scale
        result.error *= scale
        guard case .run(var verdict, let period) = opinion.evidence.basis else { return result }
        verdict.slope *= scale
        verdict.error *= scale
        result.evidence = Evidence(
            .workers(verdict, period: period, count: facts.workers, generations: facts.generations)
        )
        return result
    }
}
