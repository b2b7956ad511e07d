internal import SiltEvents
package import SiltFindings
internal import SiltRecording
internal import SiltText

/// The table of `go tool pprof -top`: flat is what a function's own call sites hold, cum what it and its callees hold.
///
/// Stacks begin at the function that a call site blames, as those of `PprofExport` do: allocator wrappers are not shown,
/// but those that a profile in a file has.
/// The table is that which `go tool pprof -top` prints of that profile, or with a limit its table of so many functions
/// and none dropped. Functions without a name are shown by their address, while pprof has one row for all of a file.
package enum TopTable {
    /// Shares of the total: functions with less are dropped unless there is a limit, and callers with less say nothing of inlining.
    private static let minimumFunction = 0.005
    private static let minimumCaller = 0.001

    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        let table = Table(report)
        guard table.total > 0 else { return output.write(report.emptiness) }
        let target = report.recording.target
        var page = TextPage(width: report.options.width, isColored: false)
        if let path = target.command.first {
            page.line("File: \((target.executable.isEmpty ? path : target.executable).lastPathComponent)")
        }
        page.line("Type: \(typeName(report))")
        if report.isBeforeTheWayOut {
            let moment = report.countedResource.beforeTheWayOut
            page.paragraph("Time: \(moment) (--by inuse: what was left)", indent: 2, first: 0)
        }
        output.write(page.text)
        table.write(width: report.options.width, into: &output)
    }

    private static func typeName(_ report: HeapReport) -> String {
        report.countedResource.sampleType(report.options.order.sampleType)
    }

    private struct Table {
        var rows: [PprofTable.Row]
        var total: Double
        var isCount: Bool
        /// Functions before those beyond the limit were taken away, and how many too small ones went before that.
        var all: Int
        var dropped: Int

        init(_ report: HeapReport) {
            var names = LabelTable<String>()
            let labels = names.labels(of: report) { row, frame in
                report.names.name(ofRow: row, frame: frame, in: report.recording).printable
            }
            var tree = NameTree(columns: 1)
            // What pprof's own table shows of a profile, so that the two can be compared.
            let start = report.isOfProfiles && report.phases.isEmpty ? NameTree.Start.innermost : .blamed
            tree.add(report, to: 0, from: start, labels: labels) { report.value(of: $0) }
            let sums = FunctionSums(tree, labelCount: names.things.count)
            let inFunctions = Double(sums.totals[0] &- tree.values[0][0])
            let isLimited = report.options.limit != nil
            let least = isLimited ? 0 : (inFunctions * TopTable.minimumFunction).rounded(.down)
            let functions = sums.labels.map { label in
                PprofTable.Row(
                    label: label,
                    name: names.things[label],
                    flat: Double(sums.flat[0][label]),
                    cumulative: Double(sums.cumulative[0][label])
                )
            }
            let kept = functions.filter { $0.cumulative >= least }
            rows = Array(kept.sorted(by: PprofTable.areInOrder).prefix(report.options.limit ?? Int.max))
            total = Double(sums.totals[0])
            isCount = report.options.order == .temporary || report.countedResource.isCounted
            all = kept.count
            dropped = functions.count - kept.count
            PprofTable.mark(
                &rows,
                sums,
                labelCount: names.things.count,
                minimumWeight: isLimited ? 0 : (inFunctions * TopTable.minimumCaller).rounded(.down)
            )
        }

        func write<Output: TextOutputStream>(width: Int, into output: inout Output) {
            var notes: [String] = []
            let unit = isCount ? .count : PprofTable.Unit(for: rows, total: total)
            if dropped > 0 {
                let least = (total * TopTable.minimumFunction).rounded(.down)
                notes.append("Dropped \(dropped) node\(dropped > 1 ? "s" : "") (cum <= \(unit.label(least)))")
            }
            if rows.count < all, !rows.isEmpty { notes.append("Showing top \(rows.count) nodes out of \(all)") }
            PprofTable.write(rows, total: total, unit: unit, notes: notes, width: width, into: &output)
        }
    }
}
