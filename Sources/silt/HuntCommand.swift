internal import ArgumentParser
internal import Glibc
internal import SiltFindings
internal import SiltHTTP
internal import SiltHunt
internal import SiltRecording
internal import SiltReports
internal import SiltSession
internal import SiltText

/// `silt hunt`: loads a service route by route and says which route leaks, at which line, how many bytes per request.
struct HuntCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hunt",
        abstract: "Load a service route by route: which route leaks, at which line, how many bytes per request.",
        discussion: """
            silt hunt --phase users='hey -n 2000 http://127.0.0.1:8080/users' \\
                      --phase orders='hey -n 2000 http://127.0.0.1:8080/orders' -- ./server --port 8080
            silt hunt --init plan.yml && silt hunt plan.yml
            silt hunt plan.yml --rounds 8 --json > hunt.json
            silt hunt --pprof http://127.0.0.1:6060/debug/pprof --phase orders='hey -n 2000 http://127.0.0.1:8080/orders'
            silt hunt --pprof http://127.0.0.1:6060 --phase orders='hey -n 2000 http://127.0.0.1:6060/orders' -- ./server
            silt hunt --attach-socket /run/silt.sock --phase orders='wrk -d 3 http://127.0.0.1:8080/orders'

            The service is started, watched idle, then loaded: for each phase a warm-up round, and rounds of load until \
            the verdict is sure. Requests are counted from what wrk, hey, ab, h2load, siege, bombardier, vegeta, k6, \
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

    @Option(name: .customLong("out"), help: "Keep the recording in this file.")
    var recording: String?

    @Option(help: "Hunt in a trace that is on already: the socket of silt listen.")
    var attachSocket: String?

    @OptionGroup var layout: ReportLayout

    func validate() throws {
        if template != nil { return }
        if setUp.plan == nil, setUp.phase.isEmpty {
            throw ValidationError("name a plan, or phases: --phase orders='hey -n 2000 http://127.0.0.1:8080/orders'")
        }
    }

    func run() throws {
        if let template { return try write(HuntPlan.template, to: template) }
        let hunt = try HuntRun(setUp, recording: recording, attachSocket: attachSocket, hide: layout.hide)
        let failure = hunt.run()
        var options = layout.options(for: STDOUT_FILENO)
        options.limitBytes = options.limitBytes ?? hunt.plan.memoryLimitBytes
        let report: HeapReport
        do {
            report = try ReportBuilder.build(Recording(path: hunt.path), options: options)
        } catch {
            throw Terminal.fail(failure ?? error)
        }
        // Nothing was measured: there is only the failure to speak of.
        if let failure, report.processes.isEmpty, !json { throw Terminal.fail(failure) }
        var text = ""
        if json { JSONReport.render(report, into: &text) } else { TextReport.render(report, into: &text) }
        Terminal.write(text, to: STDOUT_FILENO)
        if let recording { Terminal.message("recording: \(recording)") }
        if let failure {
            Terminal.message("the hunt ended early, the report is of what was measured until then")
            throw Terminal.fail(failure)
        }
        throw SiltExit.of(report.verdict)
    }

    /// Never over a file that is there.
    private func write(_ text: String, to path: String) throws {
        let descriptor = open(path.system, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            Terminal.message("cannot write \(path): \(String(cString: strerror(errno)))")
            throw SiltExit.cannotMeasure
        }
        Terminal.write(text, to: descriptor)
        close(descriptor)
        Terminal.message("wrote \(path): edit it, then silt hunt \(path)")
    }
}

extension SiltExit {
    /// What `hunt` and `check` end with.
    static func of(_ verdict: HeapReport.Verdict) -> ExitCode {
        switch verdict {
        case .notGrowing: ExitCode(0)
        case .growing: ExitCode(1)
        case .inconclusive: cannotMeasure
        }
    }
}

/// What a hunt does: a plan file, options that replace what it says, and the command.
struct HuntSetUp: ParsableArguments {
    @Option(help: ArgumentHelp("A phase and its load script; may be repeated.", valueName: "name='script'"))
    var phase: [String] = []

    @Option(
        help: ArgumentHelp("Pull profiles from there too, beside the trace: Go's net/http/pprof.", valueName: "url")
    )
    var pprof: String?

    @Flag(help: "With --pprof: do not trace. For profiles of the heap that malloc serves, which would count twice.")
    var profilesOnly = false

    @Option(help: "When the service is ready: tcp:HOST:PORT, unix:PATH, http://URL, log:REGEX, or a time as 5s.")
    var ready: String?

    @Option(help: "How long the service is watched without load, before the phases and after them.")
    var idle: Duration?

    @Option(help: "The same after the phases, when it differs: as long as what it caches lives.")
    var finalIdle: Duration?

    @Option(help: "The longest wait after a round until the service is quiet.")
    var settle: Duration?

    @Option(help: "Rounds of each phase, after the warm-up (6).")
    var rounds: Int?

    @Option(help: "Rounds a phase may have when a doubt remains (12).")
    var maxRounds: Int?

    @Argument(help: "A plan file (YAML); silt hunt --init writes one.", completion: .file(extensions: ["yml", "yaml"]))
    var plan: String?

    @Argument(parsing: .postTerminator, help: "The service, after --.")
    var command: [String] = []

    /// The plan with what the command line says.
    func huntPlan() throws -> HuntPlan {
        var result = try plan.map { path in try HuntPlan(path: path) } ?? HuntPlan(phases: phase)
        if plan != nil, !phase.isEmpty { result.phases = try HuntPlan(phases: phase).phases }
        if !command.isEmpty { result.command = command }
        if let pprof {
            do {
                _ = try PprofAddress(pprof)
            } catch {
                throw HuntError.option(name: "--pprof", problem: "\(error)")
            }
            result.pprof = pprof
        }
        if profilesOnly {
            guard result.pprof != nil else {
                throw HuntError.option(name: "--profiles-only", problem: "says nothing without --pprof URL")
            }
            result.profilesOnly = true
        }
        if let ready {
            do {
                result.ready = try Readiness(ready)
            } catch {
                throw HuntError.option(name: "--ready", problem: "\(error)")
            }
        }
        if let idle {
            result.idleSeconds = idle.seconds
            result.finalIdleSeconds = idle.seconds
        }
        if let finalIdle { result.finalIdleSeconds = finalIdle.seconds }
        if let settle { result.settleSeconds = settle.seconds }
        if let rounds {
            guard (HuntPlan.leastRounds...1000).contains(rounds) else {
                throw HuntError.option(name: "--rounds", problem: "\(HuntPlan.leastRounds) to 1000 are possible")
            }
            result.rounds = rounds
            result.maxRounds = max(result.maxRounds, rounds)
        }
        if let maxRounds { result.maxRounds = max(maxRounds, result.rounds) }
        return result
    }
}
