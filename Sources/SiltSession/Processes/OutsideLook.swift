internal import CSiltWire
internal import Glibc
internal import SiltSystem

/// Finds processes below the traced ones that never said hello: what a raw system call started, what an untraced process
/// started, what was executed without a word.
///
/// A look goes from parent to child (/proc/PID/task/TID/children), or reads the parent of every process where the kernel
/// has no such file. It costs at most a fiftieth of a CPU: the next one comes after fifty times as long as it took, and
/// not before a second.
struct OutsideLook {
    /// A process that was without the library at the last look, and what it ran.
    private var suspects: [pid_t: String] = [:]
    /// Processes that had the library at the last look and were not known, and what they ran.
    private(set) var silent: [pid_t: String] = [:]
    private(set) var nextAt: Double
    /// A traced process was seen to have the library under the name that is looked for.
    var knowsLibrary = false

    private static let period = 1.0
    private static let share = 50.0
    /// Processes of which the maps are read in one look.
    private static let maximumChecked = 256

    init(at time: Double) { nextAt = time + OutsideLook.period }

    /// What runs without the library since the last look at least: below `roots`, or one of them.
    mutating func find(roots: Set<pid_t>, except known: (pid_t) -> Bool) -> [(pid: pid_t, program: String)] {
        let (began, used) = (Clock.monotonicSeconds, Clock.processCPUNanoseconds)
        defer {
            let cost = Double(Clock.processCPUNanoseconds - used) / 1e9
            nextAt = began + max(OutsideLook.period, OutsideLook.share * cost)
        }
        var found: [(pid: pid_t, program: String)] = []
        var now: [pid_t: String] = [:]
        silent = [:]
        for pid in OutsideLook.descendants(of: roots).filter({ !known($0) }).prefix(OutsideLook.maximumChecked) {
            let isSilent = isPreloaded(pid) == true
            let program = processExecutable(pid) ?? ProcessKin.name(pid) ?? ""
            // Between fork and exec, and before its loader has come so far, nothing can be said.
            guard !program.isEmpty else { continue }
            if isSilent {
                silent[pid] = program
                continue
            }
            if suspects[pid] == program { found.append((pid, program)) } else { now[pid] = program }
        }
        suspects = now
        return found
    }

    /// The roots and what descends from them, this process and its own kin left out.
    private static func descendants(of roots: Set<pid_t>) -> [pid_t] {
        var children: [pid_t: [pid_t]] = [:]
        let listsChildren = access("/proc/self/task/\(getpid())/children", R_OK) == 0
        for process in roots.isEmpty || listsChildren ? [] : ProcessKin.all() {
            children[process.parent, default: []].append(process.pid)
        }
        let own: Set<pid_t> = [getpid(), getppid()]
        var result: [pid_t] = []
        var seen = roots
        var rest = Array(roots)
        while let pid = rest.popLast() {
            if own.contains(pid) || ProcessKin(pid)?.isZombie != false { continue }
            result.append(pid)
            for child in listsChildren ? processChildren(pid) : children[pid] ?? [] where seen.insert(child).inserted {
                rest.append(child)
            }
        }
        return result
    }

    /// Why a running process is not followed, as far as its executable and its owner tell.
    static func reason(of pid: pid_t) -> UntracedReason {
        var status = stat()
        if stat("/proc/\(pid)", &status) == 0, status.st_uid != geteuid(), processExecutable(pid) == nil {
            return .program(SILT_UNTRACED_USER.rawValue)
        }
        switch inspectTarget(command: "/proc/\(pid)/exe").obstacle {
        case .staticallyLinked, .goWithoutLibc: return .program(SILT_UNTRACED_STATIC.rawValue)
        case .thirtyTwoBit: return .program(SILT_UNTRACED_CLASS.rawValue)
        case .otherMachine: return .program(SILT_UNTRACED_MACHINE.rawValue)
        case .muslLibc: return .program(SILT_UNTRACED_LIBC.rawValue)
        case .setuid, .fileCapabilities: return .program(SILT_UNTRACED_RIGHTS.rawValue)
        case .sanitizer: return .program(SILT_UNTRACED_SANITIZER.rawValue)
        case .mallocInside, .notFound, .notExecutable, .directory, .notAProgram, nil:
            return .program(SILT_UNTRACED_ENVIRONMENT.rawValue)
        }
    }
}
