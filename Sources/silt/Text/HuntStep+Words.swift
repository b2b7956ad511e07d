internal import SiltHunt
internal import SiltSession
internal import SiltText

extension HuntStep {
    /// What is said of it while the hunt goes on; nil: nothing.
    var words: String? {
        switch self {
        case .waiting(let readiness): "waiting until the service is ready (\(readiness))"
        case .idle(let seconds, let isFinal):
            "watching it idle for \(Int(seconds.rounded())) s" + (isFinal ? ", once more" : "")
        case .load(let phase, 0, _, _): "\(phase): warm-up"
        case .load(let phase, let round, let planned, let repeats):
            "\(phase): round \(round)" + (round > planned ? ", added in doubt" : " of \(planned)")
                + (repeats > 1 ? ", the load \(repeats) times" : "")
        case .confirming(let phase, let seconds): "\(phase) grows: waiting \(Int(seconds)) s to see what is freed"
        case .ended(let mark, let seconds, let growing): mark.kind == .idle ? nil : Self.ended(mark, seconds, growing)
        case .writing: "writing the recording"
        case .settling, .over: nil
        }
    }

    private static func ended(_ mark: RoundMark, _ seconds: Double, _ growing: [GrowingCounts]) -> String {
        var line = mark.phase + (mark.kind == .warmUp ? ": warm-up" : ": round")
        let requests = mark.requests.map { Format.plural($0, "request") }
        line += ", " + (requests ?? "requests not counted (a line silt: requests=N counts)")
        if let failed = mark.failedRequests, failed > 0 { line += ", \(Format.count(failed)) failed" }
        line += ", \(Format.duration(seconds))"
        let count = growing.reduce(0) { $0 + $1.charged }
        guard count > 0 else { return line }
        line += "; \(count == 1 ? "1 call site grows" : "\(count) call sites grow")"
        guard let suspect = growing.compactMap(\.suspect).first else { return line }
        return line + (count == 1 ? ": " : ", most of all ") + suspect.printable
    }
}
