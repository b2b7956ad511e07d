internal import SiltFindings
internal import SiltRecording
internal import SiltText

/// The first line of a hunt's report.
enum HuntHeadline {
    static func notGrowing(_ report: HeapReport) -> String {
        let phases = report.phases.map { "\($0.name) (\(size(of: $0)))" }
        return "none of \(Format.plural(UInt64(report.sites.count), "call site")) grew in "
            + phases.joined(separator: ", ")
    }

    /// As `7 rounds, 14,000 requests`.
    static func size(of phase: HuntPhases.Phase) -> String {
        size(rounds: phase.rounds, isIdle: phase.isIdle, requests: phase.requests, failed: phase.failedRequests)
    }

    static func size(rounds: Int, isIdle: Bool, requests: UInt64?, failed: UInt64?) -> String {
        var text = Format.plural(UInt64(rounds), isIdle ? "slice" : "round")
        if let requests { text += ", \(Format.plural(requests, "request"))" }
        if let failed, failed > 0 { text += ", \(Format.count(failed)) of them failed" }
        return text
    }

    static func growing(_ report: HeapReport) -> String {
        let growing = report.growing
        let findings = Headline.findings(growing, watched: "rounds")
        let rates = report.phases.compactMap { phase -> (phase: HuntPhases.Phase, rate: String)? in
            let sum = Headline.sum(growing.filter { $0.phase == phase.name })
            return sum.isEmpty ? nil : (phase, sum)
        }
        var line: String
        if rates.count == 1 {
            line =
                "\(findings) \(rates[0].phase.isIdle ? "at idle" : "on " + rates[0].phase.name), \(rates[0].rate)"
        } else {
            line = "\(findings): " + rates.map { "\($0.phase.name) \($0.rate)" }.joined(separator: ", ")
        }
        if let projection = Headline.projection(report) { line += "; " + projection }
        return line
    }
}
