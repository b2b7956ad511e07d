package import SiltEvents
internal import SiltHeap
internal import SiltRecording
internal import SiltText

/// What stacks held at moments of a trace.
///
/// Of a hunt: live bytes at the baseline and after each round. Of a trace that ran freely the recording knows what each call
/// site held (`SiteMoments`, as `Moments`), and of its stacks the lowest bytes in use over spans of time: what the site held
/// is spread over them by these, so that their sums are what `silt diff --between` says.
package struct StackCourse {
    package struct Moment: Equatable, Sendable {
        package var name: String
        /// Since the start of the trace.
        package var seconds: Double
    }

    package private(set) var moments: [Moment] = []
    /// False: there are no moments.
    package private(set) var isExact = false
    /// By stack: bytes at each moment, summed over processes; stacks that never held a byte at one are not there.
    package private(set) var values: [StackID: [UInt64]] = [:]
    /// What of it was of processes that had ended by then, and held it before; only of the stacks that have any.
    package private(set) var ended: [StackID: [UInt64]] = [:]

    private static let spans = 32

    /// Without moments when the recording has no past.
    package init(_ report: HeapReport) {
        if let hunt = HuntPhases(report.recording) {
            take(hunt, report)
        } else {
            takeFree(report)
        }
    }

    private mutating func take(_ hunt: HuntPhases, _ report: HeapReport) {
        let recording = report.recording
        isExact = true
        moments = [Moment(name: "start", seconds: Double(recording.rounds.first?.startNs ?? 0) / 1e9)]
        var counts: [Int: Int] = [:]
        for round in recording.rounds {
            counts[round.phase, default: 0] += 1
            let name = "\(recording.phases[round.phase - 1].name):\(counts[round.phase] ?? 0)"
            moments.append(Moment(name: name, seconds: Double(round.endNs) / 1e9))
        }
        Self.forEachHistory(report, .phase(hunt.phases[0], of: hunt)) { stack, _, history in
            let live = hunt.series(history).live.map { UInt64(max(0, $0)) }
            if live.count == moments.count { Self.add(live, to: &values[stack]) }
        }
    }

    private mutating func takeFree(_ report: HeapReport) {
        let recording = report.recording
        let clocks = ProcessClock.all(of: recording)
        let rows = recording.snapshots
        guard let start = rows.map(\.timeNs).min(), let end = rows.map(\.timeNs).max(), end > start else { return }
        let times = (0...Self.spans).map { start + (end - start) * UInt64($0) / UInt64(Self.spans) }
        moments = times.map { Moment(name: Format.duration(Double($0) / 1e9), seconds: Double($0) / 1e9) }
        isExact = true
        let stacks = GroupStacks(report)
        var lows: [UInt64: [UInt64]] = [:]
        Self.forEachHistory(report, .freeRunning) { stack, process, history in
            let clock = clocks[process]
            guard let series = history.series(atSnapshot: clock.lastTick) else { return }
            lows[stack.key(inProcess: recording.processes[process].id)] = times.map {
                Self.value(at: $0, series, clock)
            }
        }
        let ends = Dictionary(recording.processes.map { ($0.id, $0.endNs ?? .max) }) { first, _ in first }
        SiteMoments.forEach(report.countedResource, of: recording, at: times) { process, group, values in
            let members = stacks.members(process: process, group: group)
            guard !members.isEmpty else { return }
            let end = ends[process] ?? .max
            let weights = members.map { lows[$0.stack.key(inProcess: process)] }
            for (member, values) in zip(members, Self.split(values, over: members, weights)) {
                Self.add(values, to: &self.values[member.stack])
                if end < times[times.count - 1] {
                    Self.add(zip(times, values).map { end < $0 ? $1 : 0 }, to: &ended[member.stack])
                }
            }
        }
    }

    /// What a call site held at each moment, over its stacks: as they held at least, or else as they hold or took in the end.
    private static func split(
        _ values: [UInt64],
        over members: [GroupStacks.Member],
        _ lows: [[UInt64]?]
    ) -> [[UInt64]] {
        var result = Array(repeating: [UInt64](repeating: 0, count: values.count), count: members.count)
        for (moment, value) in values.enumerated() where value > 0 {
            var weights = lows.map { Double($0?[moment] ?? 0) }
            if weights.reduce(0, +) == 0 { weights = members.map(\.inUse) }
            if weights.reduce(0, +) == 0 { weights = members.map(\.allocated) }
            let sum = weights.reduce(0, +)
            let heaviest = weights.indices.max { weights[$0] < weights[$1] } ?? 0
            var left = value
            for index in members.indices where index != heaviest && sum > 0 {
                let part = min(left, UInt64(Double(value) * (weights[index] / sum)))
                result[index][moment] = part
                left -= part
            }
            result[heaviest][moment] = left
        }
        return result
    }

    private static func value(at timeNs: UInt64, _ series: SurvivorSeries, _ clock: ProcessClock) -> UInt64 {
        guard let first = clock.rows.first, timeNs >= first.timeNs else { return 0 }
        let seconds = Double(timeNs - first.timeNs) / 1e9
        let number = clock.period > 0 ? Int(seconds / clock.period) : 0
        if number == 0 { return UInt64(max(0, series.baseline)) }
        let bucket = (number - 1) / max(1, series.width)
        return UInt64(max(0, bucket < series.troughs.count ? series.troughs[bucket] : series.live))
    }

    private static func forEachHistory(
        _ report: HeapReport,
        _ question: SiteJudge.Question,
        _ body: (_ stack: StackID, _ process: Int, SiteHistory) -> Void
    ) {
        let recording = report.recording
        var judge = SiteJudge(recording)
        judge.question = question
        for row in recording.histories {
            guard row.key != .none, recording.stacks.holds(row.key),
                let process = recording.processIndex(of: row.process),
                row.resource == report.countedResource,
                let history = judge.history(row.range)
            else { continue }
            body(row.key, process, history)
        }
    }

    private static func add(_ bytes: [UInt64], to sum: inout [UInt64]?) {
        guard bytes.contains(where: { $0 > 0 }) else { return }
        sum = sum.map { zip($0, bytes).map { $0 &+ $1 } } ?? bytes
    }
}

/// The stacks of each group that call sites were counted by during the run, in each process.
private struct GroupStacks {
    struct Member {
        var stack: StackID
        var inUse: Double
        var allocated: Double
    }

    private var members: [UInt64: [Member]] = [:]

    init(_ report: HeapReport) {
        report.forEachCounter { row in
            guard row.group != .none, row.stack != .none else { return }
            members[row.group.key(inProcess: row.process), default: []].append(
                Member(stack: row.stack, inUse: Double(row.inUseBytes), allocated: Double(row.allocatedBytes))
            )
        }
    }

    func members(process: UInt32, group: FrameID) -> [Member] { members[group.key(inProcess: process)] ?? [] }
}
