internal import SiltRecording

/// The table of `go tool pprof -top`: flat is what a function's own call sites hold, cum what it and its callees hold.
///
/// Flat goes to the function that a call site blames, so allocator wrappers have none. A function that occurs several
/// times in a stack counts once in cum.
package enum TopTable {
    private struct Node {
        var name: String
        var flat: UInt64 = 0
        var cumulative: UInt64 = 0
    }

    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        let target = report.recording.target
        let nodes = nodes(of: report)
        let total = report.recording.counters.reduce(UInt64(0)) { $0 &+ report.value(of: $1) }
        let shown = nodes.prefix(report.options.limit ?? Int.max)
        let isCount = report.options.order == .temporary
        let unit = isCount ? nil : Unit(for: nodes.map { $0.flat > 0 ? $0.flat : $0.cumulative }, total: total)
        let label: (UInt64) -> String = { unit?.label($0) ?? "\($0)" }
        let flat = shown.reduce(UInt64(0)) { $0 &+ $1.flat }

        if let path = target.command.first {
            output.write("File: \((target.executable.isEmpty ? path : target.executable).lastPathComponent)\n")
        }
        output.write("Type: \(typeName(report.options.order))\n")
        output.write(
            "Showing nodes accounting for \(label(flat)), \(percent(flat, total).trimmed) of \(label(total)) total\n"
        )
        if shown.count < nodes.count {
            output.write("Showing top \(shown.count) nodes out of \(nodes.count)\n")
        }
        output.write("      flat  flat%   sum%        cum   cum%\n")
        var sum: UInt64 = 0
        for node in shown {
            sum &+= node.flat
            output.write(
                "\(label(node.flat).leftPadded(to: 10)) \(percent(node.flat, total)) \(percent(sum, total)) "
                    + "\(label(node.cumulative).leftPadded(to: 10)) \(percent(node.cumulative, total))  "
                    + "\(node.name)\n"
            )
        }
    }

    private static func typeName(_ order: ReportOptions.Order) -> String {
        switch order {
        case .growth, .inUse: "inuse_space"
        case .allocated: "alloc_space"
        case .peak: "peak_inuse_space"
        case .temporary: "temporary_objects"
        }
    }

    private static func nodes(of report: HeapReport) -> [Node] {
        let recording = report.recording
        let names = report.names
        var nodes: [Node] = []
        var byName: [String: Int] = [:]
        let nodeOfRow = rowNodes(report, &nodes, &byName)
        var sums = [UInt64](repeating: 0, count: recording.stacks.count)
        for row in recording.counters where row.stack != 0 {
            sums[Int(row.stack) - 1] &+= report.value(of: row)
        }
        // The last stack in which each function was counted.
        var seen = [Int](repeating: -1, count: nodes.count)
        for (index, value) in sums.enumerated() where value > 0 {
            var stack = index + 1
            let blame = Int(report.blameFrames[index])
            if blame > 0 {
                nodes[nodeOfRow[names.shownRows[blame - 1]]].flat &+= value
            }
            while stack != 0 {
                let entry = recording.stacks[stack - 1]
                stack = Int(entry.parent)
                guard entry.frame != 0 else { continue }
                for row in names.ranges[Int(entry.frame) - 1] {
                    let node = nodeOfRow[row]
                    if seen[node] != index {
                        seen[node] = index
                        nodes[node].cumulative &+= value
                    }
                }
            }
        }
        return nodes.filter { $0.cumulative > 0 }.sorted {
            ($1.flat, $1.cumulative, $0.name) < ($0.flat, $0.cumulative, $1.name)
        }
    }

    /// By row of the frame names: the node of its function.
    private static func rowNodes(
        _ report: HeapReport,
        _ nodes: inout [Node],
        _ byName: inout [String: Int]
    ) -> [Int] {
        var result = [Int](repeating: 0, count: report.names.rows.count)
        for (index, range) in report.names.ranges.enumerated() {
            for row in range {
                let name = report.names.name(ofRow: row, frame: UInt32(index + 1), in: report.recording).printable
                let node = byName[name] ?? nodes.count
                if node == nodes.count {
                    byName[name] = node
                    nodes.append(Node(name: name))
                }
                result[row] = node
            }
        }
        return result
    }

    /// Five columns and the sign, as pprof prints a share: `  100%`, `12.34%`, ` 0.12%`.
    private static func percent(_ value: UInt64, _ total: UInt64) -> String {
        guard total > 0 else { return "    0%" }
        let ratio = 100 * Double(value) / Double(total)
        if ratio >= 99.95 { return "  100%" }
        if ratio >= 1 { return Format.fixed(ratio, 2).leftPadded(to: 5) + "%" }
        return significant(ratio).leftPadded(to: 5) + "%"
    }

    /// Two significant digits, as C's %.2g: 0.12, 0.012, 0.5, 0.
    private static func significant(_ value: Double) -> String {
        guard value > 0 else { return "0" }
        var decimals = 2
        var scaled = value
        while scaled < 0.0995, decimals < 5 {
            scaled *= 10
            decimals += 1
        }
        if scaled < 0.0995 { return exponential(value) }
        var text = Format.fixed(value, decimals)
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    private static func exponential(_ value: Double) -> String {
        var mantissa = value
        var exponent = 0
        while mantissa < 0.95 {
            mantissa *= 10
            exponent += 1
        }
        var text = Format.fixed(mantissa, 1)
        if text.hasSuffix(".0") { text.removeLast(2) }
        return text + "e-" + (exponent < 10 ? "0" : "") + "\(exponent)"
    }

    /// One unit for a whole table, chosen as pprof does: that of the smallest value, a hundred times as big where
    /// smallest and largest differ.
    struct Unit {
        private let name: String
        private let factor: Double
        private static let units: [(name: String, factor: Double)] = [
            ("B", 1), ("kB", 1024), ("MB", 1_048_576), ("GB", 1_073_741_824), ("TB", 1_099_511_627_776),
        ]

        init(for values: [UInt64], total: UInt64) {
            let least = values.filter { $0 > 0 }.min() ?? total
            var unit = Self.best(for: least)
            if unit.name != Self.best(for: total).name, Double(least) * 100 < Double(total) {
                unit = Self.best(for: least.multipliedReportingOverflow(by: 100).partialValue)
            }
            name = unit.name
            factor = unit.factor
        }

        private static func best(for value: UInt64) -> (name: String, factor: Double) {
            units.last { Double(value) >= $0.factor } ?? units[0]
        }

        func label(_ value: UInt64) -> String {
            var text = Format.fixed(Double(value) / factor, 2)
            if text.hasSuffix(".00") { text.removeLast(3) }
            return text == "0" ? "0" : text + name
        }
    }
}

extension String {
    fileprivate var trimmed: Substring { drop { $0 == " " } }
}
