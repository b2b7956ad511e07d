internal import CSiltWire
internal import Glibc
internal import SiltRecording

/// Why a program is not followed.
enum UntracedReason: Equatable {
    case program(UInt32)
    /// In words that the shim's own refusal gave.
    case refusal(String)

    /// Nil for a number that this silt does not know.
    init?(raw: UInt32) {
        guard UntracedReason.words[raw] != nil else { return nil }
        self = .program(raw)
    }

    var text: String {
        switch self {
        case .program(let raw): UntracedReason.words[raw] ?? ""
        case .refusal(let words): words
        }
    }

    /// `enum silt_refusal` in words.
    private static let words: [UInt32: String] = [
        SILT_UNTRACED_STATIC.rawValue: "statically linked",
        SILT_UNTRACED_CLASS.rawValue: "32-bit",
        SILT_UNTRACED_MACHINE.rawValue: "for another machine",
        SILT_UNTRACED_LIBC.rawValue: "another C library, or another copy of it",
        SILT_UNTRACED_RIGHTS.rawValue: "setuid or with capabilities",
        SILT_UNTRACED_USER.rawValue: "another user",
        SILT_UNTRACED_ROOT.rawValue: "the preload library is not visible there",
        SILT_UNTRACED_SANITIZER.rawValue: "a sanitizer's runtime must come first",
        SILT_UNTRACED_VALGRIND.rawValue: "runs under valgrind",
        SILT_UNTRACED_ENVIRONMENT.rawValue: "its environment was emptied",
        SILT_UNTRACED_PRELOAD.rawValue: "its LD_PRELOAD does not name silt's library",
        SILT_UNTRACED_SOCKET.rawValue: "the analyzer's socket is not visible there",
        SILT_UNTRACED_NAMELESS.rawValue: "SILT_SOCKET was taken out of its environment",
    ]
}

/// What traced processes became or started, and what is not followed.
///
/// Bounded: programs beyond `maximumPrograms` share one row, processes beyond `maximumProcesses` are counted and not watched.
struct UntracedPrograms {
    private struct Key: Hashable {
        var program: String
        var reason: String
        var became: String
    }

    private struct Process {
        var key: Key
        var life: UntracedLife
    }

    private var rows: [Key: RecordedUntraced] = [:]
    /// Those that may still run.
    private var processes: [pid_t: Process] = [:]
    /// Processes that run a traced program and never said hello: fork children that cannot, or have allocated nothing yet.
    private var silent: [pid_t: (program: String, life: UntracedLife)] = [:]
    /// How the longest and the most growing silent one of a program lived.
    private var silentLives: [String: UntracedLife] = [:]
    /// Something was added since the last look.
    private(set) var isChanged = false

    private static let maximumPrograms = 256
    private static let maximumProcesses = 4096

    var isEmpty: Bool { rows.isEmpty }

    /// For the recording: those that lived longest first.
    var recorded: [RecordedUntraced] {
        rows.values.filter { $0.processes > 0 }.sorted { ($0.seconds, $0.processes) > ($1.seconds, $1.processes) }
    }

    /// Those that still ran at the last look.
    var running: [pid_t] { Array(processes.keys) }

    /// What a process is known to be; nil when it is not among them.
    func program(of pid: pid_t) -> String? { processes[pid]?.key.program }

    /// `pid` 0: not known.
    mutating func add(pid: pid_t, program: String, reason: UntracedReason, became: String, at time: Double) {
        let key = count(1, Key(program: program, reason: reason.text, became: became))
        if pid > 0, processes.count < UntracedPrograms.maximumProcesses {
            processes[pid] = Process(key: key, life: UntracedLife(since: time))
        }
    }

    /// Fork children of a traced program, of which nothing but their number is known.
    mutating func add(children: UInt64, of program: String, reason: UntracedReason) {
        // The number lies in the memory of the target, which may write anything there.
        let key = count(min(children, UInt64(UInt32.max)), Key(program: program, reason: reason.text, became: ""))
        if let life = silentLives[program] { note(life, of: key) }
    }

    /// A silent process was seen.
    mutating func watch(silent pid: pid_t, program: String, at time: Double) {
        guard silent[pid] == nil, silent.count < UntracedPrograms.maximumProcesses else { return }
        silent[pid] = (program, UntracedLife(since: time))
    }

    /// A process said hello: what it was before has executed it.
    mutating func isTraced(pid: pid_t, parent: pid_t) {
        silent[pid] = nil
        if let above = processes[parent] { note(starter: parent, of: above.key) }
        if let before = processes.removeValue(forKey: pid) { note(starter: pid, of: before.key) }
    }

    private mutating func note(starter pid: pid_t, of key: Key) {
        rows[key]?.starterPid = UInt32(bitPattern: pid)
        isChanged = true
    }

    /// Returns the row that they are counted in.
    private mutating func count(_ processes: UInt64, _ wanted: Key) -> Key {
        var key = wanted
        if rows[key] == nil, rows.count >= UntracedPrograms.maximumPrograms {
            key = Key(program: "other programs", reason: "not named one by one", became: "")
        }
        rows[key, default: RecordedUntraced(program: key.program, reason: key.reason)].became = key.became
        rows[key]?.processes += processes
        isChanged = true
        return key
    }

    /// The process did not become what it was said to become.
    mutating func takeBack(pid: pid_t) {
        guard let process = processes.removeValue(forKey: pid) else { return }
        rows[process.key]?.processes -= 1
        isChanged = true
    }

    /// Sees which of them still run.
    mutating func look(at time: Double) {
        for (pid, process) in processes {
            var life = process.life
            guard life.look(pid, at: time) else {
                processes[pid] = nil
                continue
            }
            processes[pid]?.life = life
            note(life, of: process.key)
        }
        for (pid, process) in silent {
            var life = process.life
            guard life.look(pid, at: time) else {
                silent[pid] = nil
                continue
            }
            silent[pid] = (process.program, life)
            silentLives[process.program, default: life].take(life)
        }
    }

    private mutating func note(_ life: UntracedLife, of key: Key) {
        guard let row = rows[key], life.seconds > row.seconds || life.grownBytes > row.grownBytes else { return }
        rows[key]?.seconds = max(row.seconds, life.seconds)
        rows[key]?.grownBytes = max(row.grownBytes, life.grownBytes)
        isChanged = true
    }

    mutating func isWritten() { isChanged = false }
}
