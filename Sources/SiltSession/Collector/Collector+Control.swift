internal import CSiltSystem
internal import Glibc
internal import SiltEvents
internal import SiltGrowth
internal import SiltHeap
internal import SiltSymbols
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
        // Who asks may be in another folder.
        status.recording = FileBytes.absolute(options.recording)
        status.rounds = book?.rounds.count
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
        guard book == nil else {
            throw ControlError("a trace takes one hunt, and this one has had it: start a new trace")
        }
        // A forked child says hello late, at its first event.
        guard !images.isEmpty || outcome.traced > 0 && connections.contains(where: { $0 != asker }) else {
            throw ControlError("nothing is traced yet: start a program first")
        }
        try closeIntervals()
        for image in images.values { image.beginHunt() }
        nextSnapshot = .infinity
        let now = Clock.monotonicSeconds - startedAt
        book = RoundBook(startNs: Clock.nanoseconds(now))
        try record { try output.beginHunt(Array(images.values), at: now, mark: mark?.phase) }
    }

    /// The first mark of a trace that runs freely only says where the hunt begins.
    private func endRound(_ mark: RoundMark, asker: Int32) throws -> GrowingCounts {
        guard var book else {
            try beginHunt(asker: asker, mark: mark)
            return GrowingCounts()
        }
        guard book.rounds.count < RoundHistory.limit else {
            throw ControlError("a recording holds at most \(book.rounds.count) rounds")
        }
        try closeIntervals()
        let now = Clock.monotonicSeconds - startedAt
        book.end(mark, atNs: Clock.nanoseconds(now))
        self.book = book
        for image in images.values { image.beginRound(book.rounds.count + 1) }
        try record { try output.endRound(book, Array(images.values), at: now) }
        return growing(in: book.intervals)
    }

    /// Asks the judge of routes about every blamed function, over all processes, as if the hunt ended here.
    private func growing(in hunt: HuntIntervals) -> GrowingCounts {
        var counts = GrowingCounts()
        guard let route = hunt.lastRoute else { return counts }
        let rounds = hunt.positions(ofPhase: route)
        var sums: [Resource: [FrameID: IntervalSeries]] = [:]
        for resource in Resource.allCases {
            for image in images.values {
                image.heap.forEachGroupHistory(of: resource) { key, history in
                    guard let series = image.series(history, rounds: hunt.count) else { return }
                    if sums[resource, default: [:]][key]?.add(series) == nil { sums[resource]?[key] = series }
                }
            }
        }
        var kept: [ObjectKeeper: [(key: FrameID, verdict: GrowthVerdict)]] = [:]
        var areMappingsCharged = false
        var worst: (key: FrameID, resource: Resource, slope: Double)?
        for (resource, groups) in sums {
            var known: Set<FrameID> = []
            for (key, series) in groups where series.live[rounds.upperBound] > series.live[rounds.lowerBound] {
                let verdict = judgeHunt(series, hunt, route: route)
                if verdict.verdict == .stillFilling { counts.filling += 1 }
                if resource == .heap, let keeper = output.keeper(of: key),
                    verdict.mayBeKept(inBlocksOf: keeper.blockBytes)
                {
                    kept[keeper, default: []].append((key, verdict))
                } else {
                    counts.add(verdict.confidence)
                }
                if [.mapping, .thread].contains(resource), verdict.confidence == .high { areMappingsCharged = true }
                if verdict.verdict.isGrowing || verdict.verdict == .stillFilling { known.insert(key) }
                if verdict.confidence != nil, verdict.slope > worst?.slope ?? 0 {
                    worst = (key, resource, verdict.slope)
                }
            }
            for image in images.values {
                counts.filling += hidden(in: image, resource, hunt, route, besides: known)
            }
        }
        for (keeper, sites) in kept { add(sites, thatMayBeKeptBy: keeper, to: &counts) }
        // What mapped it is not charged already.
        if !areMappingsCharged {
            counts.filling += output.growingMemories(rounds, of: hunt, isAlone: counts.charged == 0)
        }
        if let worst { counts.suspect = output.suspect(worst.key, worst.resource, Array(images.values)) }
        return counts
    }

    /// Counts what grows, or still fills where an interpreter may keep that much of its own accord: the report leaves it open.
    private func add(
        _ sites: [(key: FrameID, verdict: GrowthVerdict)],
        thatMayBeKeptBy keeper: ObjectKeeper,
        to counts: inout GrowingCounts
    ) {
        var owners: [FrameID: Int] = [:]
        for image in images.values {
            image.heap.forEachGroupHistory(of: .heap) { key, _ in owners[key, default: 0] += 1 }
        }
        let blocks = sites.reduce(0) { $0 + $1.verdict.facts.survivors }
        let bytes = sites.reduce(0) { $0 + $1.verdict.facts.survivorBytes }
        for site in sites {
            if keeper.mayKeep(blocks: blocks, bytes: bytes, processes: owners[site.key] ?? 1) {
                counts.filling += 1
            } else {
                counts.add(site.verdict.confidence)
            }
        }
    }

    /// Stacks that grow, or still fill, though their function as a whole does not, since others of it replace what they
    /// hold: the report looks for callers like that.
    private func hidden(
        in image: TracedImage,
        _ resource: Resource,
        _ hunt: HuntIntervals,
        _ phase: Int,
        besides known: Set<FrameID>
    ) -> Int {
        let rounds = hunt.positions(ofPhase: phase)
        var count = 0
        image.heap.forEachSite(of: resource) { stack, counters in
            guard counters.liveCount >= Self.minimumHidden, let key = image.heap.groupKey(of: stack, resource),
                !known.contains(key), let history = image.heap.history(of: stack, resource),
                let series = image.series(history, rounds: hunt.count),
                series.live[rounds.upperBound] > series.live[rounds.lowerBound]
            else { return }
            let verdict = judgeHunt(series, hunt, route: phase)
            if verdict.verdict.isGrowing || verdict.verdict == .stillFilling { count += 1 }
        }
        return count
    }

    /// Fewer blocks are never of medium confidence.
    private static let minimumHidden: UInt64 = 8

    private func closeIntervals() throws {
        for image in images.values {
            // What came in a round is charged with it.
            look(image, anyway: true)
            image.closeInterval()
        }
        events?.snapshot(Array(images.values), at: Clock.monotonicSeconds - startedAt)
    }
}
