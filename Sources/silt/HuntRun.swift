internal import ArgumentParser
internal import Glibc
internal import SiltHTTP
internal import SiltHunt
internal import SiltRecording
internal import SiltSession

/// One hunt, from the start of the service to the closed recording.
final class HuntRun {
    let plan: HuntPlan
    /// The recording.
    private(set) var path: String
    /// Nil in a trace that somebody else records.
    private let file: TraceFile?
    private let attachSocket: String?
    private let hide: [String]
    private let progress = HuntProgressLine()
    /// Of one that ended early.
    private var end: RecordedHuntEnd?

    init(_ setUp: HuntSetUp, file: TraceFile?, attachSocket: String?, hide: [String]) throws {
        do {
            plan = try setUp.huntPlan()
        } catch let error as HuntError {
            Terminal.message("\(error)")
            throw SiltExit.usage
        }
        if plan.command.isEmpty, attachSocket == nil, plan.pprof == nil {
            Terminal.message(
                "name the service: silt hunt … -- ./server, or command: in the plan; or one that runs, with --pprof URL"
            )
            throw SiltExit.usage
        }
        if plan.pprof != nil, attachSocket != nil {
            Terminal.message(
                "--pprof and --attach-socket cannot go together: let silt start the service, silt hunt --pprof URL … -- "
                    + "./server, or pull its profiles alone"
            )
            throw SiltExit.usage
        }
        self.file = file
        path = file?.path ?? ""
        self.attachSocket = attachSocket
        self.hide = hide
    }

    /// Returns what ended it early; nil when it went to its end.
    ///
    /// What the service and the scripts print goes to standard error: standard output is the report's.
    func run() -> (any Error)? {
        Interrupts.listen()
        let output = OutputToErrors()
        defer { output.end() }
        do {
            let failure = try measure()
            end = failure.map(early)
            keepEnd()
            return failure
        } catch {
            // What lies at the path may be somebody else's.
            end = early(error)
            return error
        }
    }

    private func early(_ failure: any Error) -> RecordedHuntEnd {
        RecordedHuntEnd(reason: "\(failure)", planned: plan.phases.map(\.name))
    }

    /// Returns what ended it early once its recording is closed; throws where there is none of its own, or it broke off.
    private func measure() throws -> (any Error)? {
        if let pprof = plan.pprof { return try pull(pprof) }
        return try attachSocket.map(attach) ?? start()
    }

    /// A trace that goes on afterwards is written by somebody else.
    private func keepEnd() {
        guard let end, attachSocket == nil else { return }
        do {
            let writer = try RecordingWriter(addingTo: path)
            try writer.write(end)
            try writer.close()
        } catch {
            Terminal.message("\(path) does not say that the hunt ended early: \(error)")
        }
    }

    /// What was measured, and whether that is all.
    func recorded() throws -> Recording {
        var recording = try Recording(path: path)
        recording.huntEnd = end
        return recording
    }

    private func start() throws -> (any Error)? {
        let inspection = inspectTarget(command: plan.command.first ?? "")
        guard inspection.canBeTraced else { throw SessionError.cannotTrace(inspection) }
        for note in inspection.notes { Terminal.message(note) }
        try plan.ready.checkThatNobodyAnswers()
        let analyzer = try startAnalyzer()
        let service = try Service(plan, socket: analyzer.socket)
        let trace = PreloadTrace(analyzer.control)
        let failure = hunt(trace, service, plan)
        let status = try analyzer.control.ask(.status)
        try trace.finish()
        service.stop()
        analyzer.wait()
        if status.traced == 0 {
            return HuntError.system(
                call: plan.command.joined(separator: " "),
                reason: status.problem.isEmpty
                    ? "it never loaded the preload library: see silt doctor" : status.problem
            )
        }
        return failure
    }

    private func startAnalyzer() throws -> Analyzer {
        guard let executable = processExecutable(getpid()) else {
            throw SessionError.system(call: "reading /proc/self/exe", reason: "is /proc mounted?")
        }
        return try Analyzer(executable: executable, recording: path, hide: hide)
    }

    /// Profiles are pulled, and the service is traced as well where it can be and silt starts it.
    private func pull(_ url: String) throws -> (any Error)? {
        let address = try PprofAddress(url)
        var plan = plan
        if plan.ready == .quiet { plan.ready = Readiness(address) }
        let profiles = PprofTrace(
            PprofEndpoint(address),
            recording: path,
            command: plan.command,
            siltVersion: siltVersion
        )
        if plan.command.isEmpty { return try pull(profiles, nil, plan) }
        try plan.ready.checkThatNobodyAnswers()
        if plan.profilesOnly { return try pull(profiles, Service(plan, socket: nil), plan) }
        let inspection = inspectTarget(command: plan.command[0])
        guard let obstacle = inspection.obstacle else { return try traceAndPull(profiles, plan) }
        let service = try Service(plan, socket: nil)
        note(untraced: obstacle.problem)
        return try pull(profiles, service, plan)
    }

    private func pull(_ profiles: PprofTrace, _ service: Service?, _ plan: HuntPlan) throws -> (any Error)? {
        let failure = hunt(profiles, service, plan)
        try profiles.finish()
        service?.stop()
        return failure
    }

    private func traceAndPull(_ profiles: PprofTrace, _ plan: HuntPlan) throws -> (any Error)? {
        let analyzer = try startAnalyzer()
        let service = try Service(plan, socket: analyzer.socket)
        let trace = ProfiledTrace(
            PreloadTrace(analyzer.control),
            profiles,
            recording: path,
            pid: UInt32(service.pid)
        )
        let failure = hunt(trace, service, plan)
        let status = try analyzer.control.ask(.status)
        try trace.finish()
        service.stop()
        analyzer.wait()
        if !trace.isTraced {
            note(untraced: status.problem.isEmpty ? "it never loaded the preload library" : status.problem)
        }
        return failure
    }

    private func note(untraced reason: String) {
        Terminal.message("only profiles are pulled, malloc is not traced: \(reason)")
    }

    /// The trace was started by somebody else and goes on afterwards: only its recording is brought up to date.
    private func attach(_ socket: String) throws -> (any Error)? {
        let control = try TraceControl(path: socket)
        path = try control.ask(.status).recording
        let failure = hunt(PreloadTrace(control), nil, plan)
        try control.ask(.symbolize)
        return failure
    }

    private func hunt(_ trace: any HuntTrace, _ service: Service?, _ plan: HuntPlan) -> (any Error)? {
        defer { progress.clear() }
        do {
            try Hunt(
                plan,
                trace: trace,
                service: service,
                watch: progress.show,
                isInterrupted: { Interrupts.count > 0 }
            )
            .run()
            return nil
        } catch {
            return error
        }
    }
}
