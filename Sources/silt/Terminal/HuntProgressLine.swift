internal import Glibc
internal import SiltHunt
internal import SiltSession
internal import SiltText

/// What a hunt is doing: a line that changes on a terminal, and a line per phase that stays.
final class HuntProgressLine {
    private let isTerminal = isatty(STDERR_FILENO) == 1

    func show(_ step: HuntStep) {
        switch step {
        // A line of its own: what the service writes while it starts comes behind it.
        case .waiting(let readiness): PatientWriter.errors.say("waiting until the service is ready (\(readiness))")
        case .idle(let seconds, let isFinal):
            change("watching it idle for \(Int(seconds.rounded())) s" + (isFinal ? ", once more" : ""))
        case .load(let phase, let round, let planned, let repeats):
            let often = repeats > 1 ? ", the load \(repeats) times" : ""
            let added = round > planned ? "round \(round), added in doubt" : "round \(round) of \(planned)"
            change("\(phase): " + (round == 0 ? "warm-up" : added + often))
        case .settling: break
        case .confirming(let phase, let seconds):
            change("\(phase) grows: waiting \(Int(seconds)) s to see what is freed")
        case .ended(let mark, let seconds, let growing): end(mark, seconds, growing)
        case .writing: change("writing the recording")
        case .over: clear()
        }
    }

    private func end(_ mark: RoundMark, _ seconds: Double, _ growing: [GrowingCounts]) {
        guard mark.kind != .idle else { return }
        var line = mark.phase + (mark.kind == .warmUp ? ": warm-up" : ": round")
        let requests = mark.requests.map { Format.plural($0, "request") }
        line += ", " + (requests ?? "requests not counted (a line silt: requests=N counts)")
        if let failed = mark.failedRequests, failed > 0 { line += ", \(Format.count(failed)) failed" }
        line += ", \(Format.duration(seconds))"
        let count = growing.reduce(0) { $0 + $1.charged }
        if count > 0 {
            line += "; \(count == 1 ? "1 call site grows" : "\(count) call sites grow")"
            if let suspect = growing.compactMap(\.suspect).first {
                line += (count == 1 ? ": " : ", most of all ") + suspect.printable
            }
        }
        PatientWriter.errors.say(line)
    }

    private func change(_ text: String) {
        guard isTerminal else { return }
        PatientWriter.errors.show("\r\u{1b}[K" + text.prefix(Terminal.columns(of: STDERR_FILENO) - 1))
    }

    private func clear() {
        PatientWriter.errors.finish()
        if isTerminal { Terminal.write("\r\u{1b}[K", to: STDERR_FILENO) }
    }
}
