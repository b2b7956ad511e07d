internal import SiltEvents
internal import SiltFindings
internal import SiltRecording

/// Stacks by name, outermost function first: nodes whose path of labels is the same are one node.
///
/// What a label stands for is the maker's affair; values come in columns, so that two reports can share a tree.
struct NameTree {
    struct Node {
        var label: UInt32
        /// Smaller than the node's own number.
        var parent: UInt32
        /// 0: none.
        var firstChild: UInt32 = 0
        var nextSibling: UInt32 = 0
        /// Inlined into its parent wherever it occurs.
        var isInlined: Bool
    }

    /// Where stacks begin.
    enum Start {
        /// At the innermost function: allocator wrappers included.
        case innermost
        /// At the blamed function.
        case blamed
    }

    /// By number; 0 is the root, which has no label and holds what has no stack.
    private(set) var nodes = [Node(label: 0, parent: 0, isInlined: false)]
    /// By column, then node: what ends at the node.
    private(set) var values: [[UInt64]]
    private var numbers: [UInt64: UInt32] = [:]

    init(columns: Int) { values = Array(repeating: [0], count: columns) }

    /// Adds values to a column: of all counters that the report's outputs add up.
    mutating func add(
        _ report: HeapReport,
        to column: Int,
        from start: Start,
        labels: [UInt32],
        value: (RecordedCounters) -> UInt64
    ) {
        let recording = report.recording
        var sums = Table<StackID, UInt64>(repeating: 0, count: recording.stacks.count)
        report.forEachCounter { row in
            let amount = value(row)
            guard amount > 0 else { return }
            switch start {
            case _ where row.stack == .none: values[column][0] &+= amount
            case .innermost: sums[row.stack] &+= amount
            case .blamed: sums[report.names.blame(ofStack: row.stack).node] &+= amount
            }
        }
        if let depth = report.options.depth, start == .innermost {
            return add(sums, of: report, to: column, depth: depth, labels: labels)
        }
        let nodeOfStack = makeNodes(for: sums, of: report, labels: labels)
        for (index, amount) in sums.enumerated() where amount > 0 {
            var node = nodeOfStack[index]
            if start == .blamed { node = ancestor(of: node, blamedAt: recording.stacks[index].frame, in: report) }
            values[column][Int(node)] &+= amount
        }
    }

    /// The nodes of the functions that stacks blame, made where there are none; 0 for those not wanted.
    mutating func places(
        of report: HeapReport,
        wanted: Table<StackID, Bool>,
        labels: [UInt32]
    ) -> Table<StackID, UInt32> {
        let stacks = report.recording.stacks
        var marks = Table<StackID, UInt64>(repeating: 0, count: stacks.count)
        var blamed = Table<StackID, StackID>(repeating: .none, count: stacks.count)
        for index in stacks.indices where wanted[index] {
            blamed[index] = report.names.blame(ofStack: StackID(index: index)).node
            if blamed[index] != .none { marks[blamed[index]] = 1 }
        }
        let nodeOfStack = makeNodes(for: marks, of: report, labels: labels)
        return Table(
            blamed.map { node in
                guard node != .none else { return 0 }
                return ancestor(of: nodeOfStack[node], blamedAt: stacks[node].frame, in: report)
            }
        )
    }

    /// Adds to one node.
    mutating func add(_ amount: UInt64, to column: Int, node: UInt32) { values[column][Int(node)] &+= amount }

    /// Adds to the node of one path, outermost label first.
    mutating func add(_ amount: UInt64, to column: Int, path: [(label: UInt32, isInlined: Bool)]) {
        var node: UInt32 = 0
        for step in path { node = child(of: node, label: step.label, isInlined: step.isInlined) }
        values[column][Int(node)] &+= amount
    }

    /// Depth first, without recursion, since stacks may be deep: each node's path of labels when it is entered.
    ///
    /// Children come in the order of what their labels have in `order`.
    func walk(inOrder order: [some Comparable], _ body: (_ node: Int, _ path: [UInt32]) -> Void) {
        var path: [UInt32] = []
        var pending: [(node: UInt32, depth: Int)] = [(0, 0)]
        while let (number, depth) = pending.popLast() {
            path.removeLast(path.count - depth)
            if number != 0 { path.append(nodes[Int(number)].label) }
            body(Int(number), path)
            let children = children(of: number)
            guard children.count > 1 else {
                if let only = children.first { pending.append((only, path.count)) }
                continue
            }
            for child in children.sorted(by: {
                order[Int(nodes[Int($1)].label)] < order[Int(nodes[Int($0)].label)]
            }) {
                pending.append((child, path.count))
            }
        }
    }

    private func children(of node: UInt32) -> [UInt32] {
        var result: [UInt32] = []
        var child = nodes[Int(node)].firstChild
        while child != 0 {
            result.append(child)
            child = nodes[Int(child)].nextSibling
        }
        return result
    }

    // MARK: Making nodes

    /// The node of a stack's innermost function; only what leads to a value gets nodes.
    private mutating func makeNodes(
        for sums: Table<StackID, UInt64>,
        of report: HeapReport,
        labels: [UInt32]
    ) -> Table<StackID, UInt32> {
        let stacks = report.recording.stacks
        var isNeeded = Table<StackID, Bool>(sums.lazy.map { $0 > 0 })
        for index in stacks.indices.reversed() where isNeeded[index] {
            let parent = stacks[index].parent
            if parent != .none { isNeeded[parent] = true }
        }
        var nodeOfStack = Table<StackID, UInt32>(repeating: 0, count: stacks.count)
        for (index, stack) in stacks.enumerated() where isNeeded[index] {
            let parent = stack.parent == .none ? 0 : nodeOfStack[stack.parent]
            nodeOfStack[index] = innermost(of: stack.frame, under: parent, in: report, labels)
        }
        return nodeOfStack
    }

    /// The same with the innermost frames of each stack alone.
    private mutating func add(
        _ sums: Table<StackID, UInt64>,
        of report: HeapReport,
        to column: Int,
        depth: Int,
        labels: [UInt32]
    ) {
        for (index, amount) in sums.enumerated() where amount > 0 {
            var node: UInt32 = 0
            for frame in report.recording.frames(ofStack: StackID(index: index)).prefix(depth).reversed() {
                node = innermost(of: frame, under: node, in: report, labels)
            }
            values[column][Int(node)] &+= amount
        }
    }

    /// The node of a frame's innermost function.
    private mutating func innermost(
        of frame: FrameID,
        under parent: UInt32,
        in report: HeapReport,
        _ labels: [UInt32]
    ) -> UInt32 {
        guard frame != .none else { return parent }
        let rows = report.names.ranges[frame]
        var node = parent
        for row in rows.reversed() where report.names.isShown(row, frame: frame) {
            // What it was inlined into may not be shown: then it stands for the whole call, as in a profile's location.
            let isCall = node == parent && row < rows.upperBound - 1
            node = child(of: node, label: labels[row], isInlined: report.names.rows[row].inlined && !isCall)
        }
        return node
    }

    /// The node of the function that a frame blames, from that of its innermost function.
    private func ancestor(of node: UInt32, blamedAt frame: FrameID, in report: HeapReport) -> UInt32 {
        guard frame != .none else { return node }
        let (names, first) = (report.names, report.names.ranges[frame].lowerBound)
        let steps = (first..<Int(names.blameRows[frame])).count { names.isShown($0, frame: frame) }
        return (0..<steps).reduce(node) { node, _ in nodes[Int(node)].parent }
    }

    private mutating func child(of parent: UInt32, label: UInt32, isInlined: Bool) -> UInt32 {
        let key = UInt64(parent) << 32 | UInt64(label)
        if let known = numbers[key] {
            if !isInlined { nodes[Int(known)].isInlined = false }
            return known
        }
        let number = UInt32(nodes.count)
        numbers[key] = number
        var node = Node(label: label, parent: parent, isInlined: isInlined)
        node.nextSibling = nodes[Int(parent)].firstChild
        nodes.append(node)
        nodes[Int(parent)].firstChild = number
        for column in values.indices { values[column].append(0) }
        return number
    }
}

/// What the labels of a tree stand for: each thing once.
struct LabelTable<Thing: Hashable> {
    private(set) var things: [Thing] = []
    private var numbers: [Thing: UInt32] = [:]

    mutating func number(of thing: Thing) -> UInt32 {
        if let known = numbers[thing] { return known }
        let number = UInt32(things.count)
        things.append(thing)
        numbers[thing] = number
        return number
    }

    /// By row of the report's names: the label of what `thing` makes of it.
    mutating func labels(of report: HeapReport, _ thing: (_ row: Int, _ frame: FrameID) -> Thing) -> [UInt32] {
        var result = [UInt32](repeating: 0, count: report.names.rows.count)
        for (index, range) in report.names.ranges.enumerated() {
            for row in range { result[row] = number(of: thing(row, FrameID(index: index))) }
        }
        return result
    }
}
