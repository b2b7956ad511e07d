internal import ArgumentParser
internal import Glibc
internal import SiltFindings
internal import SiltRecording
internal import SiltReports
internal import SiltText

/// What every command that ends in a report lets the user choose.
struct ReportLayout: ParsableArguments {
    @Option(help: "Sort call sites by growth, inuse, alloc, peak or temporary.")
    var by: Order = .growth

    @Option(help: "Call sites shown; or, with a unit, the memory limit to look ahead to: 512MiB.")
    var limit: ReportLimit?

    @Option(help: "Frames of a stack shown.")
    var stack: Int?

    @Option(help: .hide)
    var hide: [String] = []

    @Option(
        help: ArgumentHelp(
            "Blame functions that match though they look like allocator wrappers; may be repeated.",
            valueName: "regex"
        )
    )
    var show: [String] = []

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
        options.show = show
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

/// Prints the text report of a recording that was just made.
func printReport(of path: String, layout: ReportLayout, to descriptor: Int32) throws {
    do {
        let report = try ReportBuilder.build(Recording(path: path), options: layout.options(for: descriptor))
        var text = ""
        TextReport.render(report, into: &text)
        if descriptor == STDOUT_FILENO { try Terminal.output(text) } else { Terminal.write(text, to: descriptor) }
    } catch {
        throw Terminal.fail(error)
    }
}
