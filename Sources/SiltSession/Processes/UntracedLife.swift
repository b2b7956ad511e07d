internal import Glibc

/// How a process that is not followed lives, as far as it is seen from outside.
struct UntracedLife {
    /// Since the start of the trace.
    private let since: Double
    private(set) var seconds = 0.0
    /// Its resident memory at the first look after `youth`.
    private var firstBytes: UInt64?
    /// By how much that rose since.
    private(set) var grownBytes: UInt64 = 0

    /// Seconds in which a program takes what it needs, whether or not it grows later.
    private static let youth = 1.0

    init(since: Double) { self.since = since }

    /// False when the process has ended.
    mutating func look(_ pid: pid_t, at time: Double) -> Bool {
        guard kill(pid, 0) == 0 || errno == EPERM else { return false }
        let bytes = residentBytes(pid)
        // What has ended and was not waited for yet has a statm of zeros.
        if bytes == 0 { return true }
        seconds = max(seconds, time - since)
        guard let bytes, seconds >= UntracedLife.youth else { return true }
        let first = firstBytes ?? bytes
        firstBytes = first
        grownBytes = max(grownBytes, bytes > first ? bytes - first : 0)
        return true
    }

    /// Takes over what another lived longer or grew more.
    mutating func take(_ other: UntracedLife) {
        seconds = max(seconds, other.seconds)
        grownBytes = max(grownBytes, other.grownBytes)
    }
}
