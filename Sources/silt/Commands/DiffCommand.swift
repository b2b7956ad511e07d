internal import ArgumentParser
internal import Glibc
internal import SiltEvents
internal import SiltFindings
internal import SiltHunt
internal import SiltRecording
internal import SiltReports
internal import SiltText

/// `silt diff A B`: what differs between two recordings, or two moments of one.
struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "What grew from one recording, profile or moment to another, by function.",
        discussion: """
            silt diff monday.silt friday.silt
            silt diff old.silt new.silt --by alloc --limit 10
            silt diff old.pb.gz new.silt --lines
            silt diff before.silt after.silt --per request      of two hunts
            silt diff hunt.silt --between orders:start orders   a phase of a hunt
            silt diff hunt.silt --between orders:1 orders       without its warm-up
            silt diff server.silt --between 1s end              after the first second
            silt diff old.silt new.silt --flame --inverted
            silt diff old.silt new.silt --folded - | flamegraph.pl > diff.svg
            silt diff old.silt new.silt --pprof diff.pb.gz

            A is what was, B what is; numbers are B's less A's, and shares are of A. Functions are compared by name and \
            file, so that a rebuild and other addresses make no difference; with --lines by line as well. Of its past a \
            recording keeps what was in use: a hunt at the end of its rounds, by stack; a trace that ran freely at its \
            snapshots (0, 1, 2 …; those of long runs are thinned), by call site, without the functions that called it. \
            Exit status 0, whatever differs; silt check is the gate.
            """
    )

    @Option(help: "Compare what is inuse, alloc, or in use at the peak.")
    var by: DiffSettings.Measure = .inUse

    @Option(help: "Divide by what was counted: request or second.")
    var per: DiffSettings.Per?

    @Flag(help: "Compare lines, not only functions.")
    var lines = false

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Compare two moments of one recording: start, end (the last snapshot), 12 (snapshot or round), 30s, PHASE, PHASE:ROUND.",
            valueName: "moment"
        )
    )
    var between: [String] = []

    @Option(help: "Functions shown; 20 unless told, in JSON all.")
    var limit: ShownLimit?

    @Flag(help: "A flame graph that hangs, of what grew and what shrank, signed.")
    var flame = false

    @OptionGroup var stacks: StackChoice

    @Option(help: .resource)
    var resource: Resource?

    @Flag(help: "JSON, format silt-diff version 1.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Write folded stacks with both values to this file, - for standard output.",
            valueName: "file"
        )
    )
    var folded: String?

    @Option(help: ArgumentHelp("Write the difference as a profile for go tool pprof.", valueName: "file"))
    var pprof: String?

    @Option(help: .hide)
    var hide: [String] = []

    @Argument(
        help: "A and B: recordings, event files or pprof profiles; with --between one of them.",
        completion: .recordings
    )
    var files: [String]

    func validate() throws {
        switch between.count {
        case 0:
            guard files.count == 2 else { throw Refusal.diffNeedsTwo }
        case 2:
            guard files.count == 1 else { throw Refusal.betweenOfTwo }
        default: throw Refusal.betweenNeedsTwo("diff")
        }
        if json, flame { throw Refusal.twoViews("--json", "--flame") }
        if stacks.isUsed, !flame { throw Refusal.stackChoice("--flame") }
        let outputs = [folded, pprof].compactMap { $0 } + (json ? ["-"] : [])
        guard Set(outputs).count == outputs.count else { throw Refusal.twoOutputsToOnePlace }
        if pprof == "-", isatty(STDOUT_FILENO) == 1 { throw Refusal.profileToTerminal }
        if per != nil, folded != nil || pprof != nil { throw Refusal.filesHaveNoRates }
        if by == .peak, pprof != nil { throw Refusal.profileHasNoPeak }
    }

    func run() throws {
        let root = try FunctionPattern(option: stacks.root)
        do {
            let (before, after, opening) = try sides()
            var settings = settings
            settings.opening = opening
            let diff = try HeapDiff(before, after, settings: settings)
            let files = try (folded: folded.map { try OutputFile($0) }, pprof: pprof.map { try OutputFile($0) })
            if var file = files.folded {
                DiffFolded.render(diff, into: &file)
                try file.close()
            }
            if let file = files.pprof {
                try DiffPprof.write(diff) { file.write($0) }
                try file.close()
            }
            guard let view else { return }
            var text = ""
            try ReportOutput.named(view)?.write(diff, .init(isInverted: stacks.inverted, root: root)) {
                text += String(decoding: $0, as: UTF8.self)
            }
            try Terminal.output(text)
        } catch {
            throw Terminal.fail(error)
        }
    }

    /// What is printed: nothing where files were asked for alone.
    private var view: String? {
        if json { return "json" }
        if flame { return "flame" }
        return folded == nil && pprof == nil ? "sites" : nil
    }

    private var settings: DiffSettings {
        var settings = DiffSettings()
        (settings.measure, settings.per) = (by, per)
        settings.comparesLines = lines
        settings.limit = limit?.count
        settings.width = Terminal.columns(of: STDOUT_FILENO)
        settings.isColored = Terminal.usesColor(STDOUT_FILENO)
        return settings
    }

    private func sides() throws -> (DiffSide, DiffSide, DiffOpening?) {
        let first = try ReportInput(files[0], hide: hide).recording()
        guard between.isEmpty else {
            return try DiffSide.moments(between, of: first, path: files[0], hide: hide, resource: resource)
        }
        let second = try ReportInput(files[1], hide: hide).recording()
        var before = try DiffSide(first, name: files[0], hide: hide, resource: resource)
        var after = try DiffSide(second, name: files[1], hide: hide, resource: resource)
        guard resource == nil else { return (before, after, nil) }
        let opening = DiffOpening(before, after)
        before.open(on: opening)
        after.open(on: opening)
        return (before, after, opening)
    }
}

extension DiffSide {
    /// Two moments of a recording, named as users name them; `resource` nil: what grows.
    static func moments(
        _ names: [String],
        of recording: Recording,
        path: String,
        hide: [String],
        resource: Resource?
    ) throws -> (DiffSide, DiffSide, DiffOpening?) {
        let moments = try Moments(recording, path: path)
        let (start, end) = try moments.moments((name(names[0]), name(names[1])))
        var opening: DiffOpening?
        if resource == nil, recording.resources != [recording.countedResource] {
            var options = ReportOptions()
            options.hide = hide
            opening = DiffOpening(try ReportBuilder.build(recording, options: options))
        }
        let shown = resource ?? opening?.resource
        return try (
            DiffSide(recording, at: start, of: moments, hide: hide, resource: shown),
            DiffSide(recording, at: end, of: moments, hide: hide, resource: shown), opening
        )
    }

    /// A number with a unit is a time, one without a snapshot or round.
    private static func name(_ text: String) -> MomentName {
        guard Int(text) == nil, text.first?.isNumber == true, let seconds = Quantity.seconds(text) else {
            return MomentName(text)
        }
        return .seconds(seconds)
    }
}

extension DiffSettings.Measure: ExpressibleByArgument {}
extension DiffSettings.Per: ExpressibleByArgument {}
