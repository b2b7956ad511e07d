internal import ArgumentParser
internal import Glibc
internal import SiltFindings
internal import SiltHunt
internal import SiltRecording
internal import SiltReports

/// What every command that ends in a report lets the user choose.
struct ReportLayout: ParsableArguments {
    @Option(help: "Sort call sites by growth, inuse, alloc, peak or temporary.")
    var by: Order = .growth

    @Option(help: "Call sites shown; or, with a unit, the memory limit to look ahead to: 512MiB.")
    var limit: ReportLimit?

    @Option(help: "Frames of a stack shown.")
    var stack: Int?

    @Option(help: "Take functions that match this regular expression for allocator wrappers; may be repeated.")
    var hide: [String] = []

    enum Order: String, ExpressibleByArgument, CaseIterable {
        case growth, inuse, alloc, peak, temporary
    }

    func options(for descriptor: Int32) -> ReportOptions {
        var options = ReportOptions()
        options.order = ReportOptions.Order(rawValue: by.rawValue) ?? .growth
        options.limit = limit?.sites
        options.limitBytes = limit?.bytes
        options.depth = stack
        options.hide = hide
        options.width = Terminal.columns(of: descriptor)
        options.color = Terminal.usesColor(descriptor)
        return options
    }
}

/// A number of call sites, or an amount of memory.
struct ReportLimit: ExpressibleByArgument {
    var sites: Int?
    var bytes: UInt64?

    init?(argument: String) {
        if let sites = Int(argument) {
            guard sites >= 0 else { return nil }
            self.sites = sites
        } else {
            guard let bytes = Quantity.bytes(argument), bytes >= 1, bytes < 1e18 else { return nil }
            self.bytes = UInt64(bytes)
        }
    }
}

/// `silt report F.silt`: renders a recording.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Render a recording: growing call sites first, or a table, JSON, or files for other tools.",
        discussion: """
            silt report server.silt
            silt report server.silt --top --by inuse --limit 20
            silt report server.silt --flame --by peak
            silt report server.silt --flame --root handle_order --inverted
            silt report server.silt --tree --inverted --limit 5
            silt report server.silt --list make_record
            silt report server.silt --timeline
            silt report server.silt --between 2s end --flame
            silt report server.silt --sizes
            silt report server.events
            silt report heap.pb.gz --by inuse
            silt report server.silt --json | jq '.sites[0]'
            silt report server.silt --html server.html
            silt report server.silt --pprof server.pb.gz && go tool pprof -top server.pb.gz
            silt report server.silt --folded - | flamegraph.pl > server.svg
            silt report server.silt --speedscope server.json --csv sites.csv --suppressions known.supp

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

    @Argument(help: "A recording, an event file of silt run --events, or a pprof profile.", completion: .file())
    var recording: String

    private var hasView: Bool { view != nil || list != nil || !between.isEmpty }

    func validate() throws {
        if list != nil, let view { throw ValidationError("--list and --\(view.rawValue) are two views") }
        if stacks.isUsed, view != .tree, view != .flame {
            throw ValidationError("--root and --inverted go with --tree or --flame")
        }
        if hasView, outputs.usesStandardOutput { throw ValidationError("two outputs go to standard output") }
        guard !between.isEmpty else { return }
        guard between.count == 2 else {
            throw ValidationError(
                "--between takes two moments; name the recording before it: silt report F --between A B"
            )
        }
        guard list == nil, [nil, .top, .flame, .json].contains(view) else {
            throw ValidationError("--between goes with --top, --flame or --json")
        }
    }

    func run() throws {
        let (root, pattern) = (try FunctionPattern(option: stacks.root), try FunctionPattern(option: list))
        do {
            let recording = try ReportInput(self.recording, hide: layout.hide).recording()
            var text = ""
            if between.isEmpty {
                let report = try ReportBuilder.build(recording, options: layout.options(for: STDOUT_FILENO))
                try outputs.write(report)
                guard outputs.isEmpty || hasView else { return }
                if let pattern {
                    ListText.render(report, pattern, into: &text)
                } else {
                    render(report, root, into: &text)
                }
            } else {
                try renderBetween(recording, root, into: &text)
            }
            Terminal.write(text, to: STDOUT_FILENO)
        } catch {
            throw Terminal.fail(error)
        }
    }

    private func renderBetween(_ recording: Recording, _ root: FunctionPattern?, into text: inout String) throws {
        var settings = DiffSettings()
        settings.limit = layout.limit?.sites
        settings.width = Terminal.columns(of: STDOUT_FILENO)
        let sides = try DiffSide.moments(between, of: recording, path: self.recording, hide: layout.hide)
        let diff = try HeapDiff(sides.0, sides.1, settings: settings)
        switch view {
        case .flame:
            let color = Terminal.usesColor(STDOUT_FILENO)
            DiffFlame.render(
                diff,
                isInverted: stacks.inverted,
                root: root,
                color: color,
                depth: layout.stack,
                into: &text
            )
        case .json: DiffJSON.render(diff, into: &text)
        case nil, .sites, .top, .tree, .timeline, .peak, .sizes, .ages: DiffText.render(diff, into: &text)
        }
    }

    private func render(_ report: HeapReport, _ root: FunctionPattern?, into text: inout String) {
        switch view ?? .sites {
        case .sites: TextReport.render(report, into: &text)
        case .top: TopTable.render(report, into: &text)
        case .tree: TreeText.render(report, isInverted: stacks.inverted, root: root, into: &text)
        case .flame: FlameText.render(report, isInverted: stacks.inverted, root: root, into: &text)
        case .timeline: TimelineText.render(report, into: &text)
        case .peak: PeakText.render(report, into: &text)
        case .sizes: HistogramText.renderSizes(report, into: &text)
        case .ages: HistogramText.renderAges(report, into: &text)
        case .json: JSONReport.render(report, into: &text)
        }
    }
}

/// Prints the text report of a recording that was just made.
func printReport(of path: String, layout: ReportLayout, to descriptor: Int32) throws {
    do {
        let report = try ReportBuilder.build(Recording(path: path), options: layout.options(for: descriptor))
        var text = ""
        TextReport.render(report, into: &text)
        Terminal.write(text, to: descriptor)
    } catch {
        throw Terminal.fail(error)
    }
}
