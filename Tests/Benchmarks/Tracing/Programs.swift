import Foundation

/// A program to be run, with what it reads and where its output goes.
struct Command {
    var words: [String]
    /// Variables on top of those of this process.
    var environment: [String: String] = [:]
    /// Standard input; /dev/null when nil.
    var input: String?
    /// Standard output.
    var output = "/dev/null"
    /// Standard error; that of this process when nil.
    var errors: String?
}

/// What a process and those it waited for used, as wait4(2) says.
struct Usage {
    var cpuSeconds: Double
    /// Of the process's main thread alone (/proc/PID/schedstat).
    var ownSeconds: Double
    var elapsedSeconds: Double
    /// The largest of them (ru_maxrss).
    var peakBytes: Int
    /// Exit status, or 128 + signal.
    var status: Int32
}

/// What cannot be measured, in words.
struct BenchmarkError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// A child that was started and has not been waited for.
struct RunningProgram {
    fileprivate let pid: pid_t
    private let startedAt: Double

    /// Starts the command, its first word searched on PATH.
    init(_ command: Command) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, command.input ?? "/dev/null", O_RDONLY, 0)
        let create = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 1, command.output, create, 0o600)
        if let errors = command.errors { posix_spawn_file_actions_addopen(&actions, 2, errors, create, 0o600) }
        let environment = ProcessInfo.processInfo.environment.merging(command.environment) { $1 }
        var arguments = command.words.map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var pid: pid_t = 0
        startedAt = monotonicSeconds()
        let failure = posix_spawnp(&pid, command.words[0], &actions, nil, &arguments, &variables)
        guard failure == 0 else {
            throw BenchmarkError("cannot start \(command.words[0]): \(String(cString: strerror(failure)))")
        }
        self.pid = pid
    }

    /// Waits for its end.
    func wait() throws -> Usage {
        var info = siginfo_t()
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        let elapsed = monotonicSeconds() - startedAt
        // A zombie's own time is still there to be read; what it waited for is not in it.
        let own = (try? String(contentsOfFile: "/proc/\(pid)/schedstat", encoding: .utf8))
            .flatMap { $0.split(separator: " ").first }.flatMap { Double($0) }
        guard let own else { throw BenchmarkError("this kernel has no /proc/PID/schedstat") }
        var status: Int32 = 0
        var usage = rusage()
        guard wait4(pid, &status, 0, &usage) == pid else { throw BenchmarkError("wait4 failed") }
        let signal = status & 0x7f
        return Usage(
            cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
            ownSeconds: own / 1e9,
            elapsedSeconds: elapsed,
            peakBytes: usage.ru_maxrss * 1024,
            status: signal == 0 ? status >> 8 & 0xff : 128 + signal
        )
    }
}

extension Command {
    /// Runs the command to its end; throws when it does not succeed.
    @discardableResult
    func run() throws -> Usage {
        let usage = try RunningProgram(self).wait()
        guard usage.status == 0 else {
            throw BenchmarkError("\(words.joined(separator: " ")) ended with status \(usage.status)")
        }
        return usage
    }
}

/// Path of a program on PATH; nil when it is not installed.
func find(_ program: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(program)" }
        .first { access($0, X_OK) == 0 }
}

/// Seconds of CLOCK_MONOTONIC.
func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

private func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }

/// CPU seconds that all processes of the machine have used (proc_stat(5)).
func machineSeconds() -> Double {
    let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8)
    guard let line = text?.split(separator: "\n").first else { return 0 }
    let ticks = line.split(separator: " ").dropFirst().compactMap { Double($0) }
    guard ticks.count >= 8 else { return 0 }
    // user, nice, system, irq, softirq, steal; not idle and iowait.
    return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) / Double(sysconf(Int32(_SC_CLK_TCK)))
}
