internal import SiltFindings
internal import SiltRecording
internal import SiltText

/// The first line of a hunt's report.
enum HuntHeadline {
    static func notGrowing(_ report: HeapReport) -> String {
        let phases = report.phases.map { "\($0.name) (\(size(of: $0)))" }
        return Headline.none(of: report) + " in " + phases.joined(separator: ", ")
    }

    /// As `7 rounds, 14,000 requests` or `watched for 10 s`.
    static func size(of phase: HuntPhases.Phase) -> String {
        // The rounds of an idle phase are parts of its time.
        let rounds = Format.plural(UInt64(phase.rounds), "round")
        var text = phase.isIdle ? "watched for \(Format.duration(phase.seconds))" : rounds
        if let requests = phase.requests { text += ", \(Format.plural(requests, "request"))" }
        if let failed = phase.failedRequests, failed > 0 { text += ", \(Format.count(failed)) of them failed" }
        return text
    }

    /// As `on orders`, or `at idle`.
    static func during(_ phase: String, _ report: HeapReport) -> String {
        report.phases.contains { $0.name == phase && $0.isIdle } ? "at idle" : "on \(phase.printable)"
    }

    static func growing(_ report: HeapReport) -> String {
        let growing = report.growing
        let findings = Headline.findings(growing)
        let rates = report.phases.compactMap { phase -> (phase: HuntPhases.Phase, rate: String)? in
            let sum = Headline.sum(growing.filter { $0.phase == phase.name })
            return sum.isEmpty ? nil : (phase, sum)
        }
        var line: String
        if rates.count == 1 {
            line =
                "\(findings) \(during(rates[0].phase.name, report)), \(rates[0].rate)"
        } else {
            line = "\(findings): " + rates.map { "\($0.phase.name) \($0.rate)" }.joined(separator: ", ")
        }
        if let projection = Headline.projection(report) { line += "; " + projection }
        return line
    }
}
