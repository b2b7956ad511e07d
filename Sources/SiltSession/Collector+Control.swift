internal import CSiltSystem
internal import Glibc
internal import SiltEvents
internal import SiltGrowth
internal import SiltHeap
internal import SiltSystem

extension Collector {
    /// Answers a request of `TraceControl`, after everything has been taken in that was sent before it.
    func control(_ text: String, from connection: Int32) throws {
        if options.servesHunt, hunter == nil { hunter = connection }
        do {
            let request = try ControlText.decode(request: text)
            for image in images.values { repeat { image.drain() } while image.hasMore }
            var growing = GrowingCounts()
            switch request {
            case .status: break
            case .beginHunt: try beginHunt(asker: connection)
            case .endRound(let mark): growing = try endRound(mark, asker: connection)
            case .symbolize: try record { try output.symbolize(Array(images.values)) }
            case .finish:
                finishAsked = connection
                finished = true
                return
            }
            var status = status
            status.growing = growing
            answer(connection, ControlText.encode(status))
        } catch let error as ControlError {
            answer(connection, ControlText.encode(error))
        }
    }

    func answer(_ connection: Int32, _ text: String) {
        // An asker that is gone, or does not read, waits for nothing.
        _ = Array(text.utf8).withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    var status: TraceStatus {
        var status = TraceStatus()
        status.recording = options.recording
        status.rounds = rounds.map { Int($0) }
        status.processes = images.count
        status.traced = outcome.traced
        status.problem = outcome.notes.first ?? ""
        for image in images.values {
            let totals = image.heap.totals
            status.allocatedCount += totals.allocatedCount
            status.inUseBytes += totals.inUseBytes
            status.inUseCount += totals.inUseCount
        }
        return status
    }

    /// A mark that begins the hunt is kept by its name; it ends no round.
    private func beginHunt(asker: Int32, mark: RoundMark? = nil) throws {
        guard rounds == nil else { throw ControlError("a hunt is on already in this trace") }
        // A forked child says hello late, at its first event.
        guard !images.isEmpty || outcome.traced > 0 && connections.contains(where: { $0 != asker }) else {
            throw ControlError("nothing is traced yet: start a program first")
        }
        try closeIntervals()
        for image in images.values { image.beginHunt() }
        rounds = 0
        nextSnapshot = .infinity
        roundStart = Clock.monotonicSeconds - startedAt
        try record { try output.beginHunt(Array(images.values), at: roundStart, mark: mark?.phase) }
    }

    /// The first mark of a trace that runs freely only says where the hunt begins.
    private func endRound(_ mark: RoundMark, asker: Int32) throws -> GrowingCounts {
        guard let before = rounds else {
            try beginHunt(asker: asker, mark: mark)
            return GrowingCounts()
        }
        guard before < UInt32(RoundHistory.limit) else {
            throw ControlError("\(before) rounds are as many as a recording holds")
        }
        try closeIntervals()
        rounds = before + 1
        let now = Clock.monotonicSeconds - startedAt
        let phase = try record { try output.endRound(mark, number: before + 1, Array(images.values), at: now) }
        intervals.append(
            HuntIntervals.Interval(
                phase: phase ?? 0,
                isIdle: mark.kind == .idle,
                requests: Double(mark.requests ?? 0),
                seconds: now - roundStart
            )
        )
        roundStart = now
        return growing()
    }

    /// Asks the judge of routes about every blamed function, over all processes, as if the hunt ended here.
    private func growing() -> GrowingCounts {
        let hunt = HuntIntervals(intervals)
        var counts = GrowingCounts()
        guard let phase = hunt.phases.last, phase > 0, phase <= hunt.routes else { return counts }
        let rounds = hunt.positions(ofPhase: phase)
        var sums: [Resource: [StackID: IntervalSeries]] = [:]
        for resource in Resource.allCases {
            for image in images.values {
                image.heap.forEachGroupHistory(of: resource) { key, history in
                    guard let series = history.intervals(hunt.count) else { return }
                    if sums[resource, default: [:]][key]?.add(series) == nil { sums[resource]?[key] = series }
                }
            }
        }
        var worst: (key: StackID, resource: Resource, slope: Double)?
        for (resource, sums) in sums {
            for (key, series) in sums where series.live[rounds.upperBound] > series.live[rounds.lowerBound] {
                let verdict = judgeHunt(series, hunt, route: phase)
                if verdict.verdict == .stillFilling { counts.filling += 1 }
                guard let confidence = verdict.confidence else { continue }
                switch confidence {
                case .high: counts.high += 1
                case .medium: counts.medium += 1
                case .low: counts.low += 1
                }
                if verdict.slope > worst?.slope ?? 0 { worst = (key, resource, verdict.slope) }
            }
        }
        if let worst { counts.suspect = output.suspect(worst.key, worst.resource, Array(images.values)) }
        return counts
    }

    private func closeIntervals() throws {
        for image in images.values {
            lookAtDescriptors(image)
            image.closeInterval()
        }
        events?.snapshot(Array(images.values), at: Clock.monotonicSeconds - startedAt)
    }
}
