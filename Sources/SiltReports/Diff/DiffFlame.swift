/// `silt diff --flame`: an icicle of what differs, signed.
package enum DiffFlame {
    /// Backgrounds of what grew and what shrank, and of what did both to the same amount.
    private static let (grown, shrunk, even) = (210, 117, 252)

    package static func render<Output: TextOutputStream>(
        _ diff: HeapDiff,
        isInverted: Bool,
        root: FunctionPattern?,
        into output: inout Output
    ) throws(NoSuchFunction) {
        var page = TextPage(width: max(40, diff.settings.width), isColored: false)
        DiffText.head(diff, &page)
        let view = try diff.stackView(isInverted: isInverted, root: root)
        guard view.whole.weight > 0 else {
            output.write(page.text)
            output.write("no stack differs\n")
            return
        }
        let column = DiffText.amount(view.whole.weight / Double(page.width), diff)
        page.paragraph(
            "\(diff.resource.sampleType(diff.settings.typeName)): + grew, - shrank; boxes are as wide as all that grew "
                + "and shrank below them, a column is \(column)",
            indent: 2,
            first: 0
        )
        let icicle = Icicle(view, width: page.width, limit: diff.settings.depth ?? FlameText.usualRows)
        output.write(page.text)
        output.write(
            icicle.text(
                label: { DiffText.signed($0.value, diff) },
                color: diff.settings.isColored ? { $0.value > 0 ? grown : $0.value < 0 ? shrunk : even } : nil
            )
        )
        if icicle.deeper > 0 {
            output.write("… \(icicle.deeper) deeper rows: --root REGEX looks at a function alone\n")
        }
    }
}
