internal import CSiltSystem
package import Glibc
internal import SiltShim
internal import SiltText

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

/// A program about to be started; unless said otherwise it gets the caller's environment, directory, descriptors, process
/// group, signal mask and dispositions.
///
/// Words, variables and the directory are those of `String(system:)`: what is not UTF-8 reaches the program as it is.
package struct ProgramStart {
    package var command: [String]
    /// Set or replaced in the environment; "" removes.
    package var variables: [String: String] = [:]
    /// Where it runs; nil: where the caller does.
    package var directory: String?
    /// Descriptors for its standard input, output and error; -1: the caller's.
    package var input: Int32 = -1
    package var output: Int32 = -1
    package var errors: Int32 = -1
    /// Leads a process group of its own, and gets SIGTERM when the starting thread ends.
    package var ownGroup = false

    package init(_ command: [String]) { self.command = command }

    /// Puts the preload library in front of the user's own LD_PRELOAD entries; events go to that socket.
    ///
    /// Behind them when one is the runtime of a sanitizer, which ends a program where it is not the first library.
    /// `freeStacks`: frees carry their stack as well, unless the user says otherwise: a `SILT_FREE_STACKS` of his own
    /// stays, 0 to spare the cost, 1 to have the stacks in an event file without being asked.
    package mutating func trace(socket: String, freeStacks: Bool = false) throws {
        let theirs = variables["LD_PRELOAD"] ?? Environment.value("LD_PRELOAD") ?? ""
        let ours = try ShimFile.unpack()
        let names = theirs.split { $0 == ":" || $0 == " " }
        if names.contains(where: isSanitizerRuntime) {
            variables["LD_PRELOAD"] = theirs + ":" + ours
        } else {
            variables["LD_PRELOAD"] = ours + (theirs.isEmpty ? "" : ":" + theirs)
        }
        variables["SILT_SOCKET"] = socket
        variables["SILT_OUT"] = ""
        if freeStacks, variables["SILT_FREE_STACKS"] == nil, Environment.value("SILT_FREE_STACKS") == nil {
            variables["SILT_FREE_STACKS"] = "1"
        }
    }

    /// Starts it; returns its process id, for waitpid(2).
    package func start() throws(SessionError) -> pid_t {
        let pid = withCStrings(command.map(\.systemBytes)) { arguments in
            withCStrings(environment) { variables in
                withCString(directory) { directory in
                    var start = silt_start(
                        directory: directory,
                        input: input,
                        output: output,
                        errors: errors,
                        own_group: ownGroup ? 1 : 0
                    )
                    return silt_spawn_as(arguments, variables, &start)
                }
            }
        }
        guard pid > 0 else {
            throw .cannotStart(command: command.first ?? "", reason: errorText(errno))
        }
        return pid
    }

    /// This process becomes the program, untraced; returns only by throwing.
    package func become() throws(SessionError) -> Never {
        withCStrings(command.map(\.systemBytes)) { arguments in
            withCStrings(environment) { silt_execute(arguments, $0) }
        }
        throw .cannotStart(command: command.first ?? "", reason: errorText(errno))
    }

    /// Byte for byte what the caller has, except for `variables`.
    private var environment: [[UInt8]] {
        let changed = Set(variables.keys.map(\.systemBytes))
        let kept = Environment.entries.filter { !changed.contains(Array($0.prefix { $0 != UInt8(ascii: "=") })) }
        return kept + variables.filter { !$0.value.isEmpty }.map { "\($0.key)=\($0.value)".systemBytes }
    }
}

/// As `silt_is_sanitizer` of the shim.
private func isSanitizerRuntime(_ library: Substring) -> Bool {
    let name = library.split(separator: "/").last ?? ""
    return ["asan", "tsan", "hwasan"].contains { name.hasPrefix("lib\($0).so") || name.hasPrefix("libclang_rt.\($0)") }
}

/// Starts the command with the preload library.
func launch(command: [String], socket: String) throws -> pid_t {
    var start = ProgramStart(command)
    try start.trace(socket: socket)
    return try start.start()
}

/// Starts a program of silt's own, untraced; returns its process id, for waitpid(2).
package func startProcess(_ command: [String]) throws -> pid_t { try ProgramStart(command).start() }

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
    _ strings: [[UInt8]],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    let copies =
        strings.map { text -> UnsafeMutablePointer<CChar>? in
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: text.count + 1)
            for (index, byte) in text.enumerated() { copy[index] = CChar(bitPattern: byte) }
            copy[text.count] = 0
            return copy
        } + [nil]
    defer { for copy in copies { copy?.deallocate() } }
    return copies.withUnsafeBufferPointer { buffer in
        // The array has at least its terminating NULL, so it has an address.
        guard let start = buffer.baseAddress else { preconditionFailure("empty argument vector") }
        return body(start)
    }
}

/// Calls the body with a C string, or NULL for nil.
private func withCString<Result>(_ string: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let string else { return body(nil) }
    return string.system.withUnsafeBufferPointer { body($0.baseAddress) }
}
