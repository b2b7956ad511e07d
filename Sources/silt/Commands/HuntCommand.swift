internal import ArgumentParser
internal import Glibc
internal import SiltFindings
internal import SiltHunt
internal import SiltPlan
internal import SiltRecording
internal import SiltReports
internal import SiltSystem
internal import SiltText

/// `silt hunt`: loads a service route by route and says which route leaks, at which line, how many bytes per request.
struct HuntCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hunt",
        abstract: "Load a service route by route: which route leaks, at which line, how many bytes per request.",
        discussion: """
            silt hunt --phase users='hey -n 2000 http://127.0.0.1:8080/users' \\
                --phase orders='hey -n 2000 http://127.0.0.1:8080/orders' \\
                -- ./server --port 8080
            silt hunt --init plan.yml && silt hunt plan.yml
            silt hunt plan.yml --rounds 8 --json > hunt.json
            silt hunt --pprof http://127.0.0.1:6060/debug/pprof \\
                --phase orders='hey -n 2000 http://127.0.0.1:8080/orders'
            silt hunt --pprof http://127.0.0.1:6060 \\
                --phase orders='hey -n 2000 http://127.0.0.1:6060/orders' -- ./server
            silt hunt --attach-socket /run/silt.sock \\
                --phase orders='wrk -d 3 http://127.0.0.1:8080/orders'

            The service is started, watched idle, then loaded: for each phase a warm-up round, and rounds of load, more \
            while the verdict is in doubt. Requests are counted from what wrk, hey, ab, h2load, siege, bombardier, vegeta, k6, \
            oha and redis-benchmark print, or from a line "silt: requests=2000" of the script.

            With --pprof heap and goroutine profiles are pulled at the end of each round, from a service that runs \
            already or from the one after --, which is traced as well where it can be: what Go's heap and what C's \
            malloc keep is one report.

            Exit status: 0 nothing grows, 1 something does, 2 usage, 3 silt could not measure.
            """
    )

    @OptionGroup var setUp: HuntSetUp

    @Flag(help: "JSON instead of text.")
    var json = false

    @Option(name: .customLong("init"), help: "Write a commented plan to this file and end.")
    var template: String?

    @OptionGroup var recording: RecordingChoice

    @Option(help: "Hunt in a trace that is on already: the socket of silt listen.")
    var attachSocket: String?

    @OptionGroup var layout: ReportLayout

    func validate() throws {
        if template != nil { return }
        if setUp.plan == nil, setUp.phase.isEmpty { throw Refusal.huntNeedsPlan }
    }

    func run() throws {
        if let template { return try write(HuntPlan.template, to: template) }
        let file = try attachSocket == nil ? recording.file(for: "hunt") : nil
        let hunt = try setUp.hunt(file: file, attachSocket: attachSocket, hide: layout.hide)
        let failure = hunt.runOnTerminal()
        var options = layout.options(for: STDOUT_FILENO, kept: file == nil ? .file(hunt.path) : file?.place)
        options.limitBytes = options.limitBytes ?? hunt.plan.memoryLimitBytes
        let report: HeapReport
        do {
            report = try ReportBuilder.build(hunt.recorded(), options: options)
        } catch {
            throw Terminal.fail(failure ?? error)
        }
        // Nothing was measured: there is only the failure to speak of.
        if let failure, report.processes.isEmpty, !json { throw Terminal.fail(failure) }
        let whereabouts = file?.keep()
        var text = ""
        if json { JSONReport.render(report, into: &text) } else { TextReport.render(report, into: &text) }
        try Terminal.output(text)
        if let whereabouts { Terminal.message(whereabouts) }
        if let failure {
            Terminal.message(.huntEndedEarly)
            throw Terminal.fail(failure)
        }
        throw SiltExit.of(report.verdict)
    }

    /// Never over a file that is there.
    private func write(_ text: String, to path: String) throws {
        do {
            let file = try OutputFile(path, mode: 0o644, isNew: true)
            file.write(text)
            try file.close()
        } catch {
            throw Terminal.fail(error)
        }
        Terminal.message(.wrotePlan(path))
    }
}
