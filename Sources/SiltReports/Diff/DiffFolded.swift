internal import SiltFindings

/// Folded stacks with two numbers each, before and after, as difffolded.pl makes them of two files of `FoldedStacks`: the
/// input of differential flame graphs.
package enum DiffFolded {
    package static func render<Output: TextOutputStream>(_ diff: HeapDiff, into output: inout Output) {
        var names = LabelTable<String>()
        var tree = NameTree(columns: 2)
        for (column, side) in [diff.before, diff.after].enumerated() {
            let labels = FoldedStacks.labels(of: side.report, &names)
            tree.add(side.report, to: column, from: .innermost, labels: labels) {
                side.value($0, diff.settings.measure)
            }
        }
        FoldedStacks.write(tree, names.things, into: &output)
    }
}
