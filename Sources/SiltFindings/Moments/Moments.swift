internal import SiltEvents
internal import SiltGrowth
internal import SiltHeap
package import SiltRecording
internal import SiltText

/// What a recording knows of its past: at the rounds of a hunt by stack, at the snapshots of a free trace by call site.
///
/// Of the past it knows the bytes in use alone (and at snapshots their blocks), of nothing else.
package struct Moments {
    package struct Moment: Equatable, Sendable {
        /// Rounds that have ended, or nanoseconds since the start.
        fileprivate var position: UInt64
        package var name: String
        /// Seconds since the start, and requests that were answered by then; nil: nobody counted them.
        package var seconds: Double
        package var requests: UInt64?

        package func isLater(than other: Moment) -> Bool { position > other.position }
    }

    private let recording: Recording
    private let path: String
    private let hunt: HuntPhases?

    /// Throws for a recording without a past: of one profile, or too short for a snapshot.
    package init(_ recording: Recording, path: String) throws(ReportError) {
        self.recording = recording
        self.path = path
        hunt = HuntPhases(recording)
        guard !Self.has(recording) else { return }
        throw .notRecorded(
            path: path,
            what: recording.snapshots.count < 2
                ? "it has fewer than two snapshots, so there are no moments to compare"
                : "it says what its call sites hold at the end, and not what they held before"
        )
    }

    /// Whether it knows of its past.
    package static func has(_ recording: Recording) -> Bool {
        !recording.rounds.isEmpty || !recording.groupSamples.isEmpty
    }

    /// Throws for a moment that the recording does not have, and says which there are.
    package func moment(_ name: MomentName) throws(ReportError) -> Moment {
        if let hunt { return try round(name, hunt) }
        return try snapshot(name)
    }

    /// An earlier moment and a later one.
    package func moments(_ names: (MomentName, MomentName)) throws(ReportError) -> (Moment, Moment) {
        let (first, second) = (try moment(names.0), try moment(names.1))
        guard second.isLater(than: first) else {
            throw .noTimeBetween(names.0, names.1, isReversed: first.isLater(than: second))
        }
        return (first, second)
    }

    /// The recording as if it had ended then, processes that had ended as they were right before.
    ///
    /// Its counters are those of that moment, and it has no history.
    package func recording(at moment: Moment) -> Recording {
        var past = recording
        if let hunt { stacks(at: Int(moment.position), hunt, &past) } else { sites(at: moment.position, &past) }
        past.histories = []
        past.groupHistories = []
        past.groupSamples = []
        past.rounds = []
        return past
    }

    /// Processes of a free trace that had ended by then and stand as they were before, by their numbers.
    package func ended(by moment: Moment) -> Set<UInt32> {
        guard hunt == nil else { return [] }
        let ended = recording.processes.lazy.filter { $0.endNs ?? .max < moment.position && $0.end != .execed }
        return Set(ended.map(\.id))
    }

    // MARK: Rounds of a hunt

    private func round(_ name: MomentName, _ hunt: HuntPhases) throws(ReportError) -> Moment {
        let all = recording.rounds.count
        let position: Int
        switch name {
        case .start: position = 0
        case .end: position = all
        case .number(let number): position = number
        case .seconds(let seconds): position = recording.rounds.count { Double($0.endNs) <= seconds * 1e9 }
        case .phase(let phase, let round):
            guard let span = hunt.spans.first(where: { $0.name == phase }) else {
                let names = hunt.spans.map(\.name)
                throw .noMoment(name, known: "phases are \(names.joined(separator: ", "))")
            }
            guard round ?? 0 <= span.positions.count else {
                throw .noMoment(name, known: "\(phase) has \(Format.plural(UInt64(span.positions.count), "round"))")
            }
            position = round.map { span.positions.lowerBound + $0 } ?? span.positions.upperBound
        }
        guard position <= all else {
            throw .noMoment(name, known: "the hunt has \(Format.plural(UInt64(all), "round"))")
        }
        return moment(afterRounds: position, hunt)
    }

    private func moment(afterRounds position: Int, _ hunt: HuntPhases) -> Moment {
        let rounds = recording.rounds
        let time = position == 0 ? rounds[0].startNs : rounds[position - 1].endNs
        var name = "before the first round"
        if position > 0 {
            let span = hunt.spans.first { $0.positions.contains(position - 1) }
            let within = span.map { position - $0.positions.lowerBound } ?? position
            name = "after \(Format.plural(UInt64(within), "round")) of \(span?.name ?? "the hunt")"
        }
        return Moment(
            position: UInt64(position),
            name: path + " " + name,
            seconds: Double(time) / 1e9,
            requests: rounds.requests == nil ? nil : rounds.prefix(position).requests ?? 0
        )
    }

    private func stacks(at position: Int, _ hunt: HuntPhases, _ past: inout Recording) {
        past.counters = []
        var judge = SiteJudge(recording)
        judge.question = .phase(hunt.phases[0], of: hunt)
        for row in recording.histories {
            guard row.key != .none, recording.stacks.holds(row.key), let history = judge.history(row.range) else {
                continue
            }
            var counters = RecordedCounters(row.resource, process: row.process, stack: row.key)
            counters.inUseBytes = UInt64(max(0, hunt.series(history).live[position]))
            if counters.inUseBytes > 0 { past.counters.append(counters) }
        }
    }

    // MARK: Snapshots of a free trace

    private func snapshot(_ name: MomentName) throws(ReportError) -> Moment {
        // Of the process that was traced from the start.
        let first = recording.processes.first?.id
        let rows = recording.snapshots.filter { $0.process == first }
        let last = rows.last?.snapshot ?? 0
        switch name {
        case .start: return moment(at: rows.first?.timeNs ?? 0)
        case .end: return moment(at: recording.snapshots.map(\.timeNs).max() ?? 0)
        case .number(let number):
            guard let row = rows.first(where: { $0.snapshot >= number }) else {
                throw .noMoment(name, known: "snapshots are 0 to \(last)")
            }
            return moment(at: row.timeNs)
        case .seconds(let seconds):
            let end = recording.snapshots.map(\.timeNs).max() ?? 0
            guard seconds * 1e9 <= Double(end) + 1e9 else {
                throw .noMoment(name, known: "the recording ends after \(Format.duration(Double(end) / 1e9))")
            }
            return moment(at: UInt64((seconds * 1e9).rounded()))
        case .phase:
            throw .noMoment(
                name,
                known: "the trace ran freely: moments are snapshots (0 to \(last)), times (30s), start and end"
            )
        }
    }

    private func moment(at time: UInt64) -> Moment {
        Moment(position: time, name: "\(path) at \(Format.duration(Double(time) / 1e9))", seconds: Double(time) / 1e9)
    }

    /// Call sites stand for themselves: each is a stack of one frame.
    private func sites(at time: UInt64, _ past: inout Recording) {
        past.counters = []
        past.stacks = []
        for index in recording.frames.indices {
            var stack = RecordedStack()
            stack.frame = FrameID(index: index)
            past.stacks.append(stack)
        }
        SiteMoments.forEachSample(of: recording, at: [time]) { resource, process, group, samples in
            guard let sample = samples[0], sample.inUseBytes > 0 else { return }
            var counters = RecordedCounters(resource, process: process, stack: StackID(rawValue: group.rawValue))
            counters.inUseBytes = sample.inUseBytes
            counters.inUseCount = sample.inUseCount
            past.counters.append(counters)
        }
    }
}
