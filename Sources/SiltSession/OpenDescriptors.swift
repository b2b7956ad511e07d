internal import Glibc
internal import SiltSystem

/// What is open in a process by the kernel's word (/proc/PID/fd, proc_pid_fd(5)), beside what was seen to be opened.
///
/// What is opened by bare system calls, or inside the C library, no hook sees; nor what is closed so.
struct OpenDescriptors {
    struct Found: Equatable {
        /// Numbers that were seen to be opened, and are closed or stand for something else by now.
        var gone: [UInt64] = []
        /// How many are open, and were not seen to be opened.
        var unseen: UInt64 = 0
    }

    /// Why nothing could be seen; nil while all is well.
    private(set) var failure: Int32?
    /// What was open when recording began, nil before that: the program was born with it, or it is silt's own.
    private var born: Set<UInt64>?
    /// What each thing stood for when it was first looked at, by its number.
    private var known: [UInt64: (serial: UInt64, name: String)] = [:]
    /// Numbers that nobody was seen to open, what they stand for, and how many looks in a row have found that.
    private var strange: [UInt64: (name: String, looks: Int)] = [:]
    private var nextAt = 0.0

    /// An opening whose record is on its way is no strange one: these are found in several looks.
    private static let looks = 3
    /// A look may take a fiftieth of a CPU.
    private static let share = 50.0

    /// Remembers what the process has from the start.
    mutating func begin(_ pid: pid_t) {
        guard let names = list(pid) else { return }
        born = Set(names.keys)
    }

    var isDue: Bool { Clock.monotonicSeconds >= nextAt }

    /// Nil when nothing can be seen; `live`: what was seen to be opened, as far as events were read.
    ///
    /// What is opened and closed meanwhile does no harm: a close that is read later, of what is gone already, changes
    /// nothing, and an opening that is read later is that of another thing.
    mutating func look(_ pid: pid_t, live: [UInt64: UInt64]) -> Found? {
        let began = Clock.monotonicSeconds
        guard let names = list(pid) else { return nil }
        var found = Found()
        for (number, serial) in live {
            guard let name = names[number] else {
                found.gone.append(number)
                continue
            }
            if let before = known[number], before.serial == serial {
                if before.name != name { found.gone.append(number) }
            } else {
                known[number] = (serial, name)
            }
        }
        for number in known.keys where live[number] == nil { known[number] = nil }
        // What was opened before the first look may be among them.
        let old = (born ?? Set(names.keys)).filter { names[$0] != nil && live[$0] == nil }
        born = old
        var now: [UInt64: (name: String, looks: Int)] = [:]
        for (number, name) in names where live[number] == nil && !old.contains(number) {
            let before = strange[number]
            now[number] = (name, before?.name == name ? (before?.looks ?? 0) + 1 : 1)
        }
        strange = now
        found.unseen = UInt64(now.values.count { $0.looks >= Self.looks })
        nextAt = began + Self.share * (Clock.monotonicSeconds - began)
        return found
    }

    /// What each open number stands for; nil where nothing can be said.
    ///
    /// A path may change while the file is open: it only counts that it is one. A process that has none at all is about to
    /// end, or its first thread has.
    private mutating func list(_ pid: pid_t) -> [UInt64: String]? {
        let folder = "/proc/\(pid)/fd"
        guard let stream = opendir(folder) else {
            // A process that is gone has none.
            if errno != ENOENT, errno != ESRCH { failure = errno }
            return nil
        }
        defer { closedir(stream) }
        var names: [UInt64: String] = [:]
        var buffer = [CChar](repeating: 0, count: 64)
        while let entry = readdir(stream) {
            let digits = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let number = UInt64(digits) else { continue }
            let length = readlinkat(dirfd(stream), digits, &buffer, buffer.count)
            guard length > 0 else { continue }
            let isPath = buffer[0] == CChar(UInt8(ascii: "/"))
            let bytes = buffer[..<length].map { UInt8(bitPattern: $0) }
            names[number] = isPath ? "/" : String(decoding: bytes, as: UTF8.self)
        }
        return names.isEmpty ? nil : names
    }
}
