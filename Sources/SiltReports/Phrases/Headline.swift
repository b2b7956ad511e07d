internal import SiltFindings
internal import SiltGrowth
internal import SiltRecording
internal import SiltText

/// The first line of a report.
enum Headline {
    /// Without the verdict in front.
    static func line(_ report: HeapReport) -> String {
        let isHunt = !report.phases.isEmpty
        let line =
            switch report.verdict {
            case .growing: isHunt ? HuntHeadline.growing(report) : growing(report)
            case .notGrowing: isHunt ? HuntHeadline.notGrowing(report) : notGrowing(report)
            case .inconclusive:
                report.obstacle.map { ObstacleText.line($0) + ObstacleText.advice($0) } ?? ""
            }
        return
            ([line, outside(report)].compactMap { $0 } + unmeasured(report)
            + [descriptorLimit(report), UntracedText.line(report)].compactMap { $0 }).joined(separator: "; ")
    }

    /// What grew outside malloc beside the call sites that are charged: they explain little of it.
    private static func outside(_ report: HeapReport) -> String? {
        guard report.verdict == .growing, let growth = report.outsideMalloc else { return nil }
        return ObstacleText.line(Obstacle.outsideMalloc(growth))
    }

    /// What of a hunt was not measured, beside what the line says already.
    private static func unmeasured(_ report: HeapReport) -> [String] {
        let said = report.obstacle.map { ObstacleText.line($0) }
        let lines = report.openPhases.map(ObstacleText.line) + [report.failure.map(ObstacleText.line)].compactMap { $0 }
        return lines.filter { $0 != said }
    }

    static func inUse(_ totals: RecordedTotals) -> String {
        "\(Format.bytes(totals.inUseBytes)) in \(Format.plural(totals.inUseCount, "block"))"
    }

    /// As `none of 12 call sites grew`.
    static func none(of report: HeapReport) -> String {
        report.sites.count == 1
            ? "the one call site did not grow" : "none of \(Format.count(UInt64(report.sites.count))) call sites grew"
    }

    /// As `2 more that grow`.
    static func more(_ count: Int) -> String { "\(count) more that \(count == 1 ? "grows" : "grow")" }

    private static func notGrowing(_ report: HeapReport) -> String {
        "\(none(of: report)) over \(Format.plural(UInt64(report.snapshotCount), "snapshot"))"
            + " (\(Format.duration(report.seconds))); \(inUse(report.totals)) in use at the end"
    }

    private static func growing(_ report: HeapReport) -> String {
        let growing = report.growing
        var line = "\(findings(growing)), \(sum(growing))"
        let leading = growing.filter { $0.follows == nil }
        if leading.count > 1 {
            line += " together"
        } else if growing.count > leading.reduce(1, { $0 + report.beside($1).count }) {
            line += " with what grows in step"
        }
        if let stop = report.stop { line += "; " + ObstacleText.line(stop) }
        if let projection = projection(report) { line += "; " + projection }
        return line
    }

    /// What sites cost together, unit by unit: `1.00 KiB, 1.00 thread and 1.00 timer per request`.
    static func sum(_ sites: [ReportSite]) -> String {
        let sums = sites.compactMap(\.rate).sums
        let spans = sums.map(\.unit.per).reduce(into: [Rate.Unit.Per]()) { if !$0.contains($1) { $0.append($1) } }
        return spans.map { per in
            let amounts = sums.filter { $0.unit.per == per }.map { $0.unit.amount($0.value) }
            let list = [amounts.dropLast().joined(separator: ", "), amounts.last ?? ""].filter { !$0.isEmpty }
            return list.joined(separator: " and ") + " per \(per.rawValue)"
        }.joined(separator: " and ")
    }

    /// As `2 call sites leak and 3 may`: what grows together with another is one with it.
    static func findings(_ growing: [ReportSite]) -> String {
        let findings = growing.filter { $0.follows == nil }
        let sure = findings.count { $0.confidence != .low }
        func sites(_ count: Int) -> String { Format.plural(UInt64(count), "call site") }
        guard sure > 0 else { return "\(sites(findings.count)) may leak (too little was seen to be sure)" }
        let doubtful = findings.count - sure
        return "\(sites(sure)) \(sure == 1 ? "leaks" : "leak")" + (doubtful > 0 ? " and \(doubtful) may" : "")
    }

    /// When the limit is reached; nil when nothing can be said of it.
    static func projection(_ report: HeapReport) -> String? {
        guard let bytes = report.limitBytes, let projection = report.projection else { return nil }
        return line(projection, limit: "\(Format.bytes(bytes)) limit")
    }

    /// When no descriptor is left; nil when nothing can be said of it.
    private static func descriptorLimit(_ report: HeapReport) -> String? {
        report.descriptorProjection.map { openFiles($0, $1) }
    }

    static func openFiles(_ limit: UInt64, _ projection: Projection) -> String {
        line(projection, limit: "limit of \(Format.count(limit)) open files")
    }

    static func line(_ projection: Projection, limit: String) -> String {
        switch projection {
        case .reached: return "\(limit) reached"
        case .beyond(let spans): return "\(limit) not reached within \(spans)x the observed time"
        case .after(let seconds, let range):
            let ends = range.map { (Format.duration($0.lowerBound), Format.duration($0.upperBound)) }
            let span = ends.map { $0 == $1 ? "" : " (\($0)–\($1))" } ?? ""
            return "\(limit) reached in about \(Format.duration(seconds))\(span)"
        case .afterRequests(let count, let isMix):
            return "\(limit) reached after about \(Format.count(rounded(count))) more requests"
                + (isMix ? " in this mix" : "")
        }
    }

    /// To three digits.
    private static func rounded(_ value: Double) -> UInt64 {
        var step = 1.0
        while value / step >= 1000 { step *= 10 }
        return UInt64((value / step).rounded() * step)
    }
}

extension HeapReport {
    /// The first line.
    package var verdictLine: String {
        switch verdict {
        case .growing: "GROWING: " + Headline.line(self)
        case .notGrowing: "NOT GROWING: " + Headline.line(self)
        case .inconclusive: "INCONCLUSIVE: " + Headline.line(self)
        }
    }
}
