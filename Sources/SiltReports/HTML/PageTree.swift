internal import SiltEvents
internal import SiltFindings
internal import SiltRecording
internal import SiltText

/// The stacks of a page: a tree of functions with what ends at each node, by measure and at the moments of the trace.
struct PageTree {
    /// A function: its name, and its file without lines.
    struct Label: Hashable {
        var name: String
        var file: String
    }

    enum Measure: Int, CaseIterable {
        case inUse
        case allocated
        case peak
    }

    /// By node, 0 the root: smaller than the node's own number.
    private(set) var parents: [Int] = []
    private(set) var labels: [Int] = []
    private(set) var things: [Label] = []
    /// By measure, then node.
    private(set) var values: [[UInt64]] = []
    /// Nodes that have values at the moments, ascending.
    private(set) var course: [(node: Int, values: [UInt64])] = []
    /// The same nodes: what of it was of processes that had ended by then; empty where there was none.
    private(set) var ended: [[UInt64]] = []
    /// The nodes that stacks of growing sites end at, and the site's place among the report's, ascending by node.
    private(set) var findings: [(node: Int, site: Int)] = []
    /// Nodes that were too small to be kept: their callers have what they held.
    private(set) var folded = 0

    /// Nodes, and nodes with a course, that a page holds.
    private static let maximumNodes = 100_000
    private static let maximumCourses = 4000

    init(_ report: HeapReport, _ stackCourse: StackCourse) {
        var table = LabelTable<Label>()
        let labels = table.labels(of: report) { row, frame in
            Label(
                name: report.names.name(ofRow: row, frame: frame, in: report.recording).printable,
                file: report.recording.string(report.names.rows[row].file).printable
            )
        }
        var tree = NameTree(columns: Measure.allCases.count)
        let nodes = Self.fill(&tree, report, stackCourse, labels)
        things = table.things
        var series: [Int: [UInt64]] = [:]
        let none = [UInt64](repeating: 0, count: stackCourse.moments.count)
        for (stack, bytes) in stackCourse.values {
            // Both are folded alike.
            Self.add(bytes + (stackCourse.ended[stack] ?? none), to: Int(nodes[stack]), &series)
        }
        let numbers = keep(tree, series)
        findings = Self.findings(report, nodes).map { (node: numbers[$0.key], site: $0.value) }.sorted { $0 < $1 }
    }

    /// By node: the growing site that leads what ends there; the first where a node belongs to several.
    private static func findings(_ report: HeapReport, _ nodes: Table<StackID, UInt32>) -> [Int: Int] {
        var found: [Int: Int] = [:]
        for (index, site) in report.sites.prefix(PageData.maximumSites).enumerated() where site.isGrowing {
            let leader = site.follows.flatMap { follows in report.sites.firstIndex { $0.rank == follows.rank } }
            for part in site.stacks {
                let node = Int(nodes[part.stack])
                if node > 0, found[node] == nil { found[node] = leader ?? index }
            }
        }
        return found
    }

    /// Returns the node of each stack.
    private static func fill(
        _ tree: inout NameTree,
        _ report: HeapReport,
        _ course: StackCourse,
        _ labels: [UInt32]
    ) -> Table<StackID, UInt32> {
        var wanted = Table<StackID, Bool>(repeating: false, count: report.recording.stacks.count)
        report.forEachCounter { row in
            if row.stack != .none, row.inUseBytes | row.allocatedBytes | row.peakBytes > 0 {
                wanted[row.stack] = true
            }
        }
        for stack in course.values.keys { wanted[stack] = true }
        let nodes = tree.places(of: report, wanted: wanted, labels: labels)
        report.forEachCounter { row in
            let node = row.stack != .none ? nodes[row.stack] : 0
            tree.add(row.inUseBytes, to: Measure.inUse.rawValue, node: node)
            tree.add(row.allocatedBytes, to: Measure.allocated.rawValue, node: node)
            tree.add(row.peakBytes, to: Measure.peak.rawValue, node: node)
        }
        return nodes
    }

    /// Folds what is smallest into its callers until little enough is left; returns what became of each node.
    private mutating func keep(_ tree: NameTree, _ series: [Int: [UInt64]]) -> [Int] {
        let count = tree.nodes.count
        var weight = [Double](repeating: 0, count: count)
        for column in tree.values {
            var sums = column
            for index in (1..<max(1, count)).reversed() { sums[Int(tree.nodes[index].parent)] &+= sums[index] }
            let whole = Double(max(1, sums[0]))
            for index in 0..<count { weight[index] = max(weight[index], Double(sums[index]) / whole) }
        }
        // A node weighs no more than its parent, so what is kept is a tree.
        let order = weight.sorted(by: >)
        let minimum = count > Self.maximumNodes ? order[Self.maximumNodes] : -1
        var numbers = [Int](repeating: 0, count: count)
        values = Array(repeating: [], count: Measure.allCases.count)
        var courses: [Int: [UInt64]] = [:]
        for index in 0..<count {
            let node = tree.nodes[index]
            if index == 0 || weight[index] > minimum {
                numbers[index] = parents.count
                parents.append(numbers[Int(node.parent)])
                labels.append(Int(node.label))
                for column in values.indices { values[column].append(0) }
            } else {
                numbers[index] = numbers[Int(node.parent)]
                folded += 1
            }
            for column in values.indices { values[column][numbers[index]] &+= tree.values[column][index] }
            if let bytes = series[index] { Self.add(bytes, to: numbers[index], &courses) }
        }
        keepCourses(courses)
        return numbers
    }

    private mutating func keepCourses(_ all: [Int: [UInt64]]) {
        var courses = all
        let order = all.sorted { ($1.value.max() ?? 0, $0.key) < ($0.value.max() ?? 0, $1.key) }
        // Children have greater numbers: folded first, their callers can still be folded further.
        for (node, _) in order.dropFirst(Self.maximumCourses).sorted(by: { $0.key > $1.key }) where node > 0 {
            guard let bytes = courses.removeValue(forKey: node) else { continue }
            Self.add(bytes, to: parents[node], &courses)
        }
        let both = courses.sorted { $0.key < $1.key }
        course = both.map { (node: $0.key, values: Array($0.value.prefix($0.value.count / 2))) }
        ended = both.map { _, values in
            let ended = values.suffix(values.count / 2)
            return ended.contains { $0 > 0 } ? Array(ended) : []
        }
    }

    private static func add(_ bytes: [UInt64], to node: Int, _ courses: inout [Int: [UInt64]]) {
        courses[node] = courses[node].map { zip($0, bytes).map { $0 &+ $1 } } ?? bytes
    }
}
