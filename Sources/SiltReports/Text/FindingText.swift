internal import SiltFindings
internal import SiltSymbols
internal import SiltText

/// What belongs to a growing site beside its own line: the sites that follow it, its stacks, the way to it.
enum FindingText {
    /// Sites named that grow together with one.
    private static let named = 4

    /// Why it is charged, and in which phase where it is in several.
    static func evidence(_ site: ReportSite, _ report: HeapReport) -> String {
        let isOfSeveral = report.sites.contains { $0.follows?.rank == site.rank && $0.follows?.why == .samePlace }
        guard isOfSeveral, let phase = site.phase else { return site.evidenceLine }
        return "on \(phase): \(site.evidenceLine)"
    }

    /// What tells it from the other allocations of the blamed function; nil when nothing does.
    static func distinction(_ site: ReportSite) -> String? {
        if let caller = site.caller { return "\(site.blame.label), only when called by \(caller.label)" }
        return site.origin.map { "\(site.blame.label), called from \($0.label)" }
    }

    /// What was called for it, and for what else its line takes, and what gives that back.
    static func pairs(_ site: ReportSite, _ report: HeapReport) -> [KnownPair] {
        let sameLine = report.sites.filter { $0.follows?.rank == site.rank && $0.follows?.why == .sameLine }
        return ([site] + sameLine).compactMap(\.pair).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// The other phases of the same place, each with its rate, and what else its line takes or grows in lock-step with it.
    static func together(_ site: ReportSite, _ report: HeapReport, _ page: inout TextPage) {
        let followers = report.sites.filter { $0.follows?.rank == site.rank }
        for other in followers where other.follows?.why == .samePlace {
            let rate = other.rate?.lead ?? ""
            page.paragraph(
                "on \(other.phase ?? ""): \(rate), \(HuntText.certainty(other)): \(other.evidenceLine)".printable,
                indent: 5
            )
        }
        let together = followers.filter { $0.follows?.why != .samePlace }
        guard !together.isEmpty else { return }
        var words = together.prefix(named).map { other in
            let rate = other.rate.map { " " + $0.unit.gain($0.value) } ?? ""
            return (other.fix.isSamePlace(as: site.fix) ? other.blame.label : other.label) + rate
        }
        if together.count > named {
            let rates = together.dropFirst(named).compactMap(\.rate).sums.map { " " + $0.unit.gain($0.value) }
            words.append("\(together.count - named) more" + rates.joined(separator: " and"))
        }
        page.paragraph("with it: \(words.joined(separator: ", "))".printable, indent: 5)
    }

    /// What is said before the stack that is shown; nil of a site with one.
    static func stacks(_ site: ReportSite) -> String? {
        guard site.stackCount > 1 else { return nil }
        let all = Format.plural(UInt64(site.stackCount), "stack")
        guard site.grownStackCount > 0, site.grownStackCount < site.stackCount else { return all + ", most of it in" }
        if site.grownStackCount == 1 { return "\(all), one of which grew:" }
        return "\(all), \(Format.count(UInt64(site.grownStackCount))) of which grew, most of it in"
    }

    /// The functions from the outermost to the blamed one, "…" for what is left out.
    ///
    /// Of a long stack the innermost are shown, and from further out where a repair would go, the innermost function with a
    /// line, and what calls into an interpreter.
    static func way(to site: ReportSite, _ report: HeapReport, linkWidth: Int) -> [String] {
        let frames = report.frames(ofStack: site.stack)
        let blame = report.blameIndex(ofStack: site.stack)
        let runtime = frames.reversed().prefix { $0.isRuntimeStart }.count
        let end = max(blame + 1, frames.count - runtime)
        guard blame < frames.count else { return [] }
        var shown = Set(blame..<min(end, blame + (report.options.depth ?? 8)))
        let outward = blame..<end
        if let fix = outward.first(where: { frames[$0].isSamePlace(as: site.fix) }) { shown.insert(fix) }
        if let line = outward.first(where: { frames[$0].line != nil }) { shown.insert(line) }
        if let loop = outward.first(where: { InterpreterNames.isLoop(frames[$0].function) }),
            let entry = (loop..<end).first(where: { !InterpreterNames.isLoop(frames[$0].function) }),
            !frames[entry].isMain
        {
            shown.insert(entry)
        }
        var words: [String] = []
        var previous = end
        for index in shown.sorted(by: >) {
            if index < previous - 1 { words.append("…") }
            previous = index
            words.append((frames[index].name(width: linkWidth) + " " + frames[index].place.printable).trimmedEnd)
        }
        return words
    }
}

extension ReportFrame {
    fileprivate func isSamePlace(as other: ReportFrame) -> Bool {
        function == other.function && line == other.line && module == other.module
            && (!function.isEmpty || offset == other.offset)
    }

    fileprivate var isMain: Bool { function == "main" }
}

extension ReportSite {
    /// Where a repair would go and, when that is further out, the blamed function: `place_order orders.c:40, through make_record`.
    package var label: String { fix == blame ? blame.label : "\(fix.label), through \(blame.name)" }
}
