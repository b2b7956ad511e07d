internal import SiltRecording

/// One line per stack, outermost function first, `;` between, then the value: the input of flamegraph.pl.
package enum FoldedStacks {
    /// Stacks whose names agree are added up; lines are sorted by name.
    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        var values: [String: UInt64] = [:]
        var sums = [UInt64](repeating: 0, count: report.recording.stacks.count)
        for row in report.recording.counters where row.stack != 0 {
            sums[Int(row.stack) - 1] &+= report.value(of: row)
        }
        let labels = names(of: report)
        for (index, value) in sums.enumerated() where value > 0 {
            var frames = report.recording.frames(ofStack: UInt32(index + 1)).filter { $0 != 0 }
            if let depth = report.options.depth { frames = Array(frames.prefix(depth)) }
            values[frames.reversed().map { labels[Int($0) - 1] }.joined(separator: ";"), default: 0] &+= value
        }
        for (stack, value) in values.sorted(by: { $0.key < $1.key }) {
            output.write("\(stack) \(value)\n")
        }
    }

    /// By frame − 1: its functions, outermost first; a `;` in a name becomes `:`.
    private static func names(of report: HeapReport) -> [String] {
        report.recording.frames.indices.map { index in
            let frame = UInt32(index + 1)
            return report.names.ranges[index].reversed().map { row in
                String(
                    report.names.name(ofRow: row, frame: frame, in: report.recording).printable
                        .map { $0 == ";" ? ":" : $0 }
                )
            }.joined(separator: ";")
        }
    }
}
