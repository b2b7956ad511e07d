internal import CSiltSystem
package import Glibc
internal import SiltSession

/// The program that is hunted, started by silt: a child that leads a process group of its own.
package final class Service {
    package let pid: pid_t
    /// Its output, when the plan waits for a line of it.
    package let tap: OutputTap?
    private var ended: Int32?

    /// Seconds it has to end after SIGTERM.
    private static let grace = 5.0

    /// Starts the plan's command, with the preload library unless `socket` is nil.
    package init(_ plan: HuntPlan, socket: String?) throws {
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
        tap?.closeServiceEnds()
    }

    deinit { stop() }

    /// Its status once it has ended, as a shell reports it; nil while it runs.
    package var status: Int32? {
        if let ended { return ended }
        var status: Int32 = 0
        guard silt_has_ended(pid, &status) != 0 else { return nil }
        return status
    }

    /// Ends it and its group: asks first (SIGTERM), kills what is left after five seconds.
    package func stop() {
        guard ended == nil else { return }
        if status == nil { kill(-pid, SIGTERM) }
        let deadline = ContinuousClock.now + .seconds(Service.grace)
        while status == nil, ContinuousClock.now < deadline {
            tap?.copy()
            usleep(10_000)
        }
        let last = status
        // Until it is waited for, no other group can have its number.
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        ended = last ?? 128 + SIGKILL
        tap?.copy()
    }
}
