internal import ArgumentParser
internal import Glibc
internal import SiltEvents
internal import SiltFindings
internal import SiltRecording
internal import SiltReports

/// `silt report F.silt`: renders a recording.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Render a recording: growing call sites first, or a table, JSON, or files for other tools.",
        discussion: """
            silt report
            silt report server.silt
            silt report server.silt --top --by inuse --limit 20
            silt report server.silt --flame --by peak
            silt report server.silt --flame --root handle_order --inverted
            silt report server.silt --tree --inverted --limit 5
            silt report server.silt --list make_record
            silt report server.silt --flame --resource mapping
            silt report server.silt --timeline
            silt report server.silt --between 2s end --flame
            silt report server.silt --sizes
            silt report server.events
            silt report heap.pb.gz --by inuse
            silt report server.silt --json | jq '.sites[0]'
            silt report server.silt --html server.html
            silt report server.silt --pprof server.pb.gz
            silt report server.silt --folded - | flamegraph.pl > server.svg
            silt report server.silt --speedscope server.json
            silt report server.silt --csv sites.csv --suppressions known.supp

            A profile has one sample for each stack and process, with what was allocated and what is in use. Its stacks \
            begin at the function that silt blames: allocator wrappers and containers are left out, as Go's own profiles \
            leave out the runtime. Samples have the labels pid, command (where there are several processes), thread, and \
            for what grows verdict and phase: go tool pprof -tagfocus=verdict=growing server.pb.gz. Folded stacks and \
            speedscope have the wrappers as well.
            """
    )

    @Flag(exclusivity: .exclusive)
    var view: ReportView?

    @Option(help: ArgumentHelp("The source of functions that match, with what each line holds.", valueName: "regex"))
    var list: String?

    @OptionGroup var stacks: StackChoice

    @Option(help: .resource)
    var resource: Resource?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "What came between two moments, as silt diff --between: with --top, --tree, --flame or --json.",
            valueName: "moment"
        )
    )
    var between: [String] = []

    @OptionGroup(title: "Files for other tools") var outputs: ReportOutputs
    @OptionGroup var layout: ReportLayout

    @Argument(
        help: "A recording, an event file of silt run --events, a pprof profile; without one the last recording kept.",
        completion: .recordings
    )
    var recording: String?

    private var output: ReportOutput { view?.output ?? .sites }
    private var hasView: Bool { view != nil || list != nil || !between.isEmpty }

    func validate() throws {
        if list != nil, let view { throw Refusal.twoViews("--list", "--" + view.output.name) }
        if stacks.isUsed, !output.takesStacks {
            throw Refusal.stackChoice(Self.options(of: \.takesStacks))
        }
        if resource != nil {
            let isTaker = output.takesResource || !between.isEmpty && output.takesDiff
            let hasTaker = hasView ? list != nil || isTaker : !outputs.isEmpty
            guard hasTaker, outputs.takeResource else {
                throw Refusal.resourceWorksWith(Self.options(of: \.takesResource))
            }
        }
        if hasView, outputs.usesStandardOutput { throw Refusal.twoOutputsToOnePlace }
        guard !between.isEmpty else { return }
        guard between.count == 2 else { throw Refusal.betweenNeedsTwo("report") }
        guard list == nil, output.takesDiff else {
            throw Refusal.worksOnlyWith("--between", Self.options(of: \.takesDiff))
        }
        guard outputs.isEmpty else { throw Refusal.filesAreOfTheWholeRun }
    }

    func run() throws {
        let (root, pattern) = (try FunctionPattern(option: stacks.root), try FunctionPattern(option: list))
        do {
            let path = try self.recording ?? KeptRecordings.last()
            let recording = try ReportInput(path, hide: layout.hide).recording()
            var text = ""
            let moments = moments(of: recording)
            if moments.isEmpty || !outputs.isEmpty {
                var options = layout.options(
                    for: STDOUT_FILENO,
                    kept: self.recording.map(RecordingPlace.file) ?? .newest
                )
                options.resource = resource
                let report = try ReportBuilder.build(recording, options: options)
                try outputs.write(report)
                guard outputs.isEmpty || hasView else { return }
                if let pattern {
                    try ListText.render(report.opening, pattern, into: &text)
                } else if moments.isEmpty {
                    try render(report, root, into: &text)
                }
            }
            if !moments.isEmpty { try render(recording, between: moments, path, root, into: &text) }
            try Terminal.output(text)
        } catch {
            throw Terminal.fail(error)
        }
    }

    /// What is compared: where growth is asked for, what came after the first quarter of a run that takes time to start.
    private func moments(of recording: Recording) -> [String] {
        guard between.isEmpty, list == nil, layout.by == .growth, output.takesResource, output.takesDiff,
            Moments.has(recording)
        else { return between }
        guard recording.rounds.isEmpty else { return ["start", "end"] }
        let end = recording.snapshots.map(\.timeNs).max() ?? 0
        guard end > 0 else { return between }
        return ["\(end / 4_000_000)ms", "end"]
    }

    private func render(
        _ recording: Recording,
        between moments: [String],
        _ path: String,
        _ root: FunctionPattern?,
        into text: inout String
    ) throws {
        var settings = DiffSettings()
        settings.limit = layout.limit?.count
        settings.width = Terminal.columns(of: STDOUT_FILENO)
        settings.isColored = Terminal.usesColor(STDOUT_FILENO)
        settings.depth = layout.depth?.count
        settings.sharesOfChange = between.isEmpty
        let hide = layout.hide
        let sides = try DiffSide.moments(moments, of: recording, path: path, hide: hide, resource: resource)
        settings.opening = sides.2
        let diff = try HeapDiff(sides.0, sides.1, settings: settings)
        try output.write(diff, choice(root)) { text += String(decoding: $0, as: UTF8.self) }
    }

    private func render(_ report: HeapReport, _ root: FunctionPattern?, into text: inout String) throws {
        var pieces: [[UInt8]] = []
        try output.write(report, choice(root)) { pieces.append($0) }
        text = String(decoding: pieces.joined(), as: UTF8.self)
    }

    private func choice(_ root: FunctionPattern?) -> ReportOutput.StackChoice {
        .init(isInverted: stacks.inverted, root: root)
    }

    /// As `--top, --flame`: the options of the outputs that are chosen.
    private static func options(of outputs: (ReportOutput) -> Bool) -> String {
        ReportOutput.all.filter(outputs).map { "--" + $0.name }.joined(separator: ", ")
    }
}
