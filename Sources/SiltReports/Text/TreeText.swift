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
        var pending = [Pending(box: view.whole, indent: 0, depth: 0)]
        // Depth first without recursion: stacks may be deep.
        while let next = pending.popLast() {
            page.line(line(next, of: view.whole, report), style: next.depth == 0 ? .bold : .none)
            let children = next.depth < report.options.depth ?? usualDepth ? view.children(of: next.box) : []
            let limit = report.options.limit ?? maximumChildren
            let shown = children.prefix(limit).prefix { $0.weight >= minimumShare * view.whole.weight }
            let isStraight = shown.first.map { $0.weight >= straight * next.box.weight } ?? false
            let indent = next.indent + (isStraight || next.depth == 0 ? 0 : 1)
            let rest = children.dropFirst(shown.count)
            if !rest.isEmpty, !shown.isEmpty {
                let sum = rest.reduce(0) { $0 + $1.weight }
                if sum >= minimumShare * view.whole.weight {
                    let name = "… \(Format.count(UInt64(rest.count))) more"
                    let box = StackView.Box(rest: name, weight: sum)
                    pending.append(Pending(box: box, indent: indent, depth: .max))
                }
            }
            pending += shown.reversed().map { Pending(box: $0, indent: indent, depth: next.depth + 1) }
        }
        output.write(page.text)
    }

    private static func line(_ item: Pending, of whole: StackView.Box, _ report: HeapReport) -> String {
        let share = item.box.value / whole.value
        let percent = Format.fixed(100 * share, 1) + "%"
        let lead =
            percent.leftPadded(to: 6) + " " + report.amount(item.box.value).leftPadded(to: 10) + "  "
            + bar(share).padded(to: barWidth) + "  " + String(repeating: "  ", count: min(item.indent, 30))
        return lead + fittedName(item.box.name, width: max(12, report.options.width - lead.count))
    }

    /// In eighths of a column.
    static func bar(_ share: Double, width: Int = barWidth) -> String {
        let eighths = Int((share * Double(width) * 8).rounded())
        let parts = Array("▏▎▍▌▋▊▉")
        return String(repeating: "█", count: eighths / 8) + (eighths % 8 == 0 ? "" : String(parts[eighths % 8 - 1]))
    }
}
