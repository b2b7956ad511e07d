internal import CSiltSystem
internal import Glibc
package import SiltPlan
internal import SiltSession

/// A load script under way, which is looked after by whoever calls `advance` often enough.
///
/// Its group is ended with the value.
package final class RunningLoad {
    private let load: LoadScript
    private let pid: pid_t
    private let pipe: Int32
    private let startedAt = ContinuousClock.now
    private var output = OutputBuffer()
    private var counter = RequestCounter()
    private var isOver = false
    /// Every process that had the pipe has closed it.
    private var isSilent = false

    /// Seconds between asking a group to end and killing it.
    private static let grace = 1.0

    init(_ load: LoadScript) throws(HuntError) {
        self.load = load
        var ends: [Int32] = [-1, -1]
        guard silt_output_pipe(&ends) == 0 else { throw .last("pipe2") }
        pipe = ends[0]
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        var start = ProgramStart(["/bin/sh", "-c", load.script])
        start.variables = load.variables
        start.directory = load.workingDirectory
        start.input = nothing
        start.output = ends[1]
        start.errors = ends[1]
        start.ownGroup = true
        defer {
            close(nothing)
            close(ends[1])
        }
        do {
            pid = try start.start()
        } catch {
            pid = -1
            isOver = true
            close(pipe)
            var reason = "\(error)"
            if case .cannotStart(_, let said) = error { reason = said }
            throw .system(call: "/bin/sh" + (load.workingDirectory.map { " in \($0)" } ?? ""), reason: reason)
        }
    }

    deinit {
        guard pid > 0 else { return }
        end()
        close(pipe)
    }

    /// Takes in the output and looks whether the script has ended, without waiting: nil while it runs.
    ///
    /// What it has left running in its group is ended with it. Throws as `LoadScript.run` does; the group is ended then.
    package func advance() throws(HuntError) -> LoadResult? {
        precondition(!isOver, "a load that has ended was advanced")
        readOutput()
        var status: Int32 = 0
        switch silt_has_ended(pid, &status) {
        case 0:
            guard seconds < load.timeoutSeconds else {
                end()
                throw .loadTimedOut(
                    phase: load.phase,
                    round: load.round,
                    seconds: load.timeoutSeconds,
                    output: output.text
                )
            }
            return nil
        case 1: return try result(status: status)
        default:
            let error = HuntError.last("waitid")
            isOver = true
            throw error
        }
    }

    /// Ends the script and all of its group: asks first (SIGTERM), kills what is left after a second.
    package func end() {
        guard !isOver else { return }
        kill(-pid, SIGTERM)
        // A stopped process obeys only once it goes on.
        kill(-pid, SIGCONT)
        let deadline = ContinuousClock.now + .seconds(RunningLoad.grace)
        var status: Int32 = 0
        while silt_has_ended(pid, &status) == 0, ContinuousClock.now < deadline {
            readOutput()
            waitForOutput(milliseconds: 10)
        }
        _ = killAndReap()
        readOutput()
    }

    /// Returns as soon as there is output, or after that time.
    func waitForOutput(milliseconds: Int32) {
        var watched = pollfd(fd: isSilent ? -1 : pipe, events: Int16(POLLIN), revents: 0)
        poll(&watched, 1, milliseconds)
    }

    private var seconds: Double { (ContinuousClock.now - startedAt) / .seconds(1) }

    private func result(status: Int32) throws(HuntError) -> LoadResult {
        let wallSeconds = seconds
        let cpuSeconds = killAndReap()
        readOutput()
        guard status == 0 else {
            throw .loadFailed(phase: load.phase, round: load.round, status: status, output: output.text)
        }
        return LoadResult(
            output: output.text,
            status: status,
            wallSeconds: wallSeconds,
            cpuSeconds: cpuSeconds,
            count: counter.count
        )
    }

    /// Kills what is left of the group and takes the shell's end; returns the CPU seconds it and those it waited for used.
    ///
    /// In this order: until the shell is waited for, no other group can have its number.
    private func killAndReap() -> Double {
        isOver = true
        kill(-pid, SIGKILL)
        var usage = rusage()
        var status: Int32 = 0
        while wait4(pid, &status, 0, &usage) < 0, errno == EINTR {}
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    /// Takes in what is there, more than a pipe holds but no more than 1 MiB: a writer may be as fast as this.
    private func readOutput() {
        var buffer = [UInt8](repeating: 0, count: 65536)
        for _ in 0..<16 where !isSilent {
            let got = read(pipe, &buffer, buffer.count)
            isSilent = got == 0
            guard got > 0 else { return }
            output.add(buffer.prefix(got))
            counter.add(buffer.prefix(got))
        }
    }
}
