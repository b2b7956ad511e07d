internal import CSiltSystem
internal import Glibc
internal import SiltSystem
internal import SiltText

/// The program whose preload library started this analyzer, which lives in its unit or container and takes of its memory.
final class Starter {
    private let pid: pid_t
    private let pidfd: Int32
    private let executable: String?
    private var isGone: Bool
    /// Resident bytes at which the recording ends.
    let memoryLimit: UInt64
    private var lookedAt = 0.0

    /// The program waits until this process is ready, so that the id is still its own.
    init(_ pid: pid_t) {
        self.pid = pid
        executable = processExecutable(pid)
        pidfd = pid > 0 ? silt_pidfd(pid) : -1
        isGone = pid <= 0 || (pidfd < 0 && errno == ESRCH)
        let all = ControlGroup(of: getpid())?.limit ?? Starter.installedMemory
        let asked = Environment.value("SILT_MEMORY_MIB").flatMap { UInt64($0) }
        memoryLimit = asked.map { $0 << 20 } ?? max(Starter.minimumMemory, all / Starter.share)
    }

    deinit { if pidfd >= 0 { close(pidfd) } }

    /// An eighth of what the control group may use, or of the machine: beyond that it is silt that fills it.
    private static let share: UInt64 = 8
    /// An analyzer with its symbols takes some 60 MiB.
    private static let minimumMemory: UInt64 = 128 << 20

    private static var installedMemory: UInt64 {
        UInt64(max(0, sysconf(Int32(_SC_PHYS_PAGES)))) * UInt64(max(0, sysconf(Int32(_SC_PAGESIZE))))
    }

    /// What the program ran when it started this process; nil for another process.
    func executable(of process: pid_t) -> String? { process == pid ? executable : nil }

    var hasEnded: Bool {
        if isGone { return true }
        if pidfd < 0 { return kill(pid, 0) != 0 && errno == ESRCH }
        var state = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        isGone = poll(&state, 1, 0) > 0
        return isGone
    }

    /// True once this process is larger than it may get; looked at four times a second.
    var isMemoryUsedUp: Bool {
        let now = Clock.monotonicSeconds
        guard now - lookedAt > 0.25 else { return false }
        lookedAt = now
        return (residentBytes(getpid()) ?? 0) > memoryLimit
    }

    /// When memory runs out the kernel is to take this process rather than the program (proc_pid_oom_score_adj(5)).
    ///
    /// Half of all memory is added to what it is charged with, not more: a program that fills its limit by itself is the
    /// one that the kernel would have chosen without silt, and how it came there is what the recording is for.
    func yieldMemory() {
        let path = "/proc/self/oom_score_adj"
        guard let bytes = FileBytes.read(ifThere: path),
            let now = Int(String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace })
        else { return }
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let text = Array("\(min(1000, now + 500))".utf8)
        _ = write(descriptor, text, text.count)
    }
}
