internal import SiltFindings
package import SiltPprof
internal import SiltRecording
internal import SiltText

/// A difference as a profile that `go tool pprof` shows as it shows `-diff_base` with the profiles of both.
///
/// What was before has negative values and the label by which pprof knows what shares are of. Functions have no addresses,
/// which mean nothing from one build to another.
package enum DiffPprof {
    package static func write(_ diff: HeapDiff, to write: @escaping ([UInt8]) -> Void) throws(PprofError) {
        let columns = columns(diff)
        var keys = LabelTable<HeapDiff.Key>()
        var paths: [String] = []
        var tree = NameTree(columns: 2 * columns.count)
        for (index, side) in [diff.before, diff.after].enumerated() {
            let labels = keys.labels(of: side.report) { row, frame in
                diff.key(ofRow: row, frame: frame, in: side.report)
            }
            collect(&paths, labels, side.report)
            for (column, type) in columns.enumerated() {
                tree.add(
                    side.report,
                    to: index * columns.count + column,
                    from: .blamed,
                    labels: labels,
                    value: type.value
                )
            }
        }
        var builder = PprofBuilder(header(diff, columns))
        let mapping = builder.add(PprofMapping(start: 0, end: 0, offset: 0, file: ""))
        let locations = keys.things.enumerated().map { label, key in
            builder.location(of: [
                PprofFrame(
                    key.function.isEmpty ? key.name : key.function,
                    file: paths[label],
                    line: Int64(key.line),
                    mapping: mapping
                )
            ])
        }
        var stream = try PprofStream(builder.profile, to: write)
        try add(tree, locations, width: columns.count, to: &stream)
        try stream.finish(tables: builder.profile)
    }

    /// The whole path of each label's file, as it is after where it is in both.
    private static func collect(_ paths: inout [String], _ labels: [UInt32], _ report: HeapReport) {
        for (row, label) in labels.enumerated() {
            while paths.count <= Int(label) { paths.append("") }
            let path = report.recording.string(report.names.rows[row].file)
            if !path.isEmpty { paths[Int(label)] = path }
        }
    }

    private static func add(
        _ tree: NameTree,
        _ locations: [UInt32],
        width: Int,
        to stream: inout PprofStream
    ) throws(PprofError) {
        let base = [PprofLabel(key: "pprof::base", value: .text("true"))]
        for node in tree.nodes.indices {
            let values = tree.values.map { Int64(clamping: $0[node]) }
            let (before, after) = (values[..<width], values[width...])
            guard values.contains(where: { $0 != 0 }) else { continue }
            var stack: [UInt32] = []
            var current = node
            while current != 0 {
                stack.append(locations[Int(tree.nodes[current].label)])
                current = Int(tree.nodes[current].parent)
            }
            if before.contains(where: { $0 != 0 }) {
                try stream.add(locations: stack, values: before.map { -$0 }, labels: base)
            }
            if after.contains(where: { $0 != 0 }) { try stream.add(locations: stack, values: after) }
        }
    }

    /// What both know.
    private static func columns(_ diff: HeapDiff) -> [SampleColumn] {
        let sides = [diff.before, diff.after]
        return SampleColumn.all(
            of: diff.resource,
            knowsAllocations: sides.allSatisfy { $0.obstacle(to: .allocated) == nil },
            countsThings: sides.allSatisfy(\.countsBlocks)
        )
    }

    private static func header(_ diff: HeapDiff, _ columns: [SampleColumn]) -> PprofProfile {
        var profile = PprofProfile()
        profile.sampleTypes = columns.map(\.type)
        switch diff.settings.measure {
        case .inUse, .peak: profile.defaultSampleType = columns.last?.type.type ?? ""
        case .allocated: profile.defaultSampleType = diff.resource.sampleType("alloc_space")
        }
        profile.periodType = PprofValueType(type: "space", unit: "bytes")
        profile.period = 1
        profile.comments = ["A: " + diff.before.name, "B: " + diff.after.name, DiffText.headline(diff)].map(\.printable)
        return profile
    }
}

extension DiffSide {
    /// False where blocks were not counted, as at the rounds of a hunt.
    fileprivate var countsBlocks: Bool {
        let total = total(.inUse)
        return total.count > 0 || total.bytes == 0
    }
}
