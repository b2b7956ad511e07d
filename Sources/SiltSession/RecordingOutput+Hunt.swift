internal import SiltRecording

extension RecordingOutput {
    /// The snapshot just taken is the baseline of a hunt.
    func beginHunt(_ images: [TracedImage], at time: Double, mark: String?) throws {
        hunt = HuntLedger(start: nanoseconds(time))
        try transaction {
            try writer.beginRounds()
            if let mark { try writer.add(RecordedMark(name: mark, timeNs: nanoseconds(time))) }
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
