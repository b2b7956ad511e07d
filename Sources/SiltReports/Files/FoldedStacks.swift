package import SiltFindings
internal import SiltText

/// One line per stack, outermost function first, `;` between, then the value: the input of flamegraph.pl.
package enum FoldedStacks {
    /// Stacks whose names agree are added up; callees of a function come in the order of their names.
    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        var names = LabelTable<String>()
        let labels = labels(of: report, &names)
        var tree = NameTree(columns: 1)
        tree.add(report, to: 0, from: .innermost, labels: labels) { report.value(of: $0) }
        write(tree, names.things, into: &output)
    }

    /// By row of the report's names; a `;` in a name becomes `:`.
    static func labels(of report: HeapReport, _ names: inout LabelTable<String>) -> [UInt32] {
        names.labels(of: report) { row, frame in
            String(
                report.names.name(ofRow: row, frame: frame, in: report.recording).printable
                    .map { $0 == ";" ? ":" : $0 }
            )
        }
    }

    /// Each line has a number for each column of the tree.
    static func write<Output: TextOutputStream>(_ tree: NameTree, _ names: [String], into output: inout Output) {
        var text: [UInt8] = []
        var ends = [0]
        var buffer: [UInt8] = []
        tree.walk(inOrder: names) { node, path in
            if let label = path.last {
                // What is common with the path before stays.
                text.removeLast(text.count - ends[path.count - 1])
                ends.removeLast(ends.count - path.count)
                if !text.isEmpty { text.append(UInt8(ascii: ";")) }
                text += names[Int(label)].utf8
                ends.append(text.count)
            }
            guard tree.values.contains(where: { $0[node] > 0 }) else { return }
            buffer += path.isEmpty ? Array("[no stack]".utf8) : text
            for column in tree.values { buffer += " \(column[node])".utf8 }
            buffer.append(UInt8(ascii: "\n"))
            if buffer.count > 1 << 16 {
                output.write(String(decoding: buffer, as: UTF8.self))
                buffer.removeAll(keepingCapacity: true)
            }
        }
        output.write(String(decoding: buffer, as: UTF8.self))
    }
}
