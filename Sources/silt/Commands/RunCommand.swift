internal import ArgumentParser
internal import CSiltSystem
internal import Glibc
internal import SiltRecording
internal import SiltServer
internal import SiltSession
internal import SiltSystem
internal import SiltText

/// `silt run -- CMD…`: traces a command and prints which call sites grow.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Trace a command and its children, then print which call sites grow.",
        discussion: """
            silt run -- ./server --port 8080
            silt run --out server.silt --snapshot-every 10s -- ./server
            silt run --hide '^my_alloc' -- ./server
            silt run --events server.events -- ./server
            silt run --serve :6070 -- ./server
            silt run --push http://127.0.0.1:4040 --label env=staging -- ./server

            The report goes to standard error, so that the command's own output stays as it is. Exit status: that of \
            the command (128 + signal), whatever became of the recording; as of a shell, 127 when there is no such \
            program and 126 when it cannot be executed; 3 when it cannot be traced or never was, or the file of --out \
            cannot be written from the start. Signals that silt is sent go to the command. So does the first Ctrl-C; \
            the second ends silt with status 130, and a command that is still there goes on untraced.

            Children that cannot be traced (static or 32-bit programs, other C libraries, setuid, other users, an emptied \
            environment) run as they would without silt, and the report's first line names them.
            """
    )

    @OptionGroup var recording: RecordingChoice

    @Option(help: "Keep the raw event stream in this file as well; silt report replays it.")
    var events: String?

    @Option(
        help:
            "Time between snapshots: 500ms, 1s, 2m; they are closer together at first. For a sure verdict run 80 s."
    )
    var snapshotEvery: Duration = Duration(seconds: 1)

    @Option(
        help: ArgumentHelp(
            "Serve the report over HTTP while the command runs, as silt serve does: a port, :0, unix:PATH.",
            valueName: "address"
        )
    )
    var serve: String?

    @Flag(help: "Go on after the command has ended, until all its children have.")
    var follow = false

    @OptionGroup(title: "Push") var push: PushOptions

    @OptionGroup var layout: ReportLayout

    @Argument(parsing: .captureForPassthrough, help: "The command, after --.", completion: .programs)
    var command: [String] = []

    func validate() throws {
        // Everything from the first word that is no option on belongs to the command, --help included.
        if ["--help", "-h"].contains(command.first) { throw CleanExit.helpRequest(self) }
        if command.first == "--version" { throw CleanExit.message(siltVersion) }
        if let word = command.first, word != "--", word.hasPrefix("-") {
            // A mistyped option; a program of that name stands after `--`.
            throw Refusal.commandBehindDashes(RunCommand.unknownOption(String(word.prefix { $0 != "=" })))
        }
        if let serve { _ = try ServerAddress(local: serve) }
        if commandWords.isEmpty { throw Refusal.runNeedsCommand }
        if let events, let path = recording.path, FileBytes.isSamePlace(events, path) {
            throw Refusal.eventsInRecording(path)
        }
    }

    private var commandWords: [String] { command.first == "--" ? Array(command.dropFirst()) : command }

    func run() throws {
        // Before there are threads, which would take them.
        silt_signals_block()
        runUntracedIfFilesAreFew()
        let file: TraceFile
        do { file = try recording.file(for: commandWords[0]) } catch { throw Terminal.fail(error) }
        defer { withExtendedLifetime(file) {} }
        let path = file.path
        var options = TraceOptions(recording: path, snapshotEvery: snapshotEvery.seconds)
        options.siltVersion = siltVersion
        options.hide = layout.hide
        options.follow = follow
        options.warn = { PatientWriter.errors.sayBetween($0) }
        options.events = events
        if isatty(STDERR_FILENO) == 1 { options.progress = ProgressLines().show }
        let outcome: TraceOutcome
        do {
            let isWatched = serve != nil || push.push != nil
            let served = try isWatched ? ServedTrace(recording: path, kept: file.place, hide: layout.hide) : nil
            try served?.begin(serve, push, service: commandWords[0])
            defer { served?.stop() }
            options.socket = served?.socket
            outcome = try collector(options).trace(command: commandWords)
        } catch {
            PatientWriter.errors.finish()
            let status = Terminal.fail(error)
            throw (error as? SessionError)?.shellStatus.map { ExitCode($0) } ?? status
        }
        PatientWriter.errors.finish()
        let code = outcome.exit?.code ?? 130
        let status = ExitCode(
            outcome.traced == 0 && code == 0 && outcome.failure == nil ? SiltExit.cannotMeasure.rawValue : code
        )
        let isMeasured = recording.path != nil || outcome.traced + outcome.untraced > 0
        let whereabouts = isMeasured ? file.keep() : nil
        guard Terminal.isRead(STDERR_FILENO) else { throw status }
        Terminal.beginLine(of: STDERR_FILENO)
        report(outcome, file)
        if let whereabouts { Terminal.message(whereabouts) }
        if let events { Terminal.message(.events(events)) }
        throw status
    }

    /// Where nobody named a file the command runs even if there is no room for a recording at all.
    private func collector(_ options: TraceOptions) throws -> Collector {
        do {
            return try Collector(options: options)
        } catch let error as RecordingError where recording.path == nil {
            PatientWriter.errors.finish()
            runUntraced(.notTraced("\(error)"))
        }
    }

    private func runUntraced(_ notice: Notice) -> Never {
        Terminal.message(notice)
        do { try ProgramStart(commandWords).become() } catch { Self.exit(withError: Terminal.fail(error)) }
    }

    /// With fewer descriptors than silt needs for itself the command runs all the same.
    private func runUntracedIfFilesAreFew() {
        silt_raise_descriptor_limit()
        let free = silt_count_free_descriptors(Self.neededFiles)
        guard free < Self.neededFiles else { return }
        runUntraced(.tooFewFiles(needed: Self.neededFiles, free: free))
    }

    /// Its recording, the sockets, and what one traced image takes.
    private static let neededFiles: Int32 = 16

    /// What is missing comes first.
    private func report(_ outcome: TraceOutcome, _ file: TraceFile) {
        if let failure = outcome.failure {
            let seconds = (failure.seconds * 10).rounded() / 10
            Terminal.message(.recordedUntil(seconds: seconds, failure.reason))
        }
        do {
            try printReport(of: file.path, kept: file.place, layout: layout, to: STDERR_FILENO)
        } catch {
            // It was said why; the command ended as it did.
        }
        for note in outcome.notes { Terminal.message(.note(note)) }
        if outcome.traced == 0, outcome.untraced == 0 {
            Terminal.message(.neverLoaded)
        }
        if outcome.stillRunning > 0 { Terminal.message(.stillRunning(outcome.stillRunning)) }
    }
}
