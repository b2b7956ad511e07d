internal import Glibc
internal import SiltSystem

/// The control group with the smallest limit of memory, of those that a process is in (cgroups(7)).
struct ControlGroup: Equatable {
    /// Bytes that the kernel lets it use.
    let limit: UInt64
    private let directory: String
    private let files: Files

    /// What the two versions call the same.
    private struct Files: Equatable {
        let root: String
        let limit: String
        let used: String
        /// Keys of memory.stat: the page cache, and what of it is no file's on a disk.
        let cache: String
        let shared: String

        static let version1 = Files(
            root: "/sys/fs/cgroup/memory",
            limit: "memory.limit_in_bytes",
            used: "memory.usage_in_bytes",
            cache: "total_cache",
            shared: "total_shmem"
        )
        static let version2 = Files(
            root: "/sys/fs/cgroup",
            limit: "memory.max",
            used: "memory.current",
            cache: "file",
            shared: "shmem"
        )
    }

    /// Nil when there is no limit, or none can be read.
    init?(of pid: Int32) {
        guard let bytes = FileBytes.read(ifThere: "/proc/\(pid)/cgroup") else { return nil }
        var minimum: (limit: UInt64, directory: String, files: Files)?
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            // hierarchy:controllers:path; version 2 has no controllers.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            guard parts[1].isEmpty || parts[1].split(separator: ",").contains("memory") else { continue }
            let files = parts[1].isEmpty ? Files.version2 : .version1
            for group in ancestors(String(parts[2])) {
                let directory = files.root + group + "/"
                guard let text = FileBytes.read(ifThere: directory + files.limit) else { continue }
                let word = String(decoding: text, as: UTF8.self).filter { !$0.isNewline }
                // "max", or in version 1 a number beyond all memory, is no limit.
                guard let limit = UInt64(word), limit < 1 << 60 else { continue }
                if limit < minimum?.limit ?? .max { minimum = (limit, directory, files) }
            }
        }
        guard let minimum else { return nil }
        (limit, directory, files) = minimum
    }

    /// What it uses, and what of that is the page cache of files, which the kernel takes back when memory is short.
    var use: (all: UInt64, cache: UInt64)? {
        guard let text = FileBytes.read(ifThere: directory + files.used),
            let all = UInt64(String(decoding: text, as: UTF8.self).filter { !$0.isNewline })
        else { return nil }
        var (cache, shared) = (UInt64(0), UInt64(0))
        let stat = FileBytes.read(ifThere: directory + "memory.stat") ?? []
        for line in String(decoding: stat, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, let value = UInt64(words[1]) else { continue }
            if words[0] == files.cache { cache = value }
            if words[0] == files.shared { shared = value }
        }
        return (all, cache > shared ? cache - shared : 0)
    }
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
