internal import CSiltSystem
package import Glibc
internal import SiltRecording
package import SiltSymbols
internal import SiltSystem
internal import SiltText

/// What `doctor` finds out about a running process; nothing of it is touched.
package struct ProcessInspection: Sendable {
    package enum Tracing: Equatable, Sendable {
        /// Started without the preload library.
        case none
        case traced(recording: String)
        /// The library is there and nobody records.
        case silent(why: String)
        /// Its environment asks for the library, which was not loaded.
        case notLoaded(library: String)
    }

    package let pid: pid_t
    /// As a shell takes it; nil when it may not be read.
    package var command: String?
    package var program: TargetInspection
    package var tracing = Tracing.none
    /// Another user than the one who asks.
    package var otherUser: String?
    /// Namespaces that it does not share with this process: mnt, pid, user.
    package var ownNamespaces: [String] = []
    /// Its root folder, where that is not this process's.
    package var otherRoot: String?
    /// The unit of the service manager that it belongs to.
    package var unit: String?
    /// Process that looks at it by ptrace(2).
    package var debugger: pid_t?
    package var interpreter: Interpreter?

    /// Why nothing can be said of a process.
    package enum Unreadable: Error, Equatable, CustomStringConvertible {
        case notThere(pid_t)
        case ended(pid_t)
        case kernelThread(pid_t)
        case otherUsers(pid_t, user: String, isRoot: Bool)

        package var description: String {
            switch self {
            case .notThere(let pid): "no process \(pid)"
            case .ended(let pid): "process \(pid) has ended and waits for its parent"
            case .kernelThread(let pid): "process \(pid) is a thread of the kernel: it has no heap"
            case .otherUsers(let pid, let user, let isRoot):
                "process \(pid) of user \(user) may not be looked at: "
                    + (isRoot
                        ? "even root needs the capability CAP_SYS_PTRACE for it, which containers take away"
                        : "ask as root, and not from inside a container")
            }
        }
    }

    package init(_ pid: pid_t) throws(Unreadable) {
        guard let kin = ProcessKin(pid) else { throw .notThere(pid) }
        if kin.isZombie { throw .ended(pid) }
        let facts = ProcessStatus(FileBytes.read(ifThere: "/proc/\(pid)/status") ?? [])
        guard let executable = processExecutable(pid) else {
            if errno == EACCES || errno == EPERM {
                let user = ProcessInspection.userName(facts.user ?? uid_t.max)
                throw .otherUsers(pid, user: user, isRoot: geteuid() == 0)
            }
            throw .kernelThread(pid)
        }
        self.pid = pid
        command = processCommand(pid)
        program = inspectTarget(command: "/proc/\(pid)/exe")
        program.executable = executable
        if let user = facts.user, user != geteuid() { otherUser = ProcessInspection.userName(user) }
        debugger = facts.debugger
        ownNamespaces = ["mnt", "pid", "user"].filter { ProcessInspection.isOwn($0, pid) }
        otherRoot = linkTarget("/proc/\(pid)/root").flatMap { $0 == "/" ? nil : $0 }
        unit = serviceUnit(cgroup: FileBytes.read(ifThere: "/proc/\(pid)/cgroup") ?? [])
        interpreter = ProcessInspection.interpreter(of: pid, executable)
        tracing = ProcessInspection.tracing(of: pid)
    }

    private static func isOwn(_ namespace: String, _ pid: pid_t) -> Bool {
        guard let own = linkTarget("/proc/self/ns/\(namespace)"), let its = linkTarget("/proc/\(pid)/ns/\(namespace)")
        else {
            return false
        }
        return own != its
    }

    private static func userName(_ user: uid_t) -> String {
        getpwuid(user).map { String(cString: $0.pointee.pw_name) } ?? String(user)
    }

    /// By its program, or else by a library: of a server that runs scripts.
    private static func interpreter(of pid: pid_t, _ executable: String) -> Interpreter? {
        if let found = Interpreter(file: executable) { return found }
        for line in (FileBytes.read(ifThere: "/proc/\(pid)/maps") ?? []).split(separator: 10) {
            guard let start = line.firstIndex(of: UInt8(ascii: "/")) else { continue }
            let path = String(system: line[start...])
            if path.contains(".so"), let found = Interpreter(file: path) { return found }
        }
        return nil
    }

    private static func tracing(of pid: pid_t) -> Tracing {
        let variables = LiveTrace.variables(of: pid) ?? [:]
        guard isPreloaded(pid) == true else {
            let libraries = (variables["LD_PRELOAD"] ?? "").split { $0 == ":" || $0 == " " }.map(String.init)
            let asked = libraries.first { $0.lastPathComponent.hasPrefix("libsilt") }
            return asked.map { Tracing.notLoaded(library: $0) } ?? .none
        }
        do {
            let trace = try LiveTrace(pid: pid)
            let path = trace.recording
            if variables["SILT_SOCKET"] != nil || isRecordingBeingWritten(path) { return .traced(recording: path) }
            guard access(path.system, F_OK) == 0 else {
                return .silent(why: "there is no \(path); is silt beside the library, on its PATH or in its SILT_BIN?")
            }
            return .silent(why: "its recording \(path) has ended")
        } catch {
            guard variables["SILT_SOCKET"] == nil else { return .silent(why: "the trace it was started for has ended") }
            return .silent(why: "neither SILT_OUT nor SILT_SOCKET was set when it started")
        }
    }
}

/// Lines of proc_pid_status(5).
struct ProcessStatus: Equatable {
    /// The effective one.
    var user: uid_t?
    var debugger: pid_t?
    var threads: UInt64 = 0
    /// False when it ends: its memory goes before it does.
    var hasMemory = false
    var swappedBytes: UInt64 = 0
    /// Resident, of tmpfs, memfd and System V.
    var sharedBytes: UInt64 = 0

    init(_ bytes: [UInt8]) {
        for line in bytes.split(separator: 10) {
            let words = line.split { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }
                .map { String(decoding: $0, as: UTF8.self) }
            switch words.first {
            case "Uid:" where words.count > 2: user = uid_t(words[2])
            case "TracerPid:" where words.count > 1: debugger = pid_t(words[1]).flatMap { $0 == 0 ? nil : $0 }
            case "Threads:" where words.count > 1: threads = UInt64(words[1]) ?? 0
            case "VmRSS:": hasMemory = true
            case "VmSwap:" where words.count > 1: swappedBytes = (UInt64(words[1]) ?? 0) << 10
            case "RssShmem:" where words.count > 1: sharedBytes = (UInt64(words[1]) ?? 0) << 10
            default: break
            }
        }
    }
}

/// The systemd unit of a service by its control group (proc_pid_cgroup(5)): the innermost part that ends in .service.
///
/// nil: none, or a user's session, whose unit is not what starts its programs.
func serviceUnit(cgroup bytes: [UInt8]) -> String? {
    for line in bytes.split(separator: 10) {
        let parts = line.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
        if let unit = parts.last(where: { $0.hasSuffix(".service") }), !unit.hasPrefix("user@") { return unit }
    }
    return nil
}
