internal import Glibc

/// Which file a process executes, whatever its name is by now (/proc/PID/exe, proc_pid_exe(5)).
struct ProgramFile: Equatable {
    private let device: UInt
    private let inode: UInt

    /// Nil where it cannot be seen, as of a process that has ended.
    init?(of pid: pid_t) {
        var status = stat()
        guard stat("/proc/\(pid)/exe", &status) == 0 else { return nil }
        (device, inode) = (UInt(status.st_dev), UInt(status.st_ino))
    }
}
