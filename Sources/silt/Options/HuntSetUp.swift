internal import ArgumentParser
internal import Glibc
internal import SiltHunt
internal import SiltPlan
internal import SiltPprof

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

    @Option(help: "When the service is ready: tcp:[HOST:]PORT, unix:PATH, http://URL, log:REGEX, or a time as 5s.")
    var ready: String?

    @Option(help: "How long the service is watched without load, before the phases and after them.")
    var idle: Duration?

    @Option(help: "The same after the phases, when it differs: as long as what it caches lives.")
    var finalIdle: Duration?

    @Option(help: "The longest wait after a round until the service is quiet.")
    var settle: Duration?

    @Option(help: "Rounds of each phase, after the warm-up (6).")
    var rounds: Int?

    @Option(help: "Rounds a phase may have when a doubt remains (24).")
    var maxRounds: Int?

    @Option(help: "Leave a phase that grows alone for so long (60s), then load it again: what is freed was a cache.")
    var confirm: Duration?

    @Argument(help: "A plan file (YAML); silt hunt --init writes one.", completion: .plans)
    var plan: String?

    @Argument(parsing: .postTerminator, help: "The service, after --.", completion: .programs)
    var command: [String] = []

    /// A hunt of what the command line says; `file` is nil in a trace that somebody else records.
    func hunt(file: TraceFile?, attachSocket: String?, hide: [String]) throws -> HuntRun {
        let progress = HuntProgressLine()
        do {
            return try HuntRun(
                huntPlan(),
                recording: file?.path ?? "",
                attachSocket: attachSocket,
                hide: hide,
                siltVersion: siltVersion,
                watcher: HuntWatcher(
                    show: progress.show,
                    say: { Terminal.message(.note($0)) },
                    isInterrupted: { Interrupts.count > 0 }
                )
            )
        } catch let error as HuntError {
            Terminal.message(.error(error))
            throw SiltExit.usage
        }
    }

    /// The plan with what the command line says.
    private func huntPlan() throws -> HuntPlan {
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
            guard result.pprof != nil else { throw Refusal.profilesOnlyNeedsAddress }
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
        if let confirm { result.confirmSeconds = confirm.seconds }
        if let settle { result.settleSeconds = settle.seconds }
        if let rounds {
            let possible = HuntPlan.minimumRounds...1000
            guard possible.contains(rounds) else { throw Refusal.rounds(possible) }
            result.rounds = rounds
            result.maxRounds = max(result.maxRounds, rounds)
        }
        if let maxRounds { result.maxRounds = max(maxRounds, result.rounds) }
        return result
    }
}

extension HuntRun {
    /// Runs it until its end or an interrupt; returns what ended it early.
    ///
    /// What the service and the scripts print goes to standard error: standard output is the report's.
    func runOnTerminal() -> (any Error)? {
        Interrupts.listen()
        let output = OutputToErrors()
        defer { output.end() }
        return run()
    }
}
