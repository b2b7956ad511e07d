internal import Glibc
internal import SiltSystem
internal import SiltText

/// Files of code that a process has loaded since it was first looked at (dlopen(3)), by /proc/PID/maps.
///
/// Handles are numbers that the paths are given.
struct LaterModules {
    private var born: Set<String>?
    private var known: [String: UInt64] = [:]
    private var numbers: [String: UInt64] = [:]
    private var clock = LookClock(share: 100, period: 0.2)

    /// Nil while none is due, or where nothing can be seen; `anyway`: one is due.
    mutating func look(_ pid: pid_t, anyway: Bool) -> FoundThings? {
        guard anyway || clock.isDue else { return nil }
        clock.begin()
        defer { clock.end() }
        guard let maps = FileBytes.read(ifThere: "/proc/\(pid)/maps"), !maps.isEmpty else { return nil }
        let now = Self.files(in: maps)
        guard let born else {
            born = now
            return nil
        }
        var found = FoundThings()
        for (path, number) in known where !now.contains(path) {
            known[path] = nil
            found.gone.append(number)
        }
        for path in now where known[path] == nil && !born.contains(path) {
            let number = numbers[path] ?? UInt64(numbers.count + 1)
            (numbers[path], known[path]) = (number, number)
            found.came.append(number)
        }
        return found
    }

    /// The one that was loaded first, and what the paths of most of them have in common.
    var pattern: (number: UInt64, text: String)? {
        guard let first = known.min(by: { $0.value < $1.value }) else { return nil }
        let folders = Dictionary(grouping: known.keys) { $0.dropLast($0.lastPathComponent.count) }
        let most = folders.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }
        return (first.value, Self.pattern(most?.value ?? [first.key]))
    }

    /// As `/tmp/plugin-*.so`.
    static func pattern(_ paths: [String]) -> String {
        guard var prefix = paths.first.map({ Array($0.utf8) }), paths.count > 1 else { return paths.first ?? "" }
        var suffix = Array(prefix.reversed())
        for path in paths.dropFirst() {
            prefix = zip(prefix, path.utf8).prefix { $0 == $1 }.map(\.0)
            suffix = zip(suffix, path.utf8.reversed()).prefix { $0 == $1 }.map(\.0)
        }
        return String(decoding: prefix, as: UTF8.self) + "*" + String(decoding: suffix.reversed(), as: UTF8.self)
    }

    /// Paths of the files of which something can be executed.
    static func files(in maps: [UInt8]) -> Set<String> {
        var files: Set<String> = []
        for line in maps.split(separator: UInt8(ascii: "\n")) {
            // As `7f0000000000-7f0000001000 r-xp 00000000 08:01 1234   /path`.
            guard let access = line.firstIndex(of: UInt8(ascii: " ")), line.endIndex - access > 4,
                line[access + 3] == UInt8(ascii: "x"), let path = line.firstIndex(of: UInt8(ascii: "/"))
            else { continue }
            files.insert(String(system: line[path...]))
        }
        return files
    }
}
