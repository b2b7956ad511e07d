package import Glibc
internal import SiltSystem
internal import SiltText

/// Path of a running process's executable (proc(5)); nil when it may not be read.
package func processExecutable(_ pid: Int32) -> String? { linkTarget("/proc/\(pid)/exe") }

/// What a symbolic link says; nil, with errno, when it may not be read.
func linkTarget(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlink(path, &buffer, buffer.count)
    guard length > 0 else { return nil }
    return String(system: buffer.prefix(length).map { UInt8(bitPattern: $0) })
}

/// A running process's command line as a shell takes it (proc_pid_cmdline(5)); nil when it may not be read, or is empty.
package func processCommand(_ pid: Int32) -> String? {
    guard let bytes = FileBytes.read(ifThere: "/proc/\(pid)/cmdline"), !bytes.isEmpty else { return nil }
    let words = bytes.split(separator: 0, omittingEmptySubsequences: false).map { String(system: $0) }
    return Format.commandLine(bytes.last == 0 ? words.dropLast() : words)
}

/// True when a running process has mapped the preload library; nil when its maps may not be read.
package func isPreloaded(_ pid: Int32) -> Bool? {
    FileBytes.read(ifThere: "/proc/\(pid)/maps").map { maps in
        maps.split(separator: 10).contains { line in
            let name = line.lastIndex(of: UInt8(ascii: "/")).map { line[($0 + 1)...] } ?? line
            return name.starts(with: "libsilt".utf8) && name.suffix(3).elementsEqual(".so".utf8)
        }
    }
}

/// Resident bytes of a running process (proc_pid_statm(5)); nil when it may not be read.
func residentBytes(_ pid: Int32) -> UInt64? {
    guard let bytes = FileBytes.read(ifThere: "/proc/\(pid)/statm") else { return nil }
    let words = bytes.split(separator: UInt8(ascii: " "))
    guard words.count > 1, let pages = UInt64(String(decoding: words[1], as: UTF8.self)) else { return nil }
    return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
}

/// A process as its kin knows it (proc_pid_stat(5)).
package struct ProcessKin: Equatable, Sendable {
    package var pid: pid_t
    package var parent: pid_t
    package var group: pid_t
    package var session: pid_t
    /// It has ended, and nobody has waited for it.
    package var isZombie: Bool

    /// Nil when there is no such process.
    package init?(_ pid: pid_t) {
        guard let words = statWords(pid), words.count > 3, let parent = pid_t(words[1]), let group = pid_t(words[2]),
            let session = pid_t(words[3])
        else { return nil }
        self.pid = pid
        self.parent = parent
        self.group = group
        self.session = session
        isZombie = words[0] == "Z" || words[0] == "X"
    }

    /// What a process is called (proc_pid_comm(5)); nil when that may not be read.
    static func name(_ pid: pid_t) -> String? {
        FileBytes.read(ifThere: "/proc/\(pid)/comm").map { String(system: $0.prefix { $0 != UInt8(ascii: "\n") }) }
    }

    /// The children of this process, in no order.
    package static func ownChildren() -> [ProcessKin] { all().filter { $0.parent == getpid() } }

    /// Every process that can be seen, in no order.
    static func all() -> [ProcessKin] { processNumbers().compactMap { ProcessKin($0) } }
}

/// What proc_pid_stat(5) says behind the name, from the state on; nil when there is no such process.
private func statWords(_ pid: pid_t) -> [String]? {
    // The name stands in parentheses and may hold anything.
    guard let bytes = FileBytes.read(ifThere: "/proc/\(pid)/stat"), let end = bytes.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    return bytes[(end + 1)...].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
}

/// Seconds since a process began (`starttime` of proc_pid_stat(5)); nil when there is none.
func processAge(_ pid: pid_t) -> Double? {
    guard let words = statWords(pid), words.count > 19, let ticks = Double(words[19]) else { return nil }
    var now = timespec()
    clock_gettime(CLOCK_BOOTTIME, &now)
    let uptime = Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    return max(0, uptime - ticks / Double(sysconf(Int32(_SC_CLK_TCK))))
}

/// Every process that can be seen, in no order.
package func processNumbers() -> [pid_t] { FileBytes.names(in: "/proc").compactMap { pid_t($0) } }

/// What becomes of a thread, by /proc/PID/task/TID.
private enum ThreadFate {
    case goesOn
    case ends
    /// By SIGKILL, which each thread of a process is sent when the process is killed, or one of them calls exit_group(2).
    case isKilled

    init(_ pid: Int32, _ tid: UInt32) {
        let task = "/proc/\(pid)/task/\(tid)"
        guard let stat = FileBytes.read(ifThere: task + "/stat"), let status = FileBytes.read(ifThere: task + "/status")
        else {
            self = .ends
            return
        }
        let pending = status.split(separator: 10).first { $0.starts(with: "SigPnd:".utf8) }
            .flatMap { UInt64(String(decoding: $0.dropFirst(8), as: UTF8.self), radix: 16) }
        if (pending ?? 0) >> UInt64(SIGKILL - 1) & 1 == 1 {
            self = .isKilled
            return
        }
        // Behind the name: state, six numbers, flags (proc_pid_stat(5)); PF_EXITING is 4.
        let words = stat[(stat.lastIndex(of: UInt8(ascii: ")")) ?? 0)...].split(separator: UInt8(ascii: " "))
        let flags = words.count > 7 ? UInt64(String(decoding: words[7], as: UTF8.self)) ?? 0 : 0
        let isOver = words.count > 1 && ["Z", "X"].contains(String(decoding: words[1], as: UTF8.self))
        self = isOver || flags & 4 != 0 ? .ends : .goesOn
    }
}

/// Whether a process that has these threads is about to be gone: they go one after the other.
private func isEnding(_ pid: Int32, _ tids: [UInt32]) -> Bool {
    let asked = stride(from: 0, to: tids.count, by: max(1, tids.count / 8)).map { ThreadFate(pid, tids[$0]) }
    return asked.contains(.isKilled) || !asked.contains(.goesOn)
}

/// The tids of the threads that a process has, as they are called there; nil when that cannot be told, or it is ending.
///
/// `target`: the process's own number for itself: another one than `pid` in another pid namespace (pid_namespaces(7)).
func runningThreads(of pid: Int32, as target: UInt32) -> Set<UInt32>? {
    let tids = FileBytes.names(in: "/proc/\(pid)/task").compactMap { UInt32($0) }
    guard !isEnding(pid, tids) else { return nil }
    if UInt32(bitPattern: pid) == target { return Set(tids) }
    var result: Set<UInt32> = []
    for tid in tids {
        guard let status = FileBytes.read(ifThere: "/proc/\(pid)/task/\(tid)/status") else { continue }
        let line = status.split(separator: 10).first { $0.starts(with: "NSpid:".utf8) }
        let last = line?.split { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }.last
        guard let own = last.flatMap({ UInt32(String(decoding: $0, as: UTF8.self)) }) else { return nil }
        result.insert(own)
    }
    return result
}

/// The children that the threads of a process have started, or were given (proc_pid_task(5)).
func processChildren(_ pid: Int32) -> [Int32] {
    var result: [Int32] = []
    for thread in FileBytes.names(in: "/proc/\(pid)/task") {
        guard let bytes = FileBytes.read(ifThere: "/proc/\(pid)/task/\(thread)/children") else { continue }
        result += bytes.split(separator: UInt8(ascii: " ")).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
    }
    return result
}

/// The largest resident size this process has had (VmHWM of proc_pid_status(5)); 0 when it cannot be read.
///
/// Not ru_maxrss: that remembers the process that was here before exec.
func ownPeakBytes() -> UInt64 {
    guard let bytes = FileBytes.read(ifThere: "/proc/self/status") else { return 0 }
    for line in bytes.split(separator: 10) where line.starts(with: Array("VmHWM:".utf8)) {
        let digits = line.filter { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        return (UInt64(String(decoding: digits, as: UTF8.self)) ?? 0) * 1024
    }
    return 0
}
