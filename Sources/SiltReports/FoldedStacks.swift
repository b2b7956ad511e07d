internal import SiltRecording

/// One line per stack, outermost function first, `;` between, then the value: the input of flamegraph.pl.
package enum FoldedStacks {
    /// Stacks whose names agree are added up; callees of a function come in the order of their names.
    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        let tree = NameTree(report)
        tree.write(into: &output)
    }
}

/// The stacks of a report by name: nodes whose path of names is the same are one node.
private struct NameTree {
    private struct Node {
        var label: UInt32
        var value: UInt64 = 0
        var children: [UInt32] = []
    }

    /// By number; 0 is the root, which has no name.
    private var nodes = [Node(label: 0)]
    private var numbers: [UInt64: UInt32] = [:]
    private var labels: [String] = []

    init(_ report: HeapReport) {
        let recording = report.recording
        let labelOfFrame = Self.label(report, &labels)
        var sums = [UInt64](repeating: 0, count: recording.stacks.count)
        for row in recording.counters where row.stack != 0 { sums[Int(row.stack) - 1] &+= report.value(of: row) }
        if let depth = report.options.depth {
            for (index, value) in sums.enumerated() where value > 0 {
                var node: UInt32 = 0
                for frame in recording.frames(ofStack: UInt32(index + 1)).prefix(depth).reversed() where frame != 0 {
                    node = child(of: node, label: labelOfFrame[Int(frame) - 1])
                }
                nodes[Int(node)].value &+= value
            }
            return
        }
        // Only what leads to a value is in the tree.
        var isNeeded = sums.map { $0 > 0 }
        for index in recording.stacks.indices.reversed() where isNeeded[index] {
            let parent = Int(recording.stacks[index].parent)
            if parent != 0 { isNeeded[parent - 1] = true }
        }
        var nodeOfStack = [UInt32](repeating: 0, count: recording.stacks.count)
        for (index, stack) in recording.stacks.enumerated() where isNeeded[index] {
            let parent = stack.parent == 0 ? 0 : nodeOfStack[Int(stack.parent) - 1]
            nodeOfStack[index] =
                stack.frame == 0 ? parent : child(of: parent, label: labelOfFrame[Int(stack.frame) - 1])
            nodes[Int(nodeOfStack[index])].value &+= sums[index]
        }
    }

    private mutating func child(of parent: UInt32, label: UInt32) -> UInt32 {
        let key = UInt64(parent) << 32 | UInt64(label)
        if let known = numbers[key] { return known }
        let number = UInt32(nodes.count)
        numbers[key] = number
        nodes.append(Node(label: label))
        nodes[Int(parent)].children.append(number)
        return number
    }

    /// By frame − 1: the number of its label in `labels`.
    private static func label(_ report: HeapReport, _ labels: inout [String]) -> [UInt32] {
        var known: [String: UInt32] = [:]
        return report.recording.frames.indices.map { index in
            let text = name(ofFrame: UInt32(index + 1), report)
            if let number = known[text] { return number }
            let number = UInt32(labels.count)
            labels.append(text)
            known[text] = number
            return number
        }
    }

    /// The functions at a frame, outermost first; a `;` in a name becomes `:`.
    private static func name(ofFrame frame: UInt32, _ report: HeapReport) -> String {
        report.names.ranges[Int(frame) - 1].reversed().map { row in
            String(
                report.names.name(ofRow: row, frame: frame, in: report.recording).printable
                    .map { $0 == ";" ? ":" : $0 }
            )
        }.joined(separator: ";")
    }

    /// Depth first, without recursion: stacks may be deep.
    func write<Output: TextOutputStream>(into output: inout Output) {
        var path: [UInt8] = []
        var pending: [(node: UInt32, length: Int)] = [(0, 0)]
        var buffer: [UInt8] = []
        while let (number, length) = pending.popLast() {
            path.removeLast(path.count - length)
            let node = nodes[Int(number)]
            if number != 0 {
                if length > 0 { path.append(UInt8(ascii: ";")) }
                path += labels[Int(node.label)].utf8
            }
            if node.value > 0, !path.isEmpty {
                buffer += path
                buffer += " \(node.value)\n".utf8
            }
            if buffer.count > 1 << 16 {
                output.write(String(decoding: buffer, as: UTF8.self))
                buffer.removeAll(keepingCapacity: true)
            }
            for child in node.children.sorted(by: {
                labels[Int(nodes[Int($0)].label)] > labels[Int(nodes[Int($1)].label)]
            }) {
                pending.append((child, path.count))
            }
        }
        output.write(String(decoding: buffer, as: UTF8.self))
    }
}
