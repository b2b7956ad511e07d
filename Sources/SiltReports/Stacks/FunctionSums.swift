/// What functions hold themselves (flat) and with all they call (cum), as `go tool pprof` adds it up.
///
/// A label that occurs several times in a stack counts once in cum.
struct FunctionSums {
    /// Whether a function's callers have it inlined.
    enum Inlining {
        case never, sometimes, always
    }

    /// By column of the tree, then label.
    private(set) var flat: [[UInt64]]
    private(set) var cumulative: [[UInt64]]
    /// By column: everything, what has no stack included.
    let totals: [UInt64]
    /// By column, then node: what it and its descendants have.
    private let sums: [[UInt64]]
    private let tree: NameTree

    /// Labels that have a value, in their order.
    var labels: [Int] {
        flat[0].indices.filter { label in cumulative.contains { $0[label] > 0 } }
    }

    init(_ tree: NameTree, labelCount: Int) {
        self.tree = tree
        sums = tree.values.map { column in
            var sums = column
            // Parents come before their children.
            for index in tree.nodes.indices.dropFirst().reversed() {
                sums[Int(tree.nodes[index].parent)] &+= sums[index]
            }
            return sums
        }
        totals = sums.map { $0[0] }
        flat = Array(repeating: [UInt64](repeating: 0, count: labelCount), count: sums.count)
        cumulative = flat
        var depths = [Int32](repeating: 0, count: labelCount)
        walk { node in
            let label = Int(tree.nodes[node].label)
            for column in sums.indices {
                flat[column][label] &+= tree.values[column][node]
                if depths[label] == 0 { cumulative[column][label] &+= sums[column][node] }
            }
            depths[label] += 1
        } leave: { node in
            depths[Int(tree.nodes[node].label)] -= 1
        }
    }

    /// By label: of those shown, how their callers among them have them inlined.
    ///
    /// A caller is the next function shown; callers through which a smaller magnitude than `minimumWeight` goes do not count.
    func inlining(shown: [Bool], minimumWeight: Double) -> [Inlining] {
        struct Edge {
            /// Occurrences on the path to the current node.
            var depth = 0
            var isInlined = true
            var weight = 0.0
        }
        var edges: [UInt64: Edge] = [:]
        /// By node: the label of the next function shown further out; -1: none.
        var callers = [Int32](repeating: -1, count: tree.nodes.count)
        func edge(_ node: Int) -> UInt64? {
            let label = tree.nodes[node].label
            guard shown[Int(label)], callers[node] >= 0, callers[node] != Int32(label) else { return nil }
            return UInt64(callers[node]) << 32 | UInt64(label)
        }
        walk { node in
            let parent = Int(tree.nodes[node].parent)
            if parent != 0 {
                let label = tree.nodes[parent].label
                callers[node] = shown[Int(label)] ? Int32(label) : callers[parent]
            }
            guard let key = edge(node) else { return }
            var known = edges[key] ?? Edge()
            if known.depth == 0 {
                known.isInlined = known.isInlined && tree.nodes[node].isInlined
                known.weight += weight(of: node)
            }
            known.depth += 1
            edges[key] = known
        } leave: { node in
            if let key = edge(node) { edges[key]?.depth -= 1 }
        }
        var result = [Inlining?](repeating: nil, count: shown.count)
        for (key, edge) in edges where edge.weight.magnitude >= minimumWeight {
            let callee = Int(UInt32(truncatingIfNeeded: key))
            let this = edge.isInlined ? Inlining.always : .never
            result[callee] = (result[callee] ?? this) == this ? this : .sometimes
        }
        return result.map { $0 ?? .never }
    }

    /// The last column's less the others'.
    private func weight(of node: Int) -> Double {
        sums.dropLast().reduce(Double(sums[sums.count - 1][node])) { $0 - Double($1[node]) }
    }

    /// Enters and leaves each node that has a value, depth first, without recursion; the root is none of them.
    private func walk(enter: (Int) -> Void, leave: (Int) -> Void) {
        var pending: [(node: Int, isLeft: Bool)] = [(0, false)]
        while let (node, isLeft) = pending.popLast() {
            if isLeft {
                leave(node)
                continue
            }
            guard sums.contains(where: { $0[node] > 0 }) else { continue }
            if node != 0 {
                enter(node)
                pending.append((node, true))
            }
            var child = Int(tree.nodes[node].firstChild)
            while child != 0 {
                pending.append((child, false))
                child = Int(tree.nodes[child].nextSibling)
            }
        }
    }
}
