internal import CSiltSystem
internal import Glibc
internal import SiltHeap

extension Collector {
    /// Answers a request of `TraceControl`, after everything has been taken in that was sent before it.
    func control(_ text: String, from connection: Int32) throws {
        if options.servesHunt, hunter == nil { hunter = connection }
        do {
            let request = try ControlText.decode(request: text)
            for image in images.values { repeat { image.drain() } while image.hasMore }
            switch request {
            case .status: break
            case .beginHunt: try beginHunt()
            case .endRound(let mark): try endRound(mark)
            case .finish:
                finishAsked = connection
                finished = true
                return
            }
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

    private func beginHunt() throws {
        guard rounds == nil else { throw ControlError("a hunt is on already in this trace") }
        guard !images.isEmpty else { throw ControlError("nothing is traced yet: start a program first") }
        try closeIntervals()
        for image in images.values { image.keepIntervals() }
        rounds = 0
        nextSnapshot = .infinity
        try output.beginHunt(Array(images.values), at: monotonicSeconds() - startedAt)
    }

    /// The first mark of a trace that runs freely only says where the hunt begins.
    private func endRound(_ mark: RoundMark) throws {
        guard let before = rounds else { return try beginHunt() }
        guard before < UInt32(SiteHistory.keptLimit) else {
            throw ControlError("\(before) rounds are as many as a recording holds")
        }
        try closeIntervals()
        rounds = before + 1
        _ = try output.endRound(mark, number: before + 1, Array(images.values), at: monotonicSeconds() - startedAt)
    }

    private func closeIntervals() throws {
        for image in images.values { image.closeInterval() }
        events?.snapshot(Array(images.values), at: monotonicSeconds() - startedAt)
    }
}
