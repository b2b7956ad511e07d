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
            "What came between two moments, as silt diff --between: with --top, --flame or --json.",
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
        if list != nil, let view { throw ValidationError("--list and --\(view.output.name) are two views") }
        if stacks.isUsed, !output.takesStacks {
            throw ValidationError("--root and --inverted go with --tree or --flame")
        }
        if resource != nil {
            let hasTaker = hasView ? list != nil || output.takesResource : !outputs.isEmpty
            guard hasTaker, outputs.takeResource else {
                let names = ReportOutput.all.filter(\.takesResource).map { "--" + $0.name }
                throw ValidationError("--resource goes with --list, \(names.joined(separator: ", ")); --pprof has all")
            }
        }
        if hasView, outputs.usesStandardOutput { throw ValidationError("two outputs go to standard output") }
        guard !between.isEmpty else { return }
        guard between.count == 2 else {
            throw ValidationError(
                "--between takes two moments; name the recording before it: silt report F --between A B"
            )
        }
        guard list == nil, output.comparesMoments else {
            throw ValidationError("--between goes with --top, --flame or --json")
        }
    }

    func run() throws {
        let (root, pattern) = (try FunctionPattern(option: stacks.root), try FunctionPattern(option: list))
        do {
            let path = try self.recording ?? KeptRecordings.last()
            let recording = try ReportInput(path, hide: layout.hide).recording()
            var text = ""
            if between.isEmpty {
                var options = layout.options(
                    for: STDOUT_FILENO,
                    kept: self.recording.map(RecordingPlace.file) ?? .newest
                )
                options.resource = resource
                let report = try ReportBuilder.build(recording, options: options)
                try outputs.write(report)
                guard outputs.isEmpty || hasView else { return }
                if let pattern {
                    ListText.render(report.opening, pattern, into: &text)
                } else {
                    try render(report, root, into: &text)
                }
            } else {
                try renderBetween(recording, path, root, into: &text)
            }
            try Terminal.output(text)
        } catch {
            throw Terminal.fail(error)
        }
    }

    private func renderBetween(
        _ recording: Recording,
        _ path: String,
        _ root: FunctionPattern?,
        into text: inout String
    ) throws {
        var settings = DiffSettings()
        settings.limit = layout.limit?.count
        settings.width = Terminal.columns(of: STDOUT_FILENO)
        let hide = layout.hide
        let sides = try DiffSide.moments(between, of: recording, path: path, hide: hide, resource: resource)
        let diff = try HeapDiff(sides.0, sides.1, settings: settings)
        switch output.name {
        case "flame":
            let color = Terminal.usesColor(STDOUT_FILENO)
            DiffFlame.render(
                diff,
                isInverted: stacks.inverted,
                root: root,
                color: color,
                depth: layout.depth?.count,
                into: &text
            )
        case "json": DiffJSON.render(diff, into: &text)
        default: DiffText.render(diff, into: &text)
        }
    }

    private func render(_ report: HeapReport, _ root: FunctionPattern?, into text: inout String) throws {
        var pieces: [[UInt8]] = []
        let choice = ReportOutput.StackChoice(isInverted: stacks.inverted, root: root)
        try output.write(report, choice) { pieces.append($0) }
        text = String(decoding: pieces.joined(), as: UTF8.self)
    }
}
