internal import SiltEvents
internal import SiltFindings
internal import SiltSymbols
internal import SiltText

/// A difference for a terminal: the verdict, what was compared, and a table in the shape of `go tool pprof -top -diff_base`.
package enum DiffText {
    /// Call sites that the first line names, and how much smaller than the first they may be.
    private static let named = 3
    private static let minimumShare = 0.01
    /// Characters of a function in the first line.
    private static let maximumName = 60
    /// Functions shown unasked.
    private static let usual = 20

    package static func render<Output: TextOutputStream>(_ diff: HeapDiff, into output: inout Output) {
        var page = TextPage(width: max(40, diff.settings.width), isColored: false)
        head(diff, &page)
        output.write(page.text)
        let type = diff.resource.sampleType(diff.settings.typeName)
        output.write("Type: \(type)\(diff.settings.per.map { " per " + $0.rawValue } ?? "")\n")
        let rows = diff.functions.prefix(diff.settings.limit ?? usual).map(\.row)
        var notes: [String] = []
        if rows.count < diff.functions.count, !rows.isEmpty {
            notes.append("Showing top \(rows.count) nodes out of \(diff.functions.count)")
        }
        let total = diff.settings.sharesOfChange ? diff.functions.reduce(0) { $0 + $1.flat.value.magnitude } : diff.base
        let unit = diff.resource.isCounted ? .count : PprofTable.Unit(for: rows, total: total)
        let width = diff.settings.width
        PprofTable.write(rows, total: total, unit: unit, notes: notes, width: width, into: &output)
    }

    /// The verdict, and what was compared.
    static func head(_ diff: HeapDiff, _ page: inout TextPage) {
        page.paragraph(headline(diff), indent: 2, first: 0)
        for (letter, side) in [("A", diff.before), ("B", diff.after)] {
            page.paragraph("\(letter): \(side.name.printable): \(holds(side, diff.settings))", indent: 2, first: 0)
        }
        if let opening = diff.settings.opening,
            let note = diff.resource.compared(besides: opening.others, isChosen: opening.resource != nil)
        {
            page.paragraph(note, indent: 2, first: 0)
        }
    }

    /// As `B holds 3.20 MiB more than A: +2.90 MiB make_record redis_leak_module.c`.
    static func headline(_ diff: HeapDiff) -> String {
        let minimum = minimumShare * (diff.functions.first?.flat.value.magnitude ?? 0)
        let sites = diff.functions.prefix(named).filter { $0.flat.value != 0 && $0.flat.value.magnitude >= minimum }.map
        {
            "\(signed($0.flat.value, diff)) \(fittedName($0.key.name, width: maximumName))"
        }
        guard !sites.isEmpty else { return verb(diff, "as much as", nil) + ": no call site differs" }
        let change = diff.total.value
        let line =
            change == 0
            ? verb(diff, "as much as", nil) + ", in other places"
            : verb(diff, change > 0 ? "more than" : "less than", change)
        return line + ": " + sites.joined(separator: ", ")
    }

    private static func verb(_ diff: HeapDiff, _ relation: String, _ change: Double?) -> String {
        let (start, end) =
            switch diff.settings.measure {
            case .inUse: ("B holds", "A")
            case .allocated: ("B allocated", "A")
            case .peak: ("B held", "A, each at its peak")
            }
        let per = diff.settings.per.map { " per " + $0.rawValue } ?? ""
        let amount = change.map { " " + Self.amount($0.magnitude, diff) } ?? ""
        return start + amount + (amount.isEmpty ? "" : per) + " \(relation) " + end
    }

    static func amount(_ value: Double, _ diff: HeapDiff) -> String { diff.resource.amount(value) }

    static func signed(_ value: Double, _ diff: HeapDiff) -> String {
        (value < 0 ? "-" : "+") + amount(value.magnitude, diff)
    }

    private static func holds(_ side: DiffSide, _ settings: DiffSettings) -> String {
        let total = side.total(settings.measure)
        let resource = side.report.countedResource
        var text =
            resource.isCounted || total.count > 0
            ? resource.amount(total.bytes, in: total.count) : Format.bytes(total.bytes)
        if side.endedCount > 0 { text += ", " + EndText.heldBefore(processes: side.endedCount) }
        if side.isBeforeTheWayOut, settings.measure == .inUse { text += " \(resource.beforeTheWayOut)" }
        switch settings.per {
        case .request?: text += ", \(Format.plural(side.requests ?? 0, "request"))" + (side.isPast ? " so far" : "")
        case .second?: text += ", \(Format.duration(side.seconds ?? 0))" + (side.isPast ? " so far" : "")
        case nil: break
        }
        return text
    }
}
