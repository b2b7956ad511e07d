internal import CSiltSystem
package import Glibc
package import SiltPlan
internal import SiltSession

/// The program that is hunted, started by silt: a child that leads a process group of its own.
///
/// It may go into the background: when it ends well and leaves processes, those are the service, wherever they went.
package final class Service {
    package let pid: pid_t
    /// Its output, when the plan waits for a line of it.
    package let tap: OutputTap?
    private var ended: Int32?
    /// What goes on after the first process has ended.
    private var background: [pid_t] = []

    /// Seconds it has to end after SIGTERM.
    private static let grace = 5.0

    /// Starts the plan's command, with the preload library unless `socket` is nil.
    package init(_ plan: HuntPlan, socket: String?) throws {
        guard silt_adopt_orphans() == 0 else { throw HuntError.last("prctl") }
        var tap: OutputTap?
        if case .log(let pattern) = plan.ready { tap = try OutputTap(pattern: pattern) }
        self.tap = tap
        var start = ProgramStart(plan.command)
        start.variables = plan.environment
        start.directory = plan.workingDirectory
        start.ownGroup = true
        if let tap {
            start.output = tap.serviceOutput
            start.errors = tap.serviceErrors
        }
        if let socket { try start.trace(socket: socket, freeStacks: true) }
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(nothing) }
        start.input = nothing
        pid = try start.start()
        silt_signals_receiver(pid)
        tap?.closeServiceEnds()
    }

    deinit { stop() }

    /// Its status once it has ended, as a shell reports it; nil while it runs.
    package var status: Int32? {
        if let ended { return ended }
        guard let first = firstStatus else { return nil }
        return first == 0 && isInBackground ? nil : first
    }

    /// That of the process that was started.
    private var firstStatus: Int32? {
        var status: Int32 = 0
        return silt_has_ended(pid, &status) == 0 ? nil : status
    }

    /// Whether processes are left of it; looks at those it knew before it looks for others.
    private var isInBackground: Bool {
        if background.contains(where: { ProcessKin($0)?.isZombie == false }) { return true }
        background = leftovers()
        return !background.isEmpty
    }

    /// Processes that it has left to this one and that run: those of its group, and those in sessions of their own.
    ///
    /// Load scripts and the analyzer are in this one's session.
    private func leftovers() -> [pid_t] {
        let session = getsid(0)
        return ProcessKin.ownChildren().filter { child in
            guard child.pid != pid, child.group == pid || child.session != session else { return false }
            if child.isZombie { waitpid(child.pid, nil, WNOHANG) }
            return !child.isZombie
        }
        .map(\.pid)
    }

    /// Ends it and its group, and what it has left in the background: asks first (SIGTERM), kills what is left after five
    /// seconds.
    package func stop() {
        guard ended == nil else { return }
        if firstStatus == nil { kill(-pid, SIGTERM) }
        for process in leftovers() { kill(process, SIGTERM) }
        let deadline = ContinuousClock.now + .seconds(Service.grace)
        while firstStatus == nil || !leftovers().isEmpty, ContinuousClock.now < deadline {
            tap?.copy()
            usleep(10_000)
        }
        let status = firstStatus
        silt_signals_receiver(0)
        // Until it is waited for, no other group can have its number.
        kill(-pid, SIGKILL)
        while waitpid(pid, nil, 0) < 0, errno == EINTR {}
        ended = status ?? 128 + SIGKILL
        // Each may leave others.
        for _ in 0..<100 {
            let rest = leftovers()
            if rest.isEmpty { break }
            for process in rest { kill(process, SIGKILL) }
            usleep(10_000)
        }
        tap?.copy()
    }
}
