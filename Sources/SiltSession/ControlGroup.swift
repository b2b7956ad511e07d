internal import Glibc
internal import SiltSystem

/// Bytes that the kernel lets a process's control group use, the smallest of its own and its parents' (cgroups(7)); nil when
/// there is no limit, or none can be read.
func controlGroupLimit(_ pid: Int32) -> UInt64? {
    guard let bytes = FileBytes.read(ifThere: "/proc/\(pid)/cgroup") else { return nil }
    var minimum: UInt64?
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
        // hierarchy:controllers:path; version 2 has no controllers.
        let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { continue }
        let root: String
        let file: String
        if parts[1].isEmpty {
            (root, file) = ("/sys/fs/cgroup", "memory.max")
        } else if parts[1].split(separator: ",").contains("memory") {
            (root, file) = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
        } else {
            continue
        }
        for directory in ancestors(String(parts[2])) {
            guard let text = FileBytes.read(ifThere: root + directory + "/" + file) else { continue }
            let word = String(decoding: text, as: UTF8.self).filter { !$0.isNewline }
            // "max", or in version 1 a number beyond all memory, is no limit.
            guard let limit = UInt64(word), limit < 1 << 60 else { continue }
            minimum = min(minimum ?? limit, limit)
        }
    }
    return minimum
}

/// `/a/b` and what is above it: `/a/b`, `/a`, and the root as "".
private func ancestors(_ path: String) -> [String] {
    var result: [String] = []
    var rest = path.hasPrefix("/") ? path : "/" + path
    while rest.count > 1 {
        result.append(rest)
        guard let slash = rest.lastIndex(of: "/") else { break }
        rest = String(rest[..<slash])
    }
    return result + [""]
}
