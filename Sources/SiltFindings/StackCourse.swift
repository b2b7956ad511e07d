internal import SiltHeap
internal import SiltRecording
internal import SiltText

/// What stacks held at moments of a trace.
///
/// Of a hunt: live bytes at the baseline and after each round. Of a trace that ran freely the recording keeps less: the
/// lowest bytes in use in each of at most 32 spans, which is what remained of what came and went.
package struct StackCourse {
    package struct Moment: Equatable, Sendable {
        package var name: String
        /// Since the start of the trace.
        package var seconds: Double
    }

    package private(set) var moments: [Moment] = []
    /// False: the values are the lowest of the spans that end with the moments.
    package private(set) var isExact = false
    /// By stack: bytes at each moment, summed over processes; stacks that never held a byte at one are not there.
    package private(set) var values: [UInt32: [UInt64]] = [:]

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
            add(hunt.series(history).live.map { UInt64(max(0, $0)) }, to: stack)
        }
    }

    private mutating func takeFree(_ report: HeapReport) {
        let recording = report.recording
        let clocks = ProcessClock.all(of: recording)
        let rows = recording.snapshots
        guard let start = rows.map(\.timeNs).min(), let end = rows.map(\.timeNs).max(), end > start else { return }
        let times = (0...Self.spans).map { start + (end - start) * UInt64($0) / UInt64(Self.spans) }
        moments = times.map { Moment(name: Format.duration(Double($0) / 1e9), seconds: Double($0) / 1e9) }
        Self.forEachHistory(report, .freeRunning) { stack, process, history in
            let clock = clocks[process]
            guard let series = history.series(atSnapshot: UInt32(clock.ticks)) else { return }
            let ended = recording.processes[process].endNs
            add(times.map { Self.value(at: $0, series, clock, endNs: ended) }, to: stack)
        }
        // What was allocated at the end has no history yet.
        report.forEachCounter { row in
            guard values[row.stack] == nil, row.inUseBytes > 0 else { return }
            var late = [UInt64](repeating: 0, count: times.count)
            late[times.count - 1] = row.inUseBytes
            add(late, to: row.stack)
        }
    }

    private static func value(
        at timeNs: UInt64,
        _ series: SurvivorSeries,
        _ clock: ProcessClock,
        endNs: UInt64?
    ) -> UInt64 {
        guard let first = clock.rows.first, timeNs >= first.timeNs, timeNs <= endNs ?? .max else { return 0 }
        let seconds = Double(timeNs - first.timeNs) / 1e9
        let number = clock.period > 0 ? Int(seconds / clock.period) : 0
        if number == 0 { return UInt64(max(0, series.baseline)) }
        let bucket = (number - 1) / max(1, series.width)
        return UInt64(max(0, bucket < series.troughs.count ? series.troughs[bucket] : series.live))
    }

    private static func forEachHistory(
        _ report: HeapReport,
        _ question: SiteJudge.Question,
        _ body: (_ stack: UInt32, _ process: Int, SiteHistory) -> Void
    ) {
        let recording = report.recording
        var judge = SiteJudge(historyBytes: recording.historyBytes)
        judge.question = question
        for row in recording.histories {
            guard row.key >= 1, row.key <= recording.stacks.count,
                let process = recording.processIndex(of: row.process),
                row.resource == report.countedResource,
                let history = judge.history(row.range)
            else { continue }
            body(row.key, process, history)
        }
    }

    private mutating func add(_ bytes: [UInt64], to stack: UInt32) {
        guard bytes.contains(where: { $0 > 0 }), bytes.count == moments.count else { return }
        guard let known = values[stack] else {
            values[stack] = bytes
            return
        }
        values[stack] = zip(known, bytes).map { $0 &+ $1 }
    }
}
