import Foundation

/// A program under way (`spawn`).
package final class StartedProgram {
    package let pid: pid_t
    private let command: String
    /// Where programs keep what they want to find again; not the user's who runs the tests.
    private static let state = Result { try ScratchFolder() }
    private var status: Int32?

    /// Starts it with standard input, output and error from and to files; throws when a program that it names is missing.
    package init(
        _ command: [String],
        environment: [String: String] = [:],
        input: String = "/dev/null",
        output: String = "/dev/null",
        errors: String = "/dev/null"
    ) throws {
        self.command = command.joined(separator: " ")
        if let missing = missingProgram(in: command + [environment["LD_PRELOAD"] ?? ""]) {
            throw TestSetupError(description: missing)
        }
        // Recordings are kept as for a user, whatever runs the tests.
        let own = ["PATH": programPath, "XDG_STATE_HOME": try StartedProgram.state.get().path, "CI": ""]
        let variables = ProcessInfo.processInfo.environment.merging(own) { $1 }.merging(environment) { $1 }
        pid = try spawn(
            programFile(command[0]),
            command,
            environment: variables,
            input: input,
            output: output,
            errors: errors
        )
    }

    /// Whether it has not ended yet.
    package var isRunning: Bool {
        var raw: Int32 = 0
        guard status == nil else { return false }
        let ended = waitpid(pid, &raw, WNOHANG)
        if ended == pid {
            let signal = raw & 0x7f
            status = signal == 0 ? raw >> 8 & 0xff : 128 + signal
        } else if ended < 0, errno == ECHILD {
            // Somebody else has waited for it.
            status = -1
        }
        return status == nil
    }

    /// Its exit status, or 128 + signal; after `seconds` the whole process group is killed and this throws.
    package func wait(seconds: Double) throws -> Int32 {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while isRunning {
            guard Date() < deadline else {
                end()
                throw TestSetupError(description: "\(command) did not end within \(seconds) s")
            }
            usleep(2000)
        }
        return status ?? -1
    }

    /// Kills what is left of the process group.
    package func end() {
        kill(-pid, SIGKILL)
        while isRunning { usleep(1000) }
    }
}

/// Starts a program in a process group of its own, with an empty signal mask and default dispositions; its output goes to
/// files, or where ours does.
///
/// Foundation's `Process` starts programs from threads that block most signals, and a program inherits that mask.
package func spawn(
    _ file: String,
    _ command: [String],
    environment: [String: String],
    input: String = "/dev/null",
    output: String?,
    errors: String?
) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
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
    posix_spawnattr_setflags(
        &attributes,
        Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP)
    )
    let words = command.map { strdup($0) } + [nil]
    let entries = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in words + entries { free(text) } }
    var started: pid_t = 0
    let result = posix_spawn(&started, file, &actions, &attributes, words, entries)
    guard result == 0 else {
        throw TestSetupError(description: "\(command.joined(separator: " ")): \(String(cString: strerror(result)))")
    }
    return started
}
