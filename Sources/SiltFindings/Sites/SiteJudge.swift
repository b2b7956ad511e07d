internal import SiltGrowth
internal import SiltHeap
internal import SiltRecording

/// Asks the judge of growth about call sites: recorded histories in, verdicts and opinions out.
struct SiteJudge {
    /// What is asked of a site.
    enum Question {
        /// Does it grow while the program runs?
        case freeRunning
        /// Does it grow in that phase of the hunt?
        case phase(HuntPhases.Phase, of: HuntPhases)
        /// Does it grow in workers that replace each other, in that phase?
        case workers(HuntWorkers, HuntPhases.Phase)
    }

    private let bytes: [UInt8]
    private let own: RecordedIntervals
    var question = Question.freeRunning

    init(_ recording: Recording) {
        bytes = recording.historyBytes
        own = RecordedIntervals(recording)
    }

    /// True when there are enough snapshots for any verdict.
    func isReady(_ clock: ProcessClock) -> Bool {
        switch question {
        case .freeRunning: clock.canBeJudged
        case .phase, .workers: true
        }
    }

    /// What is said of a site that has a verdict.
    func opinion(_ verdict: GrowthVerdict, clock: ProcessClock) -> SiteOpinion {
        switch question {
        case .freeRunning: .run(verdict, clock: clock)
        case .phase(let phase, _): .phase(verdict, phase)
        case .workers(let workers, let phase): .workers(verdict, workers.count, phase)
        }
    }

    /// The verdict on those histories together; nil when one cannot be read.
    func verdict(of histories: [Range<Int>], clock: ProcessClock) -> GrowthVerdict? {
        var decoded: [SiteHistory] = []
        for range in histories {
            guard let history = history(range) else { return nil }
            decoded.append(history)
        }
        return SiteJudge.sum(decoded).map { self.verdict($0, clock) }
    }

    func verdict(_ history: SiteHistory, _ clock: ProcessClock) -> GrowthVerdict {
        switch question {
        case .freeRunning: return freeRunning(history, clock)
        case .phase(let phase, let hunt):
            let series = hunt.series(history)
            if history.hasBirths { return judgeHunt(series, hunt.intervals, route: phase.route) }
            let verdicts = judgeHuntWithoutBirths(series.live, hunt.intervals)
            return phase.route == 0 ? verdicts.idle : verdicts.routes[phase.route - 1]
        case .workers(let workers, _): return workers.verdict(history)
        }
    }

    /// What the whole process was at rest after is judged until then.
    private func freeRunning(_ history: SiteHistory, _ clock: ProcessClock) -> GrowthVerdict {
        let whole = history.series(atSnapshot: clock.lastTick) ?? .nothing
        let verdict = judge(whole, loads: clock.loads(of: whole))
        guard let rest = clock.rest, [.decel, .stalled, .flat, .sparse].contains(verdict.reason),
            !verdict.verdict.isGrowing, let series = history.series(atSnapshot: rest.end(of: whole))
        else { return verdict }
        let awake = judge(series, loads: clock.loads(of: series))
        guard awake.verdict.isGrowing, awake.confidence != .low else { return verdict }
        if rest.isShort { return awake }
        var facts = verdict.facts
        (facts.restSeconds, facts.loadRatio) = (rest.seconds, 0)
        return GrowthVerdict(.stillFilling, verdict.reason, facts: facts)
    }

    /// What of a site still lives of all that was born since the baseline, or in the phase.
    func survivors(_ history: SiteHistory) -> (bytes: UInt64, count: UInt64) {
        switch question {
        case .freeRunning: return history.survivors
        case .workers(let workers, _):
            let series = workers.series(history)
            return (UInt64(series?.bytes.reduce(0, +) ?? 0), UInt64(series?.counts.reduce(0, +) ?? 0))
        case .phase(let phase, let hunt):
            let series = hunt.series(history)
            guard history.hasBirths else {
                // What it gained stands for what survived; how many blocks that is is not known.
                let gained = UInt64(max(0, hunt.gain(series.live, in: phase)))
                return (gained, gained)
            }
            var (bytes, count) = (0.0, 0.0)
            for position in hunt.allPositions(of: phase) {
                bytes += series.bytes[position]
                count += series.counts[position]
            }
            return (UInt64(bytes), UInt64(count))
        }
    }

    /// The same without the first and the last quarter, or round: what came once at the start, and what may still go.
    func steadySurvivors(_ history: SiteHistory, _ clock: ProcessClock) -> (bytes: Double, count: Double) {
        func sum(
            _ bytes: [Double],
            _ counts: [Double],
            _ places: some Collection<Int>
        ) -> (bytes: Double, count: Double) {
            places.reduce((0, 0)) { ($0.0 + bytes[$1], $0.1 + counts[$1]) }
        }
        switch question {
        case .freeRunning:
            let all = history.survivors
            guard all.count > 0 || all.bytes > 0, let births = history.births(atSnapshot: clock.lastTick),
                !births.bytes.isEmpty
            else { return (Double(all.bytes), Double(all.count)) }
            let skipped = births.bytes.count / GrowthLimits.skippedPart
            return sum(births.bytes, births.counts, skipped..<births.bytes.count - skipped)
        case .workers(let workers, _):
            guard let series = workers.series(history) else { return (0, 0) }
            return sum(series.bytes, series.counts, 1..<series.bytes.count - 1)
        case .phase(let phase, let hunt):
            guard history.hasBirths else {
                let all = survivors(history)
                return (Double(all.bytes), Double(all.count))
            }
            let series = hunt.series(history)
            let positions = hunt.steadyPositions(of: phase)
            return sum(series.bytes, series.counts, positions.count > 2 ? positions.dropLast() : positions[...])
        }
    }

    /// Blocks that stayed, by the interval they were born in; empty where births are not known.
    func births(_ history: SiteHistory, _ clock: ProcessClock) -> [Double] {
        guard history.hasBirths else { return [] }
        switch question {
        case .freeRunning:
            let counts = history.births(atSnapshot: clock.lastTick)?.counts ?? []
            let skipped = counts.count / GrowthLimits.skippedPart
            return Array(counts.dropFirst(skipped).dropLast(skipped))
        case .phase(let phase, let hunt):
            let counts = hunt.series(history).counts
            return hunt.steadyPositions(of: phase).dropLast().map { counts[$0] }
        case .workers(let workers, _): return workers.series(history)?.counts.dropFirst().dropLast() ?? []
        }
    }

    /// nil when it cannot be read.
    func history(_ range: Range<Int>) -> SiteHistory? {
        do {
            let history = try SiteHistory(decoding: bytes[range])
            func owner() -> UInt32? { own.owner(ofHistoryAt: range.lowerBound) }
            switch (question, history) {
            case (.freeRunning, .slices): return history
            case (.phase, .rounds(let rounds)):
                return owner().map { .rounds(rounds.regrouped(own.rounds(of: $0))) } ?? history
            case (.workers(let workers, _), .rounds(let rounds)):
                return owner().map { .rounds(rounds.regrouped(workers.places(of: $0))) }
            case (.freeRunning, .rounds), (.phase, .slices), (.workers, .slices): return nil
            }
        } catch {
            return nil
        }
    }

    /// Live bytes at the baseline, and then as the history knows them.
    func live(_ history: SiteHistory, _ clock: ProcessClock) -> [Double] {
        switch history {
        case .rounds(let rounds): return rounds.series(intervals: max(rounds.closed, clock.count)).live
        case .slices(let slices):
            let series = slices.series(atSnapshot: clock.lastTick)
            return [series.baseline] + series.troughs
        }
    }

    /// nil when there is none.
    static func sum(_ histories: some Sequence<SiteHistory>) -> SiteHistory? {
        var result: SiteHistory?
        for history in histories {
            if result == nil { result = history } else { result?.add(history) }
        }
        return result
    }
}
