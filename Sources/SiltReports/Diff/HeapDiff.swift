internal import SiltEvents
package import SiltFindings
internal import SiltSymbols
internal import SiltText

/// What differs between two recordings, or two moments of one, by symbolized functions.
///
/// Functions are known by name and file without folders, or also by line: a rebuild, another folder or other addresses make
/// no difference. Functions without a name are known by their module. Stacks begin at the blamed function.
package struct HeapDiff: Sendable {
    /// What is the same function in both.
    struct Key: Hashable, Sendable {
        /// Empty: without a name.
        var function: String
        var file: String
        /// 0 unless lines are compared.
        var line: UInt32
        /// For a function without a name; with its offset, when lines are compared.
        var module: String
        var offset: UInt64
    }

    struct Function: Sendable {
        var key: Key
        var flat: Change
        var cumulative: Change
        var inlining: FunctionSums.Inlining
    }

    /// Bytes before and after, and the change in the unit asked for.
    struct Change: Sendable {
        var before: UInt64
        var after: UInt64
        var value: Double
    }

    package let settings: DiffSettings
    package let before: DiffSide
    package let after: DiffSide
    /// What differs, biggest change first.
    private(set) var functions: [Function] = []
    private(set) var total: Change
    /// Divide bytes before and after.
    private let divisors: (before: Double, after: Double)

    /// Throws when one of the two does not have what is compared.
    package init(_ before: DiffSide, _ after: DiffSide, settings: DiffSettings) throws(ReportError) {
        for side in [before, after] {
            guard let obstacle = side.obstacle(to: settings.measure) else { continue }
            throw .notRecorded(path: side.name, what: obstacle)
        }
        guard before.resource == after.resource else {
            let (first, second) = (before.resource.units, after.resource.units)
            throw .notRecorded(path: after.name, what: "\(first) and \(second) cannot be compared")
        }
        self.settings = settings
        self.before = before
        self.after = after
        divisors = try Self.divisors(before, after, settings.per)
        total = Change(before: 0, after: 0, value: 0)
        total = change(before.total(settings.measure).bytes, after.total(settings.measure).bytes)
        findFunctions()
    }

    /// What is compared.
    var resource: Resource { before.resource }

    func change(_ before: UInt64, _ after: UInt64) -> Change {
        Change(before: before, after: after, value: Double(after) / divisors.after - Double(before) / divisors.before)
    }

    /// What percentages are shares of.
    var base: Double {
        total.before > 0 ? Double(total.before) / divisors.before : Double(total.after) / divisors.after
    }

    private static func divisors(
        _ before: DiffSide,
        _ after: DiffSide,
        _ per: DiffSettings.Per?
    ) throws(ReportError) -> (before: Double, after: Double) {
        guard let per else { return (1, 1) }
        if before.isPast, after.isPast { return try divisors(from: before, to: after, per) }
        func divisor(_ side: DiffSide) throws(ReportError) -> Double {
            switch per {
            case .request:
                guard let requests = side.requests, requests > 0 else {
                    throw .notRecorded(path: side.name, what: "no requests were counted in it; --per second may do")
                }
                return Double(requests)
            case .second:
                guard let seconds = side.seconds, seconds > 0 else {
                    throw .notRecorded(path: side.name, what: "it does not say how long was measured")
                }
                return seconds
            }
        }
        return (try divisor(before), try divisor(after))
    }

    /// For two moments: what was counted between them divides both.
    private static func divisors(
        from start: DiffSide,
        to end: DiffSide,
        _ per: DiffSettings.Per
    ) throws(ReportError) -> (before: Double, after: Double) {
        let (divisor, problem): (Double, String) =
            switch per {
            case .request:
                (
                    Double(end.requests ?? 0) - Double(start.requests ?? 0),
                    "no requests were counted since \(start.name)"
                )
            case .second: ((end.seconds ?? 0) - (start.seconds ?? 0), "it is not later than \(start.name)")
            }
        guard divisor > 0 else { throw .notRecorded(path: end.name, what: problem) }
        return (divisor, divisor)
    }

    // MARK: Functions

    /// The stacks of both in one tree: columns 0 before, 1 after.
    private func makeTree(_ keys: inout LabelTable<Key>) -> NameTree {
        var tree = NameTree(columns: 2)
        for (column, side) in [before, after].enumerated() {
            let labels = keys.labels(of: side.report) { self.key(ofRow: $0, frame: $1, in: side.report) }
            tree.add(side.report, to: column, from: .blamed, labels: labels) { side.value($0, settings.measure) }
        }
        return tree
    }

    private mutating func findFunctions() {
        var keys = LabelTable<Key>()
        let sums = FunctionSums(makeTree(&keys), labelCount: keys.things.count)
        let inlining = sums.inlining(
            shown: Array(repeating: true, count: keys.things.count),
            minimumWeight: 0
        )
        functions = sums.labels.map { label in
            Function(
                key: keys.things[label],
                flat: change(sums.flat[0][label], sums.flat[1][label]),
                cumulative: change(sums.cumulative[0][label], sums.cumulative[1][label]),
                inlining: inlining[label]
            )
        }
        .filter { $0.flat.value != 0 || $0.cumulative.value != 0 }
        .sorted { PprofTable.areInOrder($0.row, $1.row) }
    }

    /// The stacks, as wide as what differs below them; values are signed.
    ///
    /// Throws where no function of them matches `root`.
    func stackView(isInverted: Bool, root: FunctionPattern?) throws(NoSuchFunction) -> StackView {
        var keys = LabelTable<Key>()
        let tree = makeTree(&keys)
        let values = tree.values[0].indices.map { change(tree.values[0][$0], tree.values[1][$0]).value }
        let view = StackView(
            tree,
            names: keys.things.map(\.name),
            weights: values.map(\.magnitude),
            values: values,
            isInverted: isInverted,
            root: root
        )
        try view.requireRoot(root, shown: "what differs")
        return view
    }

    func key(ofRow index: Int, frame: FrameID, in report: HeapReport) -> Key {
        let row = report.names.rows[index]
        let recorded = report.recording.frames[frame]
        guard row.function != .none else {
            let isKnown = recorded.module != .none && !recorded.isPlaceholder
            return Key(
                function: "",
                file: "",
                line: 0,
                module: isKnown
                    ? report.names.moduleName(report.recording.path(ofModule: recorded.module))
                    : report.names.address(of: frame, in: report.recording),
                offset: isKnown && settings.comparesLines ? recorded.offset : 0
            )
        }
        return Key(
            function: BaselineStack.withoutCloneMarks(readableName(report.recording.string(row.function))).printable,
            file: String(report.recording.string(row.file).lastPathComponent).printable,
            line: settings.comparesLines ? row.line : 0,
            module: "",
            offset: 0
        )
    }
}

extension HeapDiff.Key {
    /// As `make_record redis_leak_module.c`, with lines `make_record redis_leak_module.c:34`.
    var name: String {
        guard !function.isEmpty else {
            if module.hasPrefix("[") { return module }
            return offset > 0 ? module + "+" + Format.hex(offset) : "[" + module + "]"
        }
        guard !file.isEmpty else { return function }
        return function + " " + file + (line > 0 ? ":\(line)" : "")
    }
}

extension HeapDiff.Function {
    var row: PprofTable.Row {
        PprofTable.Row(
            label: 0,
            name: key.name,
            flat: flat.value,
            cumulative: cumulative.value,
            inlining: inlining
        )
    }
}
