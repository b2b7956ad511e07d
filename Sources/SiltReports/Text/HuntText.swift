internal import SiltFindings
internal import SiltText

/// What the text report says of a hunt beside what it says of any trace.
enum HuntText {
    /// As `certain (6 of 6 rounds)`.
    static func certainty(_ site: ReportSite) -> String {
        let word =
            switch site.confidence {
            case .high: "certain"
            case .medium: "likely"
            case .low: "watch it"
            }
        guard let (occupied, all) = site.rounds, occupied > 0 else { return word }
        return "\(word) (\(occupied) of \(all) rounds)"
    }

    /// Live bytes at the end of each round, a row of bars per phase, all to one scale.
    static func sparklines(_ site: ReportSite, _ page: inout TextPage) {
        let all = site.phaseSeries.flatMap(\.values)
        guard let least = all.min(), let greatest = all.max() else { return }
        let bars = site.phaseSeries.map { "\($0.name.printable) \(Sparkline.text($0.values, least, greatest))" }
        page.line("     " + bars.joined(separator: "  "))
    }

    /// As `97 % of the blocks born in /orders still live; 3 % were freed by order_free orders.c:131`.
    static func whereabouts(_ site: ReportSite, _ page: inout TextPage) {
        guard let phase = site.phase, let fraction = site.leakFraction else { return }
        var line = "\(Format.percent(100 * fraction)) of the blocks born in \(phase.printable) still live"
        if let freedBy = site.freedBy, freedBy.share >= 0.0005 {
            let frame = freedBy.frame
            line += "; \(Format.percent(100 * freedBy.share)) were freed by "
            line += "\(frame.name.printable) \(frame.place.printable)"
        }
        page.paragraph(line, indent: 5)
    }

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
            "and \(count) in library code that follow from these: \(sums.joined(separator: ", "))",
            indent: 5
        )
    }

    /// Why nothing is said of a phase; nil when something is.
    static func problem(of phase: HuntPhases.Phase, _ report: HeapReport) -> String? {
        guard report.verdict(of: phase) == .inconclusive else { return nil }
        return (phase.problem ?? phase.doubt ?? report.filling(in: phase)).map(ObstacleText.line)
    }

    /// A line for each phase: what was asked of the target, and the verdict.
    static func phases(_ report: HeapReport, _ page: inout TextPage) {
        guard !report.phases.isEmpty else { return }
        page.line("")
        page.line("phases:")
        let width = min(30, report.phases.map(\.name.count).max() ?? 0)
        for phase in report.phases {
            let name = phase.name.printable.cutInside(to: width)
            let words = problem(of: phase, report) ?? report.verdict(of: phase).rawValue
            let padding = String(repeating: " ", count: width - name.count)
            page.paragraph("\(name)\(padding)  \(words): \(HuntHeadline.size(of: phase))", indent: 2)
        }
    }
}
