internal import ArgumentParser
internal import CSiltSystem
internal import Glibc
internal import SiltSession

/// `silt listen SOCKET`: an analyzer for programs that are started with the preload library elsewhere.
struct ListenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listen",
        abstract: "Collect what preloaded programs send to a socket, until Ctrl-C.",
        usage: "silt listen [<options>] <socket>",
        discussion: """
            silt listen --out server.silt /run/silt.sock
            LD_PRELOAD=/usr/local/lib/libsilt.so SILT_SOCKET=/run/silt.sock ./server
            """
    )

    @OptionGroup var recording: RecordingChoice

    @Option(help: "Time between snapshots: 500ms, 1s, 2m.")
    var snapshotEvery: Duration = Duration(seconds: 1)

    @Flag(help: "End when the last traced program has ended; print nothing then.")
    var once = false

    @Flag(help: .hidden)
    var startedByPreload = false

    /// Ends with the first process that asks something of it; prints nothing.
    @Flag(help: .hidden)
    var servesHunt = false

    @Option(help: .hidden)
    var readyFd: Int32 = -1

    /// The process whose library started this one.
    @Option(help: .hidden)
    var program: Int32 = 0

    @OptionGroup var layout: ReportLayout

    @Argument(help: "The socket to listen at; it must not exist.")
    var socket: String

    func run() throws {
        silt_signals_block()
        let isAsked = !servesHunt && !startedByPreload
        let file = try recording.file(for: "listen", keeps: isAsked && !once)
        defer { withExtendedLifetime(file) {} }
        let path = file.path
        var options = TraceOptions(recording: path, snapshotEvery: snapshotEvery.seconds)
        options.socket = socket
        options.siltVersion = siltVersion
        options.once = once
        if startedByPreload { options.startedByPreload = StartedByPreload(readyDescriptor: readyFd, program: program) }
        options.servesHunt = servesHunt
        options.hide = layout.hide
        if !servesHunt, isatty(STDERR_FILENO) == 1 { options.progress = ProgressLine.show }
        if isAsked { options.met = { PatientWriter.errors.say(.tracing($1, $0)) } }
        do {
            let collector = try Collector(options: options)
            if isAsked { PatientWriter.errors.say(.listening(collector.socketPath)) }
            let outcome = try collector.listen()
            ProgressLine.clear()
            if once || servesHunt { return }
            let whereabouts = recording.path == nil && outcome.traced > 0 ? file.keep() : nil
            try printReport(of: path, kept: file.place, layout: layout, to: STDOUT_FILENO)
            for note in outcome.notes { Terminal.message(.note(note)) }
            if let whereabouts { Terminal.message(whereabouts) }
        } catch let code as ExitCode {
            throw code
        } catch {
            throw Terminal.fail(error)
        }
    }
}
