package import SiltFindings
internal import SiltSymbols
internal import SiltText

/// `--tree`: functions below those that lead to them, with shares and bars; what is small is added up.
package enum TreeText {
    /// A share of the whole: less is not shown by name.
    private static let minimumShare = 0.01
    /// Children shown of a function, and levels.
    private static let maximumChildren = 12
    private static let usualDepth = 200
    private static let barWidth = 10
    /// A share of its caller's: a function with more stands under it without an indent of its own.
    private static let straight = 0.9995

    private struct Pending {
        var box: StackView.Box
        var indent: Int
        var depth: Int
    }

    package static func render<Output: TextOutputStream>(
        _ report: HeapReport,
        isInverted: Bool,
        root: FunctionPattern?,
        into output: inout Output
    ) throws(NoSuchFunction) {
        let view = try report.stackView(isInverted: isInverted, root: root)
        guard view.whole.weight > 0 else {
            return output.write(report.emptiness)
        }
        var page = TextPage(width: report.options.width, isColored: report.options.color)
        page.paragraph("\(report.valueName), \(view.direction)", indent: 2, first: 0)
        write(view, limit: report.options.limit, depth: report.options.depth, amount: report.amount, &page)
        output.write(page.text)
    }

    /// The same of what differs, signed.
    package static func render<Output: TextOutputStream>(
        _ diff: HeapDiff,
        isInverted: Bool,
        root: FunctionPattern?,
        into output: inout Output
    ) throws(NoSuchFunction) {
        var page = TextPage(width: diff.settings.width, isColored: diff.settings.isColored)
        DiffText.head(diff, &page)
        let view = try diff.stackView(isInverted: isInverted, root: root)
        if view.whole.weight > 0 {
            let kind = diff.resource.sampleType(diff.settings.typeName)
            let shares = "shares are of all that grew and shrank"
            page.paragraph("\(kind): + grew, - shrank; \(shares), \(view.direction)", indent: 2, first: 0)
            write(
                view,
                limit: diff.settings.limit,
                depth: diff.settings.depth,
                amount: { DiffText.signed($0, diff) },
                &page
            )
        } else {
            page.line("no stack differs")
        }
        output.write(page.text)
    }

    private static func write(
        _ view: StackView,
        limit: Int?,
        depth: Int?,
        amount: (Double) -> String,
        _ page: inout TextPage
    ) {
        let minimum = minimumShare * view.whole.weight
        var pending = [Pending(box: view.whole, indent: 0, depth: 0)]
        // Depth first without recursion: stacks may be deep.
        while let next = pending.popLast() {
            let text = line(next, of: view.whole, amount(next.box.value), width: page.width)
            page.line(text, style: next.depth == 0 ? .bold : .none)
            let children = next.depth < depth ?? usualDepth ? view.children(of: next.box) : []
            let shown = children.prefix(limit ?? maximumChildren).prefix { $0.weight >= minimum }
            let isStraight = shown.first.map { $0.weight >= straight * next.box.weight } ?? false
            let indent = next.indent + (isStraight || next.depth == 0 ? 0 : 1)
            let rest = children.dropFirst(shown.count)
            if !rest.isEmpty, !shown.isEmpty {
                let box = StackView.Box(rest: "… \(Format.count(UInt64(rest.count))) more", rest)
                if box.weight >= minimum {
                    pending.append(Pending(box: box, indent: indent, depth: .max))
                }
            }
            pending += shown.reversed().map { Pending(box: $0, indent: indent, depth: next.depth + 1) }
        }
    }

    private static func line(_ item: Pending, of whole: StackView.Box, _ amount: String, width: Int) -> String {
        let share = item.box.weight / whole.weight
        let percent = Format.fixed(100 * share, 1) + "%"
        let lead =
            percent.leftPadded(to: 6) + " " + amount.leftPadded(to: 10) + "  "
            + bar(share).padded(to: barWidth) + "  " + String(repeating: "  ", count: min(item.indent, 30))
        return lead + fittedName(item.box.name, width: max(12, width - lead.count))
    }

    /// In eighths of a column.
    static func bar(_ share: Double, width: Int = barWidth) -> String {
        let eighths = Int((share * Double(width) * 8).rounded())
        let parts = Array("▏▎▍▌▋▊▉")
        return String(repeating: "█", count: eighths / 8) + (eighths % 8 == 0 ? "" : String(parts[eighths % 8 - 1]))
    }
}
