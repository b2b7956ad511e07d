import Foundation

/// What cannot be done, in words.
struct ConformanceError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// How a program was run, and what came of it.
struct Outcome {
    var output = ""
    var errors = ""
    /// Exit status, or 128 + signal; nil: it did not end in time and was killed.
    var status: Int32?
    /// User and system CPU seconds of it and of what it waited for.
    var cpuSeconds = 0.0
    var elapsedSeconds = 0.0
}

/// A child in a process group of its own, with default signals; its output goes where ours does, or to files.
struct StartedCommand {
    let pid: pid_t
    private let start = ContinuousClock.now

    init(
        _ words: [String],
        environment: [String: String],
        output: String? = nil,
        errors: String? = nil
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        for (descriptor, path) in [(Int32(1), output), (2, errors)] {
            guard let path else { continue }
            posix_spawn_file_actions_addopen(&actions, descriptor, path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var set = sigset_t()
        sigemptyset(&set)
        posix_spawnattr_setsigmask(&attributes, &set)
        sigfillset(&set)
        posix_spawnattr_setsigdefault(&attributes, &set)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(flags))
        let arguments = words.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, words[0], &actions, &attributes, arguments, variables)
        guard failure == 0 else {
            throw ConformanceError("cannot start \(words[0]): \(String(cString: strerror(failure)))")
        }
        self.pid = pid
    }

    /// Waits for its end; kills its process group after that many seconds from now.
    func wait(seconds: Double) -> Outcome {
        let deadline = ContinuousClock.now + .seconds(seconds)
        var outcome = Outcome()
        var raw: Int32 = 0
        var usage = rusage()
        var ended = false
        while !ended, ContinuousClock.now < deadline {
            ended = wait4(pid, &raw, WNOHANG, &usage) == pid
            if !ended { usleep(5000) }
        }
        if ended {
            outcome.status = raw & 0x7f == 0 ? raw >> 8 & 0xff : 128 + raw & 0x7f
        } else {
            kill(-pid, SIGKILL)
            wait4(pid, &raw, 0, &usage)
        }
        outcome.elapsedSeconds = (ContinuousClock.now - start) / .seconds(1)
        for time in [usage.ru_utime, usage.ru_stime] {
            outcome.cpuSeconds += Double(time.tv_sec) + Double(time.tv_usec) * 1e-6
        }
        return outcome
    }
}

/// Where the programs of the matrix are looked for: those of the system first.
let searchPath: String = {
    let own = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    let database = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
    let inherited = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    let folders = database.sorted().suffix(1).map { "/usr/lib/postgresql/\($0)/bin" } + own
    return (folders + inherited.filter { !folders.contains($0) }).joined(separator: ":")
}()

/// Path of a program; nil when it is not installed.
func find(_ program: String) -> String? {
    searchPath.split(separator: ":").map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
}

/// The text of a file, whatever its bytes are; empty when there is none.
func text(of path: String) -> String {
    guard let bytes = FileManager.default.contents(atPath: path) else { return "" }
    return String(decoding: bytes, as: UTF8.self)
}
