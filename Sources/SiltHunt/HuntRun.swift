internal import Glibc
internal import SiltHTTP
package import SiltPlan
internal import SiltPprof
package import SiltRecording
internal import SiltSession

/// One hunt, from the start of the service to the closed recording.
package final class HuntRun {
    package let plan: HuntPlan
    /// The recording.
    package private(set) var path: String
    private let attachSocket: String?
    private let hide: [String]
    private let siltVersion: String
    private let watcher: HuntWatcher
    /// How the hunt ended, if early.
    private var end: RecordedHuntEnd?

    /// `attachSocket`: of a trace that somebody else started, and records; `recording` is not used then.
    package init(
        _ plan: HuntPlan,
        recording: String,
        attachSocket: String?,
        hide: [String],
        siltVersion: String,
        watcher: HuntWatcher
    ) throws(HuntError) {
        if plan.command.isEmpty, attachSocket == nil, plan.pprof == nil { throw .noService }
        if plan.pprof != nil, attachSocket != nil { throw .profilesOfAttached }
        self.plan = plan
        path = recording
        self.attachSocket = attachSocket
        self.hide = hide
        self.siltVersion = siltVersion
        self.watcher = watcher
    }

    /// Returns what ended it early; nil when it went to its end.
    package func run() -> (any Error)? {
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
            watcher.say("the recording does not say that the hunt ended early: \(error)")
        }
    }

    /// What was measured, and whether that is all.
    package func recorded() throws -> Recording {
        var recording = try Recording(path: path)
        recording.huntEnd = end
        return recording
    }

    // MARK: Kinds of hunts

    private func start() throws -> (any Error)? {
        let inspection = inspectTarget(command: plan.command.first ?? "")
        guard inspection.canBeTraced else { throw SessionError.cannotTrace(inspection) }
        for note in inspection.notes { watcher.say(note) }
        try plan.ready.checkThatNobodyAnswers()
        let (failure, status, _) = try trace(plan) { trace, _ in trace }
        if status.traced == 0 {
            return HuntError.system(
                call: plan.command.joined(separator: " "),
                reason: status.problem.isEmpty
                    ? "it never loaded the preload library: see silt doctor" : status.problem
            )
        }
        return failure
    }

    /// Hunts the plan's service under an analyzer of its own; returns what ended that early, and how the trace stood then.
    private func trace<Trace: HuntTrace>(
        _ plan: HuntPlan,
        _ measured: (PreloadTrace, Service) -> Trace
    ) throws -> (failure: (any Error)?, status: TraceStatus, trace: Trace) {
        guard let executable = processExecutable(getpid()) else {
            throw SessionError.noExecutable
        }
        let analyzer = try Analyzer(executable: executable, recording: path, hide: hide)
        let service = try Service(plan, socket: analyzer.socket)
        let trace = measured(PreloadTrace(analyzer.control), service)
        let failure = hunt(trace, service, plan)
        let status = try analyzer.control.ask(.status)
        try trace.finish()
        service.stop()
        analyzer.wait()
        return (failure, status, trace)
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
        say(untraced: obstacle.problem)
        return try pull(profiles, service, plan)
    }

    private func pull(_ profiles: PprofTrace, _ service: Service?, _ plan: HuntPlan) throws -> (any Error)? {
        let failure = hunt(profiles, service, plan)
        try profiles.finish()
        service?.stop()
        return failure
    }

    private func traceAndPull(_ profiles: PprofTrace, _ plan: HuntPlan) throws -> (any Error)? {
        let (failure, status, trace) = try trace(plan) { trace, service in
            ProfiledTrace(trace, profiles, recording: path, pid: UInt32(service.pid))
        }
        if !trace.isTraced {
            say(untraced: status.problem.isEmpty ? "it never loaded the preload library" : status.problem)
        }
        return failure
    }

    private func say(untraced reason: String) {
        watcher.say("only profiles are pulled, malloc is not traced: \(reason)")
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
        defer { watcher.show(.over) }
        do {
            try Hunt(plan, trace: trace, service: service, watcher: watcher).run()
            return nil
        } catch {
            return error
        }
    }
}
