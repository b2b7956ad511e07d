internal import SiltEvents
internal import SiltFindings
internal import SiltRecording
package import SiltText

/// Stacks as one looks at them: from the outermost function inward or from the innermost outward, whole or below the
/// functions that a pattern names.
///
/// What is looked at is made when it is asked for, so that a view of a million stacks costs what is shown of it.
struct StackView {
    /// A function in its place: all stacks that come to it the same way.
    struct Box {
        var name: String
        /// What it takes of the room: never negative.
        var weight: Double
        /// What it is said to hold: as `weight`, or a signed difference.
        var value: Double
        fileprivate var entries: [Entry]
        /// Its entries are where its children begin, not itself.
        fileprivate var isBeginning = false

        fileprivate init(name: String, weight: Double, value: Double, entries: [Entry], isBeginning: Bool = false) {
            self.name = name
            self.weight = weight
            self.value = value
            self.entries = entries
            self.isBeginning = isBeginning
        }

        /// What is too small to be shown, added up: it leads nowhere.
        init(rest name: String, _ boxes: some Sequence<Box>) {
            let sums = boxes.reduce((weight: 0, value: 0)) { ($0.weight + $1.weight, $0.value + $1.value) }
            self.init(name: name, weight: sums.weight, value: sums.value, entries: [])
        }
    }

    /// A node of the tree, with what of it belongs to a box.
    fileprivate struct Entry {
        var node: UInt32
        var weight: Double
        var value: Double
    }

    /// What of a node is looked at: itself, or itself with all that it called.
    private struct Sums {
        var own: [Double]
        var all: [Double]

        init(_ own: [Double], _ tree: NameTree) {
            self.own = own
            all = own
            // Parents come before their children.
            for index in tree.nodes.indices.dropFirst().reversed() { all[Int(tree.nodes[index].parent)] += all[index] }
        }
    }

    private let tree: NameTree
    private let names: [String]
    private let weights: Sums
    private let values: Sums
    private let isInverted: Bool
    /// What is looked at as a whole.
    let whole: Box

    /// How boxes stand to those above them.
    var direction: String { isInverted ? "callers below what they call" : "callees below their callers" }

    /// `weights` and `values` are those of the tree's nodes themselves; `root`: functions that are looked at alone.
    init(
        _ tree: NameTree,
        names: [String],
        weights: [Double],
        values: [Double],
        isInverted: Bool = false,
        root: FunctionPattern? = nil
    ) {
        self.tree = tree
        self.names = names
        self.weights = Sums(weights, tree)
        self.values = Sums(values, tree)
        self.isInverted = isInverted
        let entries = Self.entries(tree, names, self.weights, self.values, isInverted, root)
        whole = Box(
            name: "all",
            weight: entries.reduce(0) { $0 + $1.weight },
            value: entries.reduce(0) { $0 + $1.value },
            entries: entries,
            isBeginning: isInverted || root != nil
        )
    }

    /// The functions that a box leads to, the heaviest first.
    func children(of box: Box) -> [Box] {
        var boxes: [Box] = []
        var places: [UInt32: Int] = [:]
        func add(_ entry: Entry) {
            guard entry.weight > 0 else { return }
            let label = tree.nodes[Int(entry.node)].label
            let place = places[label] ?? boxes.count
            if place == boxes.count {
                places[label] = place
                boxes.append(Box(name: names[Int(label)], weight: 0, value: 0, entries: []))
            }
            boxes[place].weight += entry.weight
            boxes[place].value += entry.value
            boxes[place].entries.append(entry)
        }
        if box.isBeginning {
            for entry in box.entries { add(entry) }
        } else if isInverted {
            for entry in box.entries {
                let parent = tree.nodes[Int(entry.node)].parent
                if parent != 0 { add(Entry(node: parent, weight: entry.weight, value: entry.value)) }
            }
        } else {
            for entry in box.entries {
                var child = tree.nodes[Int(entry.node)].firstChild
                while child != 0 {
                    add(Entry(node: child, weight: weights.all[Int(child)], value: values.all[Int(child)]))
                    child = tree.nodes[Int(child)].nextSibling
                }
            }
        }
        return boxes.sorted { ($1.weight, $0.name) < ($0.weight, $1.name) }
    }

    private static func entries(
        _ tree: NameTree,
        _ names: [String],
        _ weights: Sums,
        _ values: Sums,
        _ isInverted: Bool,
        _ root: FunctionPattern?
    ) -> [Entry] {
        if let root {
            let isWanted = names.map(root.matches)
            // Below a function that is wanted another one is not a beginning.
            var isBelow = [Bool](repeating: false, count: tree.nodes.count)
            var result: [Entry] = []
            for index in tree.nodes.indices.dropFirst() {
                let node = tree.nodes[index]
                let isRoot = isWanted[Int(node.label)]
                let parent = Int(node.parent)
                isBelow[index] = isBelow[parent] || (parent != 0 && isWanted[Int(tree.nodes[parent].label)])
                guard isRoot, !isBelow[index], weights.all[index] > 0 else { continue }
                result.append(Entry(node: UInt32(index), weight: weights.all[index], value: values.all[index]))
            }
            return result
        }
        guard isInverted else { return [Entry(node: 0, weight: weights.all[0], value: values.all[0])] }
        return tree.nodes.indices.dropFirst().compactMap { index in
            guard weights.own[index] > 0 else { return nil }
            return Entry(node: UInt32(index), weight: weights.own[index], value: values.own[index])
        }
    }

    /// Throws where `root` leaves nothing of it.
    func requireRoot(_ root: FunctionPattern?, shown: String) throws(NoSuchFunction) {
        guard let root, whole.weight == 0 else { return }
        throw NoSuchFunction(root, shown: shown, among: names)
    }
}

/// A regular expression that functions are chosen by.
package struct FunctionPattern {
    let source: String
    private let pattern: ExtendedPattern

    /// Throws for what is no POSIX extended regular expression.
    package init(_ source: String) throws(PatternError) {
        (self.source, pattern) = (source, try ExtendedPattern(source))
    }

    func matches(_ name: String) -> Bool { pattern.matches(name) }
}

extension HeapReport {
    /// The stacks by name from the blamed function outward, with what the options ask for.
    ///
    /// Throws where no function of them matches `root`.
    func stackView(isInverted: Bool, root: FunctionPattern?) throws(NoSuchFunction) -> StackView {
        var names = LabelTable<String>()
        let labels = names.labels(of: self) { row, frame in
            self.names.name(ofRow: row, frame: frame, in: recording).printable
        }
        var tree = NameTree(columns: 1)
        tree.add(self, to: 0, from: .blamed, labels: labels) { value(of: $0) }
        let own = tree.values[0].map { Double($0) }
        let view = StackView(tree, names: names.things, weights: own, values: own, isInverted: isInverted, root: root)
        try view.requireRoot(root, shown: valueName)
        return view
    }

    /// What the options ask for, in the words of pprof's sample types.
    var valueName: String {
        let counted = countedResource
        let name = counted.isCounted ? counted.units : counted.sampleType(options.order.sampleType)
        return isBeforeTheWayOut && [.growth, .inUse].contains(options.order)
            ? "\(name) \(counted.beforeTheWayOut)" : name
    }

    /// A value of that kind: bytes, or a number of things.
    func amount(_ value: Double) -> String {
        options.order == .temporary || countedResource.isCounted ? Format.count(UInt64(value)) : Format.bytes(value)
    }

    /// Why there is nothing to be seen.
    var emptiness: String {
        let counted = countedResource
        if recording.counters.allSatisfy({ $0.resource != counted || $0.allocatedCount == 0 }) {
            return "no \(counted.units) were recorded\n"
        }
        return switch options.order {
        case .growth, .inUse: "nothing was in use at the end: --by peak or --by alloc shows what was\n"
        case .allocated, .peak: "no \(valueName) to show\n"
        case .temporary: "nothing was temporary: no block was freed before the next one came, or moved by realloc\n"
        }
    }
}
