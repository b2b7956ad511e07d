internal import SiltFindings
internal import SiltText

/// What the text report says of a hunt beside what it says of any trace.
enum HuntText {
    /// One line for what follows from the sites above: buffers of a connection that was never closed, say.
    static func followers(_ sites: [ReportSite], _ page: inout TextPage) {
        guard !sites.isEmpty else { return }
        var byPhase: [(phase: String, bytes: Double, unit: Rate.Unit)] = []
        for site in sites {
            guard let rate = site.rate, let phase = site.phase else { continue }
            if let index = byPhase.firstIndex(where: { $0.phase == phase && $0.unit == rate.unit }) {
                byPhase[index].bytes += rate.value
            } else {
                byPhase.append((phase, rate.value, rate.unit))
            }
        }
        let sums = byPhase.map {
            "\($0.phase.printable) +\($0.unit.short($0.bytes))"
        }
        let count = Format.plural(UInt64(sites.count), "site")
        page.paragraph(
            "and \(count) in library code that grow because of these: \(sums.joined(separator: ", "))",
            indent: 4
        )
    }

    /// Why nothing is said of a phase; nil when something is.
    static func problem(of phase: HuntPhases.Phase, _ report: HeapReport) -> String? {
        guard report.verdict(of: phase) == .inconclusive else { return nil }
        return (phase.problem ?? report.doubt(of: phase)).map(ObstacleText.line)
    }

    private static func word(_ verdict: HeapReport.Verdict) -> String {
        switch verdict {
        case .growing: "growing"
        case .notGrowing: "not growing"
        case .inconclusive: "cannot tell"
        }
    }

    /// A line for each phase: what was asked of the target, and the verdict.
    static func phases(_ report: HeapReport, _ page: inout TextPage) {
        let rows = report.phases.map { phase in
            let problem = problem(of: phase, report).map { "cannot tell: " + $0 }
            return (phase.name, problem ?? "\(word(report.verdict(of: phase))), \(HuntHeadline.size(of: phase))")
        }
        page.list("phases:", rows)
    }
}
