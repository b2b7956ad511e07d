internal import Glibc
internal import SiltRecording
internal import SiltSystem
internal import SiltText

/// Recordings that nobody named a file for: the last few, in a folder of the user's own, so that a report can be had again.
struct KeptRecordings {
    /// With all recordings that silt keeps by itself; may not be there yet.
    let folder: String

    /// What recordings of `silt demo` are named after: one is kept, and takes no other's place.
    static let demo = "silt-demo"

    private static let maximumCount = 10
    /// All of them together take no more; the newest is kept whatever its size.
    private static let maximumBytes: Int64 = 200_000_000

    /// In the user's state folder (XDG Base Directory Specification); nil for a user without a home.
    init?() {
        let state = Environment.value("XDG_STATE_HOME").flatMap { $0.hasPrefix("/") ? $0 : nil }
        guard let parent = state ?? Self.home.map({ $0 + "/.local/state" }) else { return nil }
        folder = parent + "/silt"
    }

    private static var home: String? {
        if let home = Environment.value("HOME"), home.hasPrefix("/") { return home }
        guard let entry = getpwuid(geteuid()), let path = entry.pointee.pw_dir else { return nil }
        let home = String(system: path)
        return home.hasPrefix("/") ? home : nil
    }

    /// A name for a recording of `program` that begins now; nil, which it says, where the folder cannot be written to.
    func path(for program: String) -> String? {
        let problem = makeFolder()
        guard problem == 0 else {
            Terminal.message(.nothingKept(folder, errorText(problem)))
            return nil
        }
        let known = program.lastPathComponent.unicodeScalars.map { scalar -> Character in
            let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
            return isPlain || "-_.+".unicodeScalars.contains(scalar) ? Character(scalar) : "_"
        }
        return "\(folder)/\(String(known.prefix(64)))-\(Self.now)-\(getpid()).silt"
    }

    /// Local time, so that names are ordered by it.
    private static var now: String {
        var seconds = time(nil)
        var local = tm()
        localtime_r(&seconds, &local)
        var text = [CChar](repeating: 0, count: 32)
        strftime(&text, text.count, "%Y%m%d-%H%M%S", &local)
        return String(system: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
    }

    /// Every folder on the way, for the user alone; an error number where the last is not there or may not be written to.
    private func makeFolder() -> Int32 {
        var path = ""
        for name in folder.split(separator: "/") {
            path += "/" + name
            if mkdir(path.system, 0o700) != 0, errno != EEXIST { break }
        }
        let problem = errno
        guard access(folder.system, W_OK) != 0 else { return 0 }
        return errno == ENOENT ? problem : errno
    }

    /// The one that was written last, perhaps still is; says which one it is.
    static func last() throws -> String {
        let kept = KeptRecordings()
        guard let newest = kept?.all().first?.path else { throw InputError.nothingKept(folder: kept?.folder) }
        Terminal.message(.lastRecording(newest))
        return newest
    }

    /// Newest first.
    var paths: [String] { all().map(\.path) }

    private struct Entry {
        var path: String
        var bytes: Int64
        var changed: timespec
    }

    /// Newest first.
    private func all() -> [Entry] {
        var found: [Entry] = []
        for name in FileBytes.names(in: folder) where name.hasSuffix(".silt") {
            let path = folder + "/" + name
            var status = stat()
            guard lstat(path.system, &status) == 0, status.st_mode & S_IFMT == S_IFREG, isRecordingFile(path) else {
                continue
            }
            found.append(Entry(path: path, bytes: Int64(status.st_size), changed: status.st_mtim))
        }
        return found.sorted { ($0.changed.tv_sec, $0.changed.tv_nsec) > ($1.changed.tv_sec, $1.changed.tv_nsec) }
    }

    /// Removes the oldest of too many; what is being written stays.
    func trim() {
        let entries = all()
        func isDemo(_ entry: Entry) -> Bool { entry.path.dropFirst(folder.count + 1).hasPrefix(Self.demo + "-") }
        var over = Array(entries.filter(isDemo).dropFirst())
        var bytes: Int64 = 0
        for (index, entry) in entries.filter({ !isDemo($0) }).enumerated() {
            bytes += entry.bytes
            if index >= Self.maximumCount || index > 0 && bytes > Self.maximumBytes { over.append(entry) }
        }
        for entry in over where !isRecordingBeingWritten(entry.path) { removeRecording(entry.path) }
    }
}
