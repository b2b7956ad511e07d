internal import SiltEvents
package import SiltFindings
package import SiltPprof
internal import SiltRecording
internal import SiltText

/// The report as a profile that `go tool pprof` and what else reads its format shows.
///
/// Stacks begin at the function that a call site blames: allocator wrappers and containers further in are left out, as Go's
/// own profiles leave out the runtime; docs/exports.md says why the writer does it rather than `drop_frames`. What is the
/// same without them is one sample of each process; of all together where `go tool pprof` could not open so many.
package struct PprofExport {
    private let report: HeapReport
    private let layout: AddressLayout
    private var builder: PprofBuilder
    /// By stacks that go on and those that begin there, then by frame.
    private var locations: [Table<FrameID, UInt32?>]
    private var labels: Labels
    private let isSummed: Bool
    private let columns: [SampleColumn]

    /// Writes the gzipped file in pieces.
    ///
    /// `defaultType`: what viewers show first. Above `maximumRows` of stacks and processes, processes are not told apart.
    package static func write(
        _ report: HeapReport,
        defaultType: String = "inuse_space",
        maximumRows: Int = 1_000_000,
        to write: @escaping ([UInt8]) -> Void
    ) throws(PprofError) {
        let isSummed = report.recording.processes.count > 1 && report.recording.counters.count > maximumRows
        var export = PprofExport(report, defaultType, isSummed)
        try export.writeSamples(to: write)
    }

    private init(_ report: HeapReport, _ defaultType: String, _ isSummed: Bool) {
        self.report = report
        self.isSummed = isSummed
        let counted = report.countedResource
        let others = counted.isCounted ? [] : report.recording.resources.filter { $0 != counted }
        columns = ([counted] + others).flatMap {
            SampleColumn.all(of: $0, knowsAllocations: report.knowsAllocations)
        }
        layout = AddressLayout(report.recording)
        builder = PprofBuilder(Self.header(report, columns, defaultType, isSummed))
        locations = Array(repeating: Table(repeating: nil, count: report.recording.frames.count), count: 2)
        labels = Labels(report)
        // The first mapping is taken for the program.
        let program = report.recording.target.executable
        let index = report.recording.modules.firstIndex { $0.path == program } ?? 0
        if layout.mappings.indices.contains(index), let mapping = layout.mappings[index] { _ = builder.add(mapping) }
    }

    // MARK: The header

    private static func header(
        _ report: HeapReport,
        _ columns: [SampleColumn],
        _ defaultType: String,
        _ isSummed: Bool
    ) -> PprofProfile {
        let target = report.recording.target
        var profile = PprofProfile()
        profile.sampleTypes = columns.map(\.type)
        if report.countedResource.isCounted {
            profile.periodType = profile.sampleTypes[0]
        } else {
            profile.defaultSampleType = report.knowsAllocations ? defaultType : "inuse_space"
            profile.periodType = PprofValueType(type: "space", unit: "bytes")
        }
        // Every byte is counted.
        profile.period = 1
        profile.timeNanos = Int64(clamping: target.startUnixNs)
        profile.durationNanos = target.endNs.map { Int64(clamping: $0 &- target.startNs) } ?? 0
        profile.comments = [
            "command: " + Format.commandLine(target.command), "silt " + target.siltVersion, report.verdictLine,
        ].map(\.printable)
        if isSummed {
            let processes = report.recording.processes.count
            profile.comments.append("\(processes) processes in one: no labels pid, command")
        }
        return profile
    }

    private func values(_ row: RecordedCounters) -> [Int64] {
        columns.map { $0.resource == row.resource ? Int64(clamping: $0.value(row)) : 0 }
    }

    // MARK: Samples

    private mutating func writeSamples(to write: @escaping ([UInt8]) -> Void) throws(PprofError) {
        var stream = try PprofStream(builder.profile, to: write)
        var process: UInt32 = 0
        /// The process's own, by node of the tree of stacks.
        var samples: [StackID: Sample] = [:]
        let resources = Set(columns.map(\.resource))
        for row in report.recording.counters where resources.contains(row.resource) {
            if !isSummed, row.process != process {
                try add(samples, of: process, to: &stream)
                samples.removeAll(keepingCapacity: true)
                process = row.process
            }
            let node = report.names.blame(ofStack: row.stack).node
            let values = values(row)
            var sample = samples[node] ?? Sample(values: values.map { _ in 0 })
            for index in values.indices { sample.values[index] &+= values[index] }
            sample.charges.formUnion(labels.charges[row.stack] ?? [])
            sample.charges.formUnion(labels.threads(row.process, row.stack))
            samples[node] = sample
        }
        try add(samples, of: process, to: &stream)
        try stream.finish(tables: builder.profile)
    }

    private struct Sample {
        var values: [Int64]
        var charges: Set<PprofLabel> = []
    }

    private mutating func add(
        _ samples: [StackID: Sample],
        of process: UInt32,
        to stream: inout PprofStream
    ) throws(PprofError) {
        let ofProcess = labels.ofProcess[process] ?? []
        for (node, sample) in samples.sorted(by: { $0.key < $1.key }) where sample.values.contains(where: { $0 != 0 }) {
            try stream.add(
                locations: stack(from: node),
                values: sample.values,
                labels: ofProcess + Labels.sorted(sample.charges)
            )
        }
    }

    // MARK: Locations

    /// The locations of a stack that begins at the blamed function of that node.
    private mutating func stack(from start: StackID) -> [UInt32] {
        var result: [UInt32] = []
        var open: [PprofFrame] = []
        for (node, frame, _) in report.names.walk(from: start, in: report.recording) {
            let isFirst = node == start
            if open.isEmpty, let known = locations[isFirst ? 1 : 0][frame] {
                result.append(known)
                continue
            }
            let isWhole = open.isEmpty
            open += frames(at: frame, isFirst: isFirst)
            // A profile's frame by frame has the frames of one address one by one: they are put together again.
            if !open.isEmpty, !isInlined(frame) {
                let location = builder.location(of: open)
                if isWhole { locations[isFirst ? 1 : 0][frame] = location }
                result.append(location)
                open = []
            }
        }
        if !open.isEmpty { result.append(builder.location(of: open)) }
        return result
    }

    /// Whether what it was inlined into is another frame; rows that are not shown count as well.
    private func isInlined(_ frame: FrameID) -> Bool {
        report.names.ranges[frame].last.map { report.names.rows[$0].inlined } ?? false
    }

    private mutating func frames(at frame: FrameID, isFirst: Bool) -> [PprofFrame] {
        let recorded = report.recording.frames[frame]
        var bare = PprofFrame(address: layout.address(of: recorded))
        let rows = report.names.ranges[frame]
        if recorded.module != .none, let mapping = layout.mappings[recorded.module] {
            bare.mapping = builder.add(mapping)
        } else if rows.contains(where: { report.names.rows[$0].function != .none }) {
            // Without one that is said to have names, pprof looks for the program.
            bare.mapping = builder.add(PprofMapping(start: 0, end: 0, offset: 0, file: ""))
        }
        let first = isFirst ? Int(report.names.blameRows[frame]) : rows.lowerBound
        return (first..<rows.upperBound).filter { report.names.isShown($0, frame: frame) }.map { index in
            let row = report.names.rows[index]
            var result = bare
            guard row.function != .none || recorded.isPlaceholder || recorded.isGenerated else { return result }
            result.function = function(ofRow: index, frame: frame)
            result.line = Int64(row.line)
            result.isInlined = row.inlined
            return result
        }
    }

    private func function(ofRow index: Int, frame: FrameID) -> PprofFunction {
        let row = report.names.rows[index]
        let name = report.names.name(ofRow: index, frame: frame, in: report.recording).printable
        let whole = report.recording.string(row.function).printable
        return PprofFunction(
            name: name,
            systemName: whole == name ? "" : whole,
            file: report.recording.string(row.file)
        )
    }
}

/// The labels of samples: what process they are of, and what their call sites are charged with.
private struct Labels {
    private(set) var ofProcess: [UInt32: [PprofLabel]] = [:]
    /// By stack of a growing site.
    private(set) var charges: [StackID: Set<PprofLabel>] = [:]
    /// By process and stack; no stack: all of the process.
    private var threads: [UInt64: Set<PprofLabel>] = [:]
    /// A stack of more threads than that is of none.
    private static let maximumThreads = 16

    init(_ report: HeapReport) {
        let processes = report.recording.processes
        for process in processes where process.pid != 0 {
            var labels = [PprofLabel(key: "pid", value: .number(Int64(process.pid), unit: ""))]
            let command = Format.commandLine(process.command).printable
            if processes.count > 1, !command.isEmpty {
                labels.append(PprofLabel(key: "command", value: .text(command)))
            }
            ofProcess[process.id] = labels
        }
        for thread in report.recording.threads where !thread.name.isEmpty {
            let label = PprofLabel(key: "thread", value: .text(thread.name.printable))
            for stack in thread.stacks ?? [.none] {
                threads[stack.key(inProcess: thread.process), default: []].insert(label)
            }
        }
        for site in report.sites where site.isGrowing {
            var labels = [PprofLabel(key: "verdict", value: .text(site.verdict.rawValue))]
            if let phase = site.phase, !phase.isEmpty { labels.append(PprofLabel(key: "phase", value: .text(phase))) }
            for part in site.stacks { charges[part.stack, default: []].formUnion(labels) }
        }
    }

    /// Labels of the threads that allocated with that stack.
    func threads(_ process: UInt32, _ stack: StackID) -> Set<PprofLabel> {
        let labels = threads[StackID.none.key(inProcess: process)] ?? threads[stack.key(inProcess: process)] ?? []
        return labels.count > Self.maximumThreads ? [] : labels
    }

    static func sorted(_ labels: Set<PprofLabel>) -> [PprofLabel] {
        labels.sorted { first, second in
            guard first.key == second.key else { return first.key > second.key }
            guard case .text(let one) = first.value, case .text(let other) = second.value else { return false }
            return one < other
        }
    }
}
