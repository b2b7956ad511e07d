internal import Glibc

/// Standard output leads to standard error until `end`, for this process and those that it starts.
struct OutputToErrors {
    private let saved: Int32

    init() {
        saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
        if saved >= 0 { dup2(STDERR_FILENO, STDOUT_FILENO) }
    }

    func end() {
        guard saved >= 0 else { return }
        dup2(saved, STDOUT_FILENO)
        close(saved)
    }
}
