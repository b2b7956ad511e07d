internal import SiltGrowth
internal import SiltRecording
internal import SiltSystem

extension RecordingOutput {
    /// The snapshot just taken is the baseline of a hunt.
    func beginHunt(_ images: [TracedImage], at time: Double, mark: String?) throws {
        hunt = HuntLedger()
        try transaction {
            try writer.beginRounds()
            if let mark { try writer.add(RecordedMark(name: mark, timeNs: Clock.nanoseconds(time))) }
            for image in images { try writeRound(image, at: time, phase: 0) }
        }
    }

    /// Writes the round that has just ended, in full: there are few of them.
    func endRound(_ book: RoundBook, _ images: [TracedImage], at time: Double) throws {
        try transaction {
            let phase = book.phases.count
            if let round = book.rounds.last { try writer.write(round) }
            if let row = book.phases.last { try writer.write(row, number: phase) }
            for image in images {
                let rows = try writeRound(image, at: time, phase: phase)
                if book.hasBegunPhase {
                    image.startCountingFrees()
                } else {
                    try writer.add(rows)
                    try writeFrees(image, phase: phase)
                }
            }
        }
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
                    stack: allocation,
                    freeStack: free,
                    count: blocks,
                    bytes: bytes
                )
            )
        }
        try writer.write(rows)
    }

    /// Processes whose memory outside malloc rose in those rounds of the hunt, and was not seen to stop.
    ///
    /// `isAlone`: nothing else is charged.
    func growingMemories(_ rounds: Range<Int>, of hunt: HuntIntervals, isAlone: Bool) -> Int {
        watches.values.count { watch in
            guard let trend = watch.trend(rounds, of: hunt) else { return false }
            return switch trend.state {
            case .open, .rising: true
            case .creeping: isAlone
            case .none: false
            }
        }
    }

    @discardableResult
    private func writeRound(_ image: TracedImage, at time: Double, phase: Int) throws -> [PhaseAllocations] {
        try writeState(image, at: time, isMark: true)
        guard let process = numbers[image.id] else { return [] }
        return hunt?.endRound(of: image, process: process, phase: phase) ?? []
    }
}
