internal import SiltEvents
package import SiltFindings
internal import SiltGrowth
internal import SiltText

/// The report for a terminal.
///
/// The verdict first, then what RSS grew by, growing sites, cleared ones, the largest, the whole process and what the
/// numbers rest on. No line is wider than the options say.
package enum TextReport {
    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        var page = TextPage(width: max(40, report.options.width), isColored: report.options.color)
        headline(report, &page)
        let whole = WholeProcess(report)
        if let answer = whole.answer { page.paragraph(answer, indent: 2, first: 0) }
        let limit = report.options.limit ?? usual
        switch report.options.order {
        case .growth:
            growing(report, limit: limit, &page)
            doubtful(report, limit: limit, &page)
            let shown = cleared(report, limit: limit, &page)
            HuntText.phases(report, &page)
            if report.verdict != .growing { largest(report, limit: limit, without: shown, &page) }
        case .inUse, .allocated, .peak: largest(report, limit: limit, &page)
        case .temporary: TemporaryText.write(report, limit: limit, &page)
        }
        if !whole.lines.isEmpty { page.line("") }
        for line in whole.lines { page.paragraph(line, indent: 2, first: 0) }
        if let note = SkippedWrappers.note(report, limit: limit) { page.paragraph(note, indent: 2, first: 0) }
        for line in MissingLines.notes(report, limit: limit) { page.paragraph(line, indent: 2, first: 0) }
        if !report.processes.isEmpty { page.paragraph(TrustText.line(report), indent: 2, first: 0) }
        output.write(page.text)
    }

    private static func headline(_ report: HeapReport, _ page: inout TextPage) {
        let style: TextPage.Style =
            switch report.verdict {
            case .growing: .red
            case .notGrowing: .green
            case .inconclusive: .yellow
            }
        page.paragraph(report.verdictLine, indent: 2, style: style, first: 0)
        guard report.findings.own.isEmpty else { return }
        for line in NextStep.more(report) { page.command(line.printable, indent: 4) }
    }

    // MARK: - Growing

    /// Sites listed unasked.
    private static let usual = 10

    private static func growing(_ report: HeapReport, limit: Int, _ page: inout TextPage) {
        let (growing, inLibraries) = report.findings
        for (index, site) in growing.prefix(limit).enumerated() {
            FindingText.write(site, number: index + 1, report, form(index, report), &page)
        }
        if growing.count > limit { page.line("    and \(Headline.more(growing.count - limit)): --limit shows them") }
        HuntText.followers(inLibraries, &page)
        if !growing.isEmpty, !report.options.showsDetails {
            for line in NextStep.more(report) { page.command(line.printable, indent: 4) }
        }
    }

    /// How much is said of the finding of that index.
    static func form(_ index: Int, _ report: HeapReport) -> FindingText.Form {
        if report.options.showsDetails { return .whole }
        return index < FindingText.detailed || report.options.limit != nil ? .usual : .brief
    }

    // MARK: - Others

    /// Cleared sites shown, with or without a limit.
    private static let maximumCleared = 5

    /// What may be a cache that still fills, beside what surely grows; alone it is the verdict.
    private static func doubtful(_ report: HeapReport, limit: Int, _ page: inout TextPage) {
        guard report.verdict == .growing else { return }
        let all = report.sites.filter { $0.verdict == .stillFilling }.sorted { held($0) > held($1) }
        let sites = all.filter { isNotable($0, report) }.prefix(min(limit, maximumCleared))
        guard !sites.isEmpty else { return }
        page.line("")
        page.line("Not decided:")
        list(sites, of: all.count, &page)
    }

    /// Returns the ranks of those it names.
    private static func cleared(_ report: HeapReport, limit: Int, _ page: inout TextPage) -> Set<Int> {
        let all = report.sites.filter(\.isAcquitted).sorted { held($0) > held($1) }
        let sites = all.filter { isNotable($0, report) }.prefix(min(limit, maximumCleared))
        guard !sites.isEmpty else { return [] }
        page.line("")
        page.line("Looked suspicious, cleared:")
        list(sites, of: all.count, &page)
        return Set(sites.map(\.rank))
    }

    /// What nobody would suspect is not named.
    private static func isNotable(_ site: ReportSite, _ report: HeapReport) -> Bool {
        held(site) >= max(4096, report.totals.inUseBytes / 100)
    }

    /// At the end, or before the way out.
    private static func held(_ site: ReportSite) -> UInt64 {
        site.phase == nil ? site.heldBytes : site.inUseBytes
    }

    private static func list(_ sites: ArraySlice<ReportSite>, of count: Int, _ page: inout TextPage) {
        for site in sites {
            let left = site.resource.amount(Double(site.inUseBytes))
            let size = site.phase == nil && site.wasGivenBack ? FindingText.held(site) : left
            page.paragraph("\(site.blame.label), \(size): \(site.evidenceLine)".printable, indent: 4, first: 2)
        }
        if count > sites.count { page.line("  and \(Format.plural(UInt64(count - sites.count), "smaller one"))") }
    }

    private static func largest(
        _ report: HeapReport,
        limit: Int,
        without said: Set<Int> = [],
        _ page: inout TextPage
    ) {
        let sites = report.sites.filter { value(of: $0, report).bytes > 0 && !said.contains($0.rank) }
        guard !sites.isEmpty else { return }
        page.line("")
        page.line((said.isEmpty ? "" : "besides, ") + title(report))
        let lines = sites.prefix(limit).enumerated().map { index, site in
            let (bytes, count) = value(of: site, report)
            let size = site.resource.amount(bytes, in: count)
            // One profile is no history that a verdict could rest on.
            let lead = report.isOfProfiles && report.phases.isEmpty ? "" : site.verdict.words
            return TextPage.SiteLine(rank: index + 1, lead: lead, blame: site.blame, size: size)
        }
        page.sites(lines)
        if sites.count > limit { page.line("     and \(Format.count(UInt64(sites.count - limit))) more") }
    }

    private static func title(_ report: HeapReport) -> String {
        let isOver = !report.processes.isEmpty && report.processes.allSatisfy { $0.process.end != .running }
        return switch report.options.order {
        case .growth, .inUse, .temporary: isOver ? "left at exit:" : "in use:"
        case .allocated: "allocated in all:"
        case .peak: "in use at the peak:"
        }
    }

    private static func value(of site: ReportSite, _ report: HeapReport) -> (bytes: UInt64, count: UInt64) {
        switch report.options.order {
        case .growth, .inUse, .temporary: (site.inUseBytes, site.inUseCount)
        case .allocated: (site.allocatedBytes, site.allocatedCount)
        case .peak: (site.peakBytes, site.peakCount)
        }
    }
}

extension SiltGrowth.Verdict {
    /// In a column of a table.
    var words: String {
        switch self {
        case .growing: "growing"
        case .slowGrowing: "growing slowly"
        case .plateauing: "stopped growing"
        case .step: "one jump"
        case .sawtooth: "rises and falls"
        case .stable: "steady"
        case .shrinking: "shrinks"
        case .stillFilling: "still filling"
        case .notEnoughData: "seen too briefly"
        }
    }
}
