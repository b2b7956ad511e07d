internal import CSiltSystem
package import Glibc
internal import SiltShim

/// How a process ended.
package enum ExitStatus: Equatable, Sendable {
    case exited(Int32)
    case signaled(Int32)

    /// What a shell would report: the status, or 128 + signal.
    package var code: Int32 {
        switch self {
        case .exited(let status): status
        case .signaled(let signal): 128 + signal
        }
    }
}

/// Starts the command with the preload library in front of the user's own LD_PRELOAD entries.
///
/// The command keeps the caller's process group, standard descriptors, signal mask and dispositions.
func launch(command: [String], socket: String, freeStacks: Bool) throws -> pid_t {
    let shim = try ShimFile.unpack()
    return try spawn(
        command,
        targetEnvironment(inherited: ownEnvironment(), shim: shim, socket: socket, freeStacks: freeStacks)
    )
}

/// The environment of a command that is traced, as `NAME=value`.
///
/// `SILT_FREE_STACKS` stays what the user set it to, if he did: 0 spares the cost where `freeStacks` asks for it, 1
/// puts the stacks into an event file without being asked.
package func targetEnvironment(
    inherited: [String],
    shim: String,
    socket: String,
    freeStacks: Bool
) -> [String] {
    var environment: [String] = []
    var preload = shim
    for variable in inherited {
        if variable.hasPrefix("LD_PRELOAD=") {
            let theirs = variable.dropFirst("LD_PRELOAD=".count)
            if !theirs.isEmpty { preload += ":" + theirs }
        } else if !variable.hasPrefix("SILT_SOCKET=") && !variable.hasPrefix("SILT_OUT=") {
            environment.append(variable)
        }
    }
    if freeStacks, !inherited.contains(where: { $0.hasPrefix("SILT_FREE_STACKS=") }) {
        environment.append("SILT_FREE_STACKS=1")
    }
    environment.append("LD_PRELOAD=" + preload)
    environment.append("SILT_SOCKET=" + socket)
    return environment
}

/// Starts a program of silt's own, untraced; returns its process id, for waitpid(2).
package func startProcess(_ command: [String]) throws -> pid_t { try spawn(command, ownEnvironment()) }

private func ownEnvironment() -> [String] {
    var environment: [String] = []
    var entry = environ
    while let text = entry.pointee {
        environment.append(String(cString: text))
        entry += 1
    }
    return environment
}

private func spawn(_ command: [String], _ environment: [String]) throws(SessionError) -> pid_t {
    let pid = withCStrings(command) { arguments in
        withCStrings(environment) { silt_spawn(arguments, $0) }
    }
    guard pid > 0 else {
        throw .cannotStart(command: command.first ?? "", reason: String(cString: strerror(errno)))
    }
    return pid
}

/// A child that has ended, with what it and those it waited for used (getrusage(2)).
struct EndedChild {
    var status: ExitStatus
    var cpuNanoseconds: UInt64
    var peakBytes: UInt64
}

/// Takes the end of a child; nil while it runs.
func reap(_ pid: pid_t) -> EndedChild? {
    var status: Int32 = 0
    var usage = rusage()
    guard wait4(pid, &status, WNOHANG, &usage) == pid else { return nil }
    func nanoseconds(_ time: timeval) -> UInt64 { UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_usec) * 1000 }
    let signal = status & 0x7f
    return EndedChild(
        status: signal == 0 ? .exited(status >> 8 & 0xff) : .signaled(signal),
        cpuNanoseconds: nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime),
        peakBytes: UInt64(usage.ru_maxrss) * 1024
    )
}

/// Calls the body with a NULL-terminated array of C strings that live for the call.
private func withCStrings<Result>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    let copies = strings.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    return copies.withUnsafeBufferPointer { buffer in
        // The array has at least its terminating NULL, so it has an address.
        guard let start = buffer.baseAddress else { preconditionFailure("empty argument vector") }
        return body(start)
    }
}
