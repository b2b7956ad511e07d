internal import SiltEvents
internal import SiltHeap
internal import SiltRecording

/// What the recording needs to know of a hunt while it is on: the phase, and what each stack had allocated by now.
///
/// Which phase a round belongs to is known when it has ended. So the first round of a phase only sets the state that its
/// later rounds are compared with: caches warm up in it anyway.
struct HuntLedger {
    /// The phase that is on, and its number; 0: none has begun.
    fileprivate var phase = RecordedPhase(name: "", startNs: 0)
    fileprivate var number = 0
    fileprivate var last: RoundMark?
    fileprivate var roundStart: UInt64

    private struct Allocated {
        var bytes: UInt64 = 0
        var count: UInt64 = 0
    }

    /// By image: what stacks had allocated when they were last looked at.
    private var before: [UInt64: [StackID: Allocated]] = [:]
    /// By image: stacks that changed in the round.
    private var moved: [UInt64: [StackID]] = [:]

    fileprivate init(start: UInt64) { roundStart = start }

    mutating func changed(_ stacks: [StackID], of image: UInt64) { moved[image, default: []] += stacks }

    /// What the image allocated in the round.
    fileprivate mutating func endRound(of image: TracedImage, process: UInt32) -> [PhaseAllocations] {
        var rows: [PhaseAllocations] = []
        for stack in moved.removeValue(forKey: image.id) ?? [] {
            let counters = image.heap.counters(of: stack)
            let now = Allocated(bytes: counters.allocatedBytes, count: counters.allocatedCount)
            let earlier = before[image.id, default: [:]].updateValue(now, forKey: stack) ?? Allocated()
            guard now.count > earlier.count else { continue }
            rows.append(
                PhaseAllocations(
                    process: process,
                    phase: number,
                    stack: stack.rawValue,
                    count: now.count - earlier.count,
                    bytes: now.bytes - earlier.bytes
                )
            )
        }
        return rows
    }
}

extension RecordingOutput {
    /// The snapshot just taken is the baseline of a hunt.
    func beginHunt(_ images: [TracedImage], at time: Double) throws {
        hunt = HuntLedger(start: nanoseconds(time))
        try transaction {
            try writer.beginRounds()
            for image in images { try writeRound(image, at: time) }
        }
    }

    /// Writes a round that has just ended, in full: there are few of them.
    ///
    /// Returns the number of its phase.
    func endRound(_ mark: RoundMark, number: UInt32, _ images: [TracedImage], at time: Double) throws -> Int {
        guard var ledger = hunt else { return 0 }
        let isFirst = mark.beginsPhase(after: ledger.last)
        ledger.last = mark
        try transaction {
            if isFirst {
                ledger.phase = RecordedPhase(name: mark.phase, startNs: ledger.roundStart)
                ledger.number = try writer.add(ledger.phase)
            }
            var round = RecordedRound(
                number: number,
                phase: ledger.number,
                kind: mark.kind,
                startNs: ledger.roundStart,
                endNs: nanoseconds(time)
            )
            round.requests = mark.requests
            round.failedRequests = mark.failedRequests
            try writer.write(round)
            ledger.phase.endNs = round.endNs
            if let requests = mark.requests { ledger.phase.requests = (ledger.phase.requests ?? 0) + requests }
            try writer.write(ledger.phase, number: ledger.number)
            ledger.roundStart = round.endNs
            hunt = ledger
            for image in images {
                let rows = try writeRound(image, at: time)
                if isFirst {
                    image.startCountingFrees()
                } else {
                    try writer.add(rows)
                    try writeFrees(image, phase: ledger.number)
                }
            }
        }
        return ledger.number
    }

    /// Who freed what was born in the phase, its first round left out.
    private func writeFrees(_ image: TracedImage, phase: Int) throws {
        guard let process = numbers[image.id] else { return }
        var rows: [PhaseFrees] = []
        image.heap.forEachFreePartner { allocation, free, blocks, bytes in
            rows.append(
                PhaseFrees(
                    process: process,
                    phase: phase,
                    stack: allocation.rawValue,
                    freeStack: free.rawValue,
                    count: blocks,
                    bytes: bytes
                )
            )
        }
        try writer.write(rows)
    }

    @discardableResult
    private func writeRound(_ image: TracedImage, at time: Double) throws -> [PhaseAllocations] {
        try writeState(image, at: time)
        guard let process = numbers[image.id] else { return [] }
        return hunt?.endRound(of: image, process: process) ?? []
    }
}
