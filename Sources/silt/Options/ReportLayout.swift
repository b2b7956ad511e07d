internal import ArgumentParser
internal import Glibc
internal import SiltFindings
internal import SiltRecording
internal import SiltReports
internal import SiltText

/// What every command that ends in a report lets the user choose.
struct ReportLayout: ParsableArguments {
    @Option(help: "Sort call sites by growth (the default), inuse, alloc, peak or temporary.")
    var by: ReportOptions.Order?

    @Option(parsing: .unconditional, help: "Call sites shown.")
    var limit: ShownLimit?

    @Option(help: "The memory limit to look ahead to: 512MiB; that of the control group unless told.")
    var memoryLimit: MemoryAmount?

    @Flag(help: "Details of what grows: course of time, whole stacks, lines around.")
    var stack = false

    @Option(parsing: .unconditional, help: "Frames of a stack, or rows of a flame graph or tree, shown.")
    var depth: ShownLimit?

    @Option(help: .hide)
    var hide: [String] = []

    @Option(
        help: ArgumentHelp(
            "Blame functions that match though they look like allocator wrappers; may be repeated.",
            valueName: "regex"
        )
    )
    var show: [String] = []

    /// `place`: where the recording is kept.
    func options(for descriptor: Int32, kept place: RecordingPlace?) -> ReportOptions {
        var options = ReportOptions()
        options.order = by ?? .growth
        options.limit = limit?.count
        options.limitBytes = memoryLimit?.bytes
        options.depth = depth?.count
        options.showsDetails = stack
        options.hide = hide
        options.show = show
        options.recordingPlace = place
        options.width = Terminal.columns(of: descriptor)
        options.color = Terminal.usesColor(descriptor)
        return options
    }
}

extension ReportOptions.Order: ExpressibleByArgument {}

/// Prints the text report of a recording that was just made.
///
/// `place`: where it is kept.
func printReport(of path: String, kept place: RecordingPlace?, layout: ReportLayout, to descriptor: Int32) throws {
    do {
        let options = layout.options(for: descriptor, kept: place)
        let report = try ReportBuilder.build(Recording(path: path), options: options)
        var text = ""
        TextReport.render(report, into: &text)
        if descriptor == STDOUT_FILENO { try Terminal.output(text) } else { Terminal.write(text, to: descriptor) }
    } catch {
        throw Terminal.fail(error)
    }
}
