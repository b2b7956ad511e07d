package import SiltGrowth
package import SiltRecording

/// The rounds of a hunt as they end, and the phases that they make.
///
/// Rounds in a row of one name are one phase; idle ones do not belong to them.
package struct RoundBook: Sendable {
    package private(set) var rounds: [RecordedRound] = []
    /// The last one goes on with the next round of its name.
    package private(set) var phases: [RecordedPhase] = []
    /// When the round that is on began.
    private var startNs: UInt64

    package init(startNs: UInt64) { self.startNs = startNs }

    /// The round that is on has ended.
    package mutating func end(_ mark: RoundMark, atNs endNs: UInt64) {
        if phases.last?.name != mark.phase || rounds.last?.isIdle != (mark.kind == .idle) {
            phases.append(RecordedPhase(name: mark.phase, startNs: startNs))
        }
        let phase = phases.count
        var round = RecordedRound(
            number: UInt32(rounds.count + 1),
            phase: phase,
            kind: mark.kind,
            startNs: startNs,
            endNs: endNs
        )
        round.requests = mark.requests
        round.failedRequests = mark.failedRequests
        rounds.append(round)
        phases[phase - 1].endNs = endNs
        phases[phase - 1].requests.add(mark.requests)
        startNs = endNs
    }

    /// Whether the last round is the first of its phase.
    var hasBegunPhase: Bool { rounds.last?.phase != rounds.dropLast().last?.phase }

    /// What the judges know of it.
    package var intervals: HuntIntervals {
        HuntIntervals(
            rounds.map { .init(phase: $0.phase, isIdle: $0.isIdle, requests: $0.load, seconds: $0.seconds) }
        )
    }
}
