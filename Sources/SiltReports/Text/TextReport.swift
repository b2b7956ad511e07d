internal import SiltEvents
package import SiltFindings
internal import SiltGrowth
internal import SiltRecording
internal import SiltText

/// The report for a terminal.
///
/// The verdict first, then growing sites, acquitted ones, the largest, the whole process and what the numbers rest on.
/// No line is wider than the options say.
package enum TextReport {
    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        var page = TextPage(width: max(40, report.options.width), isColored: report.options.color)
        headline(report, &page)
        let limit = report.options.limit ?? 10
        if report.options.order == .growth {
            let all = report.sites.filter { $0.isGrowing && $0.follows == nil }
            let followers = all.filter { follows($0, all) }
            let growing = all.filter { !follows($0, all) }
            for (index, site) in growing.prefix(limit).enumerated() {
                growingSite(site, report, isBrief: index >= detailed && report.options.limit == nil, &page)
            }
            if growing.count > limit { page.line("     and \(growing.count - limit) more growing sites") }
            HuntText.followers(followers, &page)
            acquitted(report, limit: limit, &page)
            HuntText.phases(report, &page)
            if report.verdict != .growing { largest(report, limit: limit, &page) }
        } else {
            largest(report, limit: limit, &page)
        }
        let wholeProcess = WholeProcess.lines(report)
        if !wholeProcess.isEmpty {
            page.line("")
            for line in wholeProcess { page.paragraph(line, indent: 2) }
        }
        if let note = SkippedWrappers.note(report, limit: limit) { page.paragraph(note, indent: 2) }
        for line in MissingLines.notes(report, limit: limit) { page.paragraph(line, indent: 2) }
        page.paragraph("trust: " + trustLine(report), indent: 2)
        output.write(page.text)
    }

    private static func headline(_ report: HeapReport, _ page: inout TextPage) {
        let style: TextPage.Style =
            switch report.verdict {
            case .growing: .red
            case .notGrowing: .green
            case .inconclusive: .yellow
            }
        page.paragraph(report.verdictLine, indent: 2, style: style, hanging: true)
    }

    // MARK: - Growing

    /// Growing sites of which stack, sparkline and source are shown unasked.
    static let detailed = 3

    /// Memory that libraries took on their own stacks while the program's own code leaks in the same phase.
    private static func follows(_ site: ReportSite, _ growing: [ReportSite]) -> Bool {
        site.isLibrary && site.resource == .heap && site.phase != nil
            && growing.contains { !$0.isLibrary && $0.phase == site.phase }
    }

    /// What a report says of one growing site; without stack and source when it is to be brief.
    static func growingSite(
        _ site: ReportSite,
        _ report: HeapReport,
        isBrief: Bool,
        _ page: inout TextPage
    ) {
        let rate = site.rate.map { $0.unit.gain($0.value) } ?? ""
        page.sites([
            TextPage.SiteLine(
                rank: site.rank,
                lead: rate,
                blame: site.fix,
                through: site.fix == site.blame ? "" : site.blame.name,
                size: held(site),
                end: site.phase == nil ? advice(site.confidence) : HuntText.certainty(site)
            )
        ])
        if !isBrief, site.phase == nil { sparkline(site, report, &page) }
        if !isBrief { HuntText.sparklines(site, &page) }
        page.paragraph(FindingText.evidence(site, report).printable, indent: 5)
        HuntText.whereabouts(site, &page)
        if site.spreadOver > 0 {
            let places = Format.plural(UInt64(site.spreadOver), "place")
            page.paragraph("allocated in \(places) below it, each too little to be judged alone", indent: 5)
        }
        if let distinction = FindingText.distinction(site) { page.paragraph(distinction.printable, indent: 5) }
        for pair in FindingText.pairs(site, report) {
            page.paragraph("\(pair.maker) made it: \(pair.giver) gives it back".printable, indent: 5)
        }
        FindingText.together(site, report, &page)
        if isBrief { return }
        if let stacks = FindingText.stacks(site) { page.paragraph(stacks, indent: 5) }
        stack(site, report, &page)
        source(site, report, &page)
    }

    /// What a site holds; what it held before the way out, where that is not the same.
    static func held(_ site: ReportSite) -> String {
        let own =
            site.wasGivenBack
            ? "\(site.resource.amount(Double(site.lastInUseBytes))), "
                + "\(site.resource.amount(Double(site.inUseBytes))) left at exit" : inUse(site)
        guard site.threadStackBytes > site.inUseBytes else { return own }
        return own + " and \(Format.bytes(site.threadStackBytes)) of threads' stacks"
    }

    private static func inUse(_ site: ReportSite) -> String {
        site.resource.amount(site.inUseBytes, in: site.inUseCount)
    }

    private static func advice(_ confidence: Confidence) -> String {
        switch confidence {
        case .high: "high: act on it"
        case .medium: "medium: look at it"
        case .low: "low: watch it"
        }
    }

    private static func sparkline(_ site: ReportSite, _ report: HeapReport, _ page: inout TextPage) {
        guard let last = site.series.last, let least = site.series.min(), let most = site.series.max() else { return }
        func amount(_ value: UInt64) -> String { site.resource.amount(Double(value)) }
        let range = least == most ? amount(last) : "\(amount(least)) – \(amount(most))"
        page.line("     \(Sparkline.text(site.series))  \(range)")
    }

    /// Outermost first on one line, as calls go, when it fits; else the innermost frames line by line.
    private static func stack(_ site: ReportSite, _ report: HeapReport, _ page: inout TextPage) {
        page.chain(FindingText.way(to: site, report, linkWidth: linkWidth), indent: 5)
    }

    /// Characters of a function's name in a stack.
    private static let linkWidth = 60

    private static func source(_ site: ReportSite, _ report: HeapReport, _ page: inout TextPage) {
        guard report.options.showsSource, let file = site.fix.file, let line = site.fix.line else { return }
        for (number, text) in SourceLines.around(line, of: file) {
            let mark = number == line ? "▶" : " "
            page.line(
                "       \(mark) \("\(number)".leftPadded(to: 5)) │ \(text)",
                style: number == line ? .bold : .none
            )
        }
    }

    // MARK: - Others

    private static func acquitted(_ report: HeapReport, limit: Int, _ page: inout TextPage) {
        let all = report.sites.filter(\.isAcquitted).sorted { $0.inUseBytes > $1.inUseBytes }
        // What nobody would suspect is not named.
        let least = max(4096, report.totals.inUseBytes / 100)
        let sites = all.filter { $0.inUseBytes >= least }
        guard !sites.isEmpty else { return }
        page.line("")
        page.line("not growing, though they look like it:")
        for site in sites.prefix(min(limit, 5)) {
            page.sites([
                TextPage.SiteLine(rank: site.rank, lead: site.verdict.rawValue, blame: site.blame, size: inUse(site))
            ])
            page.paragraph(site.evidenceLine.printable, indent: 5)
        }
        let others = all.count - min(sites.count, min(limit, 5))
        if others > 0 { page.line("     and \(Format.plural(UInt64(others), "smaller one"))") }
    }

    private static func largest(_ report: HeapReport, limit: Int, _ page: inout TextPage) {
        let sites = report.sites.filter { value(of: $0, report).bytes > 0 }
        guard !sites.isEmpty else { return }
        page.line("")
        page.line(title(report))
        let lines = sites.prefix(limit).map { site in
            let (bytes, count) = value(of: site, report)
            let size =
                report.options.order == .temporary
                ? Format.plural(count, "temporary block") + " of \(Format.count(site.allocatedCount))"
                : site.resource.amount(bytes, in: count)
            // One profile is no history that a verdict could rest on.
            let lead = report.isOfProfiles && report.phases.isEmpty ? "" : site.verdict.rawValue
            return TextPage.SiteLine(rank: site.rank, lead: lead, blame: site.blame, size: size)
        }
        page.sites(lines)
        if sites.count > limit { page.line("     and \(Format.count(UInt64(sites.count - limit))) more") }
    }

    private static func title(_ report: HeapReport) -> String {
        let isOver = !report.processes.isEmpty && report.processes.allSatisfy { $0.process.end != .running }
        return switch report.options.order {
        case .growth, .inUse: isOver ? "left at exit:" : "in use:"
        case .allocated: "allocated in all:"
        case .peak: "in use at the peak:"
        case .temporary: "freed before the next allocation:"
        }
    }

    private static func value(of site: ReportSite, _ report: HeapReport) -> (bytes: UInt64, count: UInt64) {
        switch report.options.order {
        case .growth, .inUse: (site.inUseBytes, site.inUseCount)
        case .allocated: (site.allocatedBytes, site.allocatedCount)
        case .peak: (site.peakBytes, site.peakCount)
        case .temporary: (site.temporaryCount, site.temporaryCount)
        }
    }

    static func trustLine(_ report: HeapReport) -> String {
        if report.isOfProfiles {
            let symbolized = Format.percent(report.trust.symbolizedPercent)
            return "\(report.recording.target.allocator), bytes symbolized \(symbolized)"
        }
        let counters = report.trust.counters
        var parts: [String] = []
        if counters.eventsSent == counters.eventsReceived {
            parts.append("\(Format.count(counters.eventsSent)) events sent = received")
        } else {
            parts.append(
                "\(Format.count(counters.eventsSent)) events sent, \(Format.count(counters.eventsReceived)) received"
            )
        }
        parts.append("lost \(Format.count(counters.lost))")
        parts.append("stacks complete \(Format.percent(report.trust.completeStacksPercent))")
        parts.append("bytes symbolized \(Format.percent(report.trust.symbolizedPercent))")
        if counters.unknownFrees > 0 {
            parts.append(Format.plural(counters.unknownFrees, "free") + " of unknown blocks")
        }
        if counters.inheritedFrees > 0 {
            parts.append(Format.plural(counters.inheritedFrees, "free") + " of blocks inherited by fork")
        }
        if counters.overwritten > 0 {
            parts.append(Format.plural(counters.overwritten, "block") + " whose free was not seen")
        }
        if counters.unmatchedUnfrees > 0 {
            parts.append(Format.plural(counters.unmatchedUnfrees, "undone free") + " without a free")
        }
        if counters.unknownKinds > 0 {
            parts.append(Format.plural(counters.unknownKinds, "record") + " of unknown kind")
        }
        if let reason = counters.stopReason {
            parts.append("recording stopped before the end (\(ObstacleText.why(reason)))")
        }
        if counters.importsUnbound > 0 {
            let imports = Format.plural(counters.importsUnbound, "import")
            parts.append(imports + " of functions that allocate not followed: what goes through them is not seen")
        }
        if counters.unseenDescriptors > 0 {
            parts.append(Format.plural(counters.unseenDescriptors, "descriptor") + " silt did not see opened")
        }
        if counters.modulesLost > 0 { parts.append(Format.plural(counters.modulesLost, "module") + " not recorded") }
        if counters.waits > 0 {
            parts.append(
                "target waited \(Format.plural(counters.waits, "time")) for silt "
                    + "(\(Format.duration(Double(counters.waitNs) / 1e9)))"
            )
        }
        let profiles = Set(report.recording.processes.filter(\.isProfiled).map(\.executable))
        parts += profiles.sorted()
        if !report.trust.isClosed { parts.append("recording not closed: numbers are those of its last snapshot") }
        return parts.joined(separator: ", ")
    }
}

extension String {
    var trimmedEnd: String { hasSuffix(" ") ? String(dropLast()) : self }
}
