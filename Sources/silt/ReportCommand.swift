internal import ArgumentParser
internal import Glibc
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
            silt report server.events
            silt report heap.pb.gz --by inuse
            silt report server.silt --json | jq '.sites[0]'
            silt report server.silt --pprof server.pb.gz && go tool pprof -top server.pb.gz
            silt report server.silt --folded - | flamegraph.pl > server.svg
            silt report server.silt --speedscope server.json --csv sites.csv --suppressions known.supp

            A profile has one sample for each stack and process, with what was allocated and what is in use. Its stacks
            begin at the function that silt blames: allocator wrappers and containers are left out, as Go's own profiles
            leave out the runtime. Samples have the labels pid, command (where there are several processes), and for what
            grows verdict and phase: go tool pprof -tagfocus=verdict=growing server.pb.gz. Folded stacks and speedscope
            have the wrappers as well.
            """
    )

    @Flag(help: "The table of go tool pprof -top; functions below 0.5 % are left out unless --limit says how many.")
    var top = false

    @Flag(help: "Call sites with verdict, evidence and stack (the default).")
    var sites = false

    @Flag(help: "JSON, format silt-report version 1.")
    var json = false

    @OptionGroup(title: "Files for other tools") var outputs: ReportOutputs
    @OptionGroup var layout: ReportLayout

    @Argument(help: "A recording, an event file of silt run --events, or a pprof profile.")
    var recording: String

    private var hasView: Bool { top || sites || json }

    func validate() throws {
        if [top, sites, json].count(where: { $0 }) > 1 { throw ValidationError("one of --sites, --top and --json") }
        if hasView, outputs.usesStandardOutput { throw ValidationError("two outputs go to standard output") }
    }

    func run() throws {
        do {
            let input = try ReportInput(recording, hide: layout.hide)
            let report = try ReportBuilder.build(input.recording(), options: layout.options(for: STDOUT_FILENO))
            try outputs.write(report)
            if outputs.isEmpty || hasView { print(report) }
        } catch {
            throw Terminal.fail(error)
        }
    }

    private func print(_ report: HeapReport) {
        var text = ""
        if top {
            TopTable.render(report, into: &text)
        } else if json {
            JSONReport.render(report, into: &text)
        } else {
            TextReport.render(report, into: &text)
        }
        Terminal.write(text, to: STDOUT_FILENO)
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
