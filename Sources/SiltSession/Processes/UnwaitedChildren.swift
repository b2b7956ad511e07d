internal import Glibc
internal import SiltSystem

/// Children of a process that have ended and that it has not waited for (wait(2)): they stay in the table of processes.
///
/// A process that ignores SIGCHLD has none. Handles are their pids.
struct UnwaitedChildren {
    /// Since when each is known, by the monotonic clock.
    private var known: [pid_t: Double] = [:]
    private var clock = LookClock(share: 50)

    /// The one that is known longest, and since when.
    var oldest: (pid: pid_t, since: Double)? {
        known.min { ($0.value, $0.key) < ($1.value, $1.key) }.map { ($0.key, $0.value) }
    }

    /// Nil while none is due; `anyway`: one is.
    mutating func look(_ pid: pid_t, anyway: Bool) -> FoundThings? {
        guard anyway || clock.isDue else { return nil }
        clock.begin()
        let now = Clock.monotonicSeconds
        let children = Set(processChildren(pid))
        var found = FoundThings()
        for child in known.keys where !children.contains(child) {
            known[child] = nil
            found.gone.append(UInt64(child))
        }
        for child in children where known[child] == nil && Self.hasEnded(child, parent: pid) {
            known[child] = now
            found.came.append(UInt64(child))
        }
        clock.end()
        return found
    }

    /// A process whose first thread alone has ended looks like one that has.
    private static func hasEnded(_ child: pid_t, parent: pid_t) -> Bool {
        guard let kin = ProcessKin(child), kin.isZombie, kin.parent == parent else { return false }
        return FileBytes.names(in: "/proc/\(child)/task").count { pid_t($0) != nil } == 1
    }
}
