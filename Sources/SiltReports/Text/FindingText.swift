internal import SiltEvents
internal import SiltFindings
internal import SiltText

/// What is said of one growing site: a line that names it, and at most a handful of short ones.
enum FindingText {
    /// How much of it is shown.
    enum Form {
        /// The line and the evidence.
        case brief
        /// With the way there, the source line, why it stays and what to do next.
        case usual
        /// With the course of time and the whole stack.
        case whole
    }

    /// Growing sites of which way and source are shown unasked.
    static let detailed = 3
    private static let indent = 4
    /// Sites named that grow together with one.
    private static let named = 4

    static func write(_ site: ReportSite, number: Int, _ report: HeapReport, _ form: Form, _ page: inout TextPage) {
        let line = FindingLine(
            number: number,
            rate: site.rate.map { $0.unit.gain($0.value) } ?? "",
            also: ratesBeside(site, report),
            site: site,
            confidence: ConfidenceText.word(site.confidence),
            held: (held(site), heldInShort(site))
        )
        let (first, saysAll) = line.text(width: page.width)
        page.line(first, style: .bold)
        if form == .whole { course(site, &page) }
        page.paragraph(evidence(site, report).printable, indent: indent)
        for note in notes(site, report, beside: !saysAll) { page.paragraph(note.printable, indent: indent) }
        if form == .brief { return }
        way(site, report, form, &page)
        source(site, report, form, &page)
        let why = WhyText.line(site, isWhole: form == .whole, others: report.growing)
        if let why { page.paragraph(why.printable, indent: indent) }
        if let next = NextStep.line(site, report) { page.command("next: " + next.printable, indent: indent) }
    }

    /// Its rate, and those of what its line takes beside it: `+1.00 KiB/second, +20.0 threads/second`; nil without one.
    static func rates(_ site: ReportSite, _ report: HeapReport) -> String? {
        site.rate.map { ([$0] + report.beside(site).compactMap(\.rate)).map(\.lead).joined(separator: ", ") }
    }

    /// As `, +20.0 threads/s`.
    private static func ratesBeside(_ site: ReportSite, _ report: HeapReport) -> String {
        report.beside(site).compactMap(\.rate).map { ", " + $0.unit.gain($0.value) }.joined()
    }

    // MARK: - What it holds

    /// What a site holds; what it held before the way out, where that is not the same.
    static func held(_ site: ReportSite) -> String {
        let own =
            site.wasGivenBack
            ? "\(site.resource.amount(Double(site.lastInUseBytes))), "
                + "\(site.resource.amount(Double(site.inUseBytes))) left at exit"
            : site.resource.amount(site.inUseBytes, in: site.inUseCount)
        guard site.threadStackBytes > site.inUseBytes else { return own }
        return own + " and \(Format.bytes(site.threadStackBytes)) of threads' stacks"
    }

    private static func heldInShort(_ site: ReportSite) -> String {
        let own = site.heldBytes
        let more = site.threadStackBytes > site.inUseBytes ? site.threadStackBytes : 0
        guard site.resource.isCounted else { return Format.bytes(own + more) }
        return site.resource.amount(Double(own)) + (more > 0 ? ", \(Format.bytes(more))" : "")
    }

    // MARK: - Evidence

    /// Why it is charged, and in which phase where not all that grows does so in one.
    static func evidence(_ site: ReportSite, _ report: HeapReport) -> String {
        let phases = Set(report.growing.compactMap(\.phase))
        let line = evidenceSaidOnce(site, report)
        guard let phase = site.phase, phases.count > 1 else { return line }
        return "\(HuntHeadline.during(phase, report)): \(line)"
    }

    private static let caveats = [RunEvidenceText.caveat, RunEvidenceText.poolCaveat, HuntEvidenceText.caveat]

    /// What its time leaves open is said of the first finding alone that has it.
    private static func evidenceSaidOnce(_ site: ReportSite, _ report: HeapReport) -> String {
        let line = site.evidenceLine
        guard let caveat = caveats.first(where: line.contains),
            let first = report.findings.own.first(where: { $0.evidenceLine.contains(caveat) }), first.rank < site.rank,
            let start = line.firstRange(of: caveat)?.lowerBound,
            let end = line[start...].firstRange(of: RunEvidenceText.caveatEnd)?.upperBound
        else { return line }
        return String(line[..<start] + line[end...])
    }

    /// What else is to be said of it than why it is charged, a sentence each; `beside`: the rates beside its own too.
    static func notes(_ site: ReportSite, _ report: HeapReport, beside: Bool = false) -> [String] {
        var notes: [String] = []
        if site.spreadOver > 0 {
            let places = Format.plural(UInt64(site.spreadOver), "place")
            notes.append("allocated in \(places) below it, each too little to be judged alone")
        }
        if site.threadStackBytes > site.inUseBytes {
            notes.append("\(Format.bytes(site.threadStackBytes)) of it are stacks of its threads")
        }
        if let example = example(site) { notes.append(example) }
        if report.isOfUnseenCalls(site) { notes.append(Resource.unseenCalls) }
        if let remedy = site.resource.remedy { return notes + [remedy] + together(site, report, beside: beside) }
        notes += pairs(site, report).map { "\($0.maker) made it: \($0.giver) gives it back" }
        return notes + together(site, report, beside: beside)
    }

    /// As `one of them, 12 s old: socket tcp 127.0.0.1:8080 – 127.0.0.1:40022, close-wait`.
    static func example(_ site: ReportSite) -> String? {
        site.example.map { example in
            "one of them, \(Format.duration(example.ageSeconds)) old: \(example.kind)"
                + (example.text.isEmpty ? "" : " " + example.text)
        }
    }

    /// What was called for it, and for what else its line takes, and what gives that back: each of these once.
    static func pairs(_ site: ReportSite, _ report: HeapReport) -> [KnownPair] {
        let sameLine = report.sites.those {
            $0.follows?.rank == site.rank && $0.follows?.why == .sameLine && $0.fix.isSamePlace(as: site.fix)
        }
        return ([site] + sameLine).compactMap(\.pair).reduce(into: []) { pairs, pair in
            if !pairs.contains(where: { $0.giver == pair.giver }) { pairs.append(pair) }
        }
    }

    /// The other phases of the same place, each with its rate, and what else its line takes or grows in lock-step with it.
    private static func together(_ site: ReportSite, _ report: HeapReport, beside: Bool) -> [String] {
        let followers = report.sites.those { $0.follows?.rank == site.rank }
        let phases = followers.filter { $0.follows?.why == .samePlace }.map { other in
            let (phase, rate) = (HuntHeadline.during(other.phase ?? "", report), other.rate?.lead ?? "")
            return "\(phase): \(rate), \(ConfidenceText.certainty(other)): \(other.evidenceLine)"
        }
        let said = beside ? [] : report.beside(site).map(\.rank)
        let together = followers.filter { $0.follows?.why != .samePlace && !said.contains($0.rank) }
        guard !together.isEmpty else { return phases }
        var words = together.prefix(named).map { other in
            let rate = other.rate.map { " " + $0.unit.gain($0.value) } ?? ""
            guard other.fix.isSamePlace(as: site.fix) else { return place(other.fix, beside: site.fix) + rate }
            guard other.blame.isSamePlace(as: site.blame), !rate.isEmpty else { return other.blame.label + rate }
            return rate.dropFirst() + " at the same line"
        }
        if together.count > named {
            let rates = together.dropFirst(named).compactMap(\.rate).sums.map { " " + $0.unit.gain($0.value) }
            words.append("\(together.count - named) more" + rates.joined(separator: " and"))
        }
        return phases + ["grows in step with it: \(words.joined(separator: ", "))"]
    }

    /// Characters of the name of a function that grows together with another.
    private static let nameBeside = 40

    /// The line alone of a function that was named before.
    private static func place(_ frame: ReportFrame, beside named: ReportFrame) -> String {
        if frame.line != nil, frame.function == named.function, frame.module == named.module { return frame.place }
        return frame.name(width: nameBeside) + (frame.place.isEmpty ? "" : " " + frame.place)
    }

    /// The memory in use over time, or at the end of each round.
    private static func course(_ site: ReportSite, _ page: inout TextPage) {
        let margin = String(repeating: " ", count: indent)
        let all = site.phaseSeries.flatMap(\.values)
        if let least = all.min(), let most = all.max() {
            let bars = site.phaseSeries.map { "\($0.name.printable) \(Sparkline.text($0.values, least, most))" }
            page.line(margin + bars.joined(separator: "  "))
        }
        guard site.phase == nil, let last = site.series.last, let least = site.series.min(),
            let most = site.series.max()
        else { return }
        func amount(_ value: UInt64) -> String { site.resource.amount(Double(value)) }
        let range = least == most ? amount(last) : "\(amount(least)) – \(amount(most))"
        page.line("\(margin)\(Sparkline.text(site.series))  \(range)")
    }

    // MARK: - Where it is

    private static func way(_ site: ReportSite, _ report: HeapReport, _ form: Form, _ page: inout TextPage) {
        let way = WayText(site, report)
        guard form == .whole else {
            if let line = way.collapsed(width: page.width - indent) {
                page.line(String(repeating: " ", count: indent) + line)
            }
            return
        }
        if let stacks = stacks(site) { page.paragraph(stacks, indent: indent) }
        page.chain(way.whole(limit: report.options.depth), indent: indent)
    }

    /// What is said before the stack that is shown; nil of a site with one.
    private static func stacks(_ site: ReportSite) -> String? {
        guard site.stackCount > 1 else { return nil }
        let all = Format.plural(UInt64(site.stackCount), "stack")
        guard site.grownStackCount > 0, site.grownStackCount < site.stackCount else { return all + ", most of it in" }
        if site.grownStackCount == 1 { return "\(all), one of which grew:" }
        return "\(all), \(Format.count(UInt64(site.grownStackCount))) of which grew, most of it in"
    }

    private static func source(_ site: ReportSite, _ report: HeapReport, _ form: Form, _ page: inout TextPage) {
        guard report.options.showsSource, let file = site.fix.file, let line = site.fix.line else { return }
        let lines = SourceLines.around(line, of: file)
        for (number, text) in lines where form == .whole || number == line {
            let shown = form == .whole ? text : text.withoutLeadingSpaces
            page.line(
                String(repeating: " ", count: indent + 2)
                    + SourceLines.numbered(shown, number, isMeant: number == line),
                style: number == line && form == .whole ? .bold : .none
            )
        }
    }
}

extension String {
    fileprivate var withoutLeadingSpaces: String { String(drop { $0 == " " }) }
}

extension ReportSite {
    /// Where a repair would go and, when that is further out, the blamed function: `place_order orders.c:40, through make_record`.
    package var label: String { fix == blame ? blame.label : "\(fix.label), through \(blame.shortName)" }
}
