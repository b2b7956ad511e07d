internal import ArgumentParser
internal import Glibc
internal import SiltSession

/// `silt demo`: a small leaking server under load, traced, its leaks named.
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Trace a small leaking server under load: what silt finds, seen in half a minute.",
        usage: "silt demo [<options>]",
        discussion: """
            silt demo
            silt demo --seconds 30
            """
    )

    @Option(help: "How long the server is loaded.")
    var seconds: Double = 12

    @Flag(help: "Keep no recording; else the demo's last one is kept, beside those of silt run.")
    var noKeep = false

    @OptionGroup var layout: ReportLayout

    func run() throws {
        guard let executable = processExecutable(getpid()) else {
            throw Terminal.fail(SessionError.noExecutable)
        }
        let file = try TraceFile(named: nil, program: KeptRecordings.demo, keeps: !noKeep)
        let scratch = try ScratchRecording()
        let portFile = scratch.path + ".port"
        defer { withExtendedLifetime((scratch, file)) { _ = unlink(portFile) } }
        try Terminal.output(Notice.demo(seconds: seconds).text)
        var options = TraceOptions(recording: file.path, snapshotEvery: seconds / 40)
        options.hide = layout.hide
        options.siltVersion = siltVersion
        if isatty(STDERR_FILENO) == 1 { options.progress = ProgressLine.show }
        do {
            let load = try startProcess([executable, "demo-load", portFile, "\(seconds)"])
            setenv(DemoServerCommand.portFileVariable, portFile, 1)
            let outcome = try Collector(options: options).trace(command: [executable, "demo-server"])
            ProgressLine.clear()
            var status: Int32 = 0
            waitpid(load, &status, 0)
            for note in outcome.notes { Terminal.message(.note(note)) }
            if status != 0 || outcome.exit != .exited(0) {
                Terminal.message(.demoFailed)
            }
        } catch {
            throw Terminal.fail(error)
        }
        let whereabouts = file.keep()
        try printReport(of: file.path, kept: file.place, layout: layout, to: STDOUT_FILENO)
        if let whereabouts { Terminal.message(whereabouts) }
    }
}
