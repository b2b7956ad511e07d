internal import CSiltSystem
internal import Glibc
internal import SiltSystem
internal import SiltText

/// Which files processes have loaded: paths alone do not say that.
///
/// A path may name another file by the time that names are read, or none that this process could open: what a process
/// hands over, or what can be opened only through it while it lives, is kept open. So is what lies on a mount that may be
/// gone by then, as a copy in memory: a file that is held open would keep the mount busy.
final class LoadedFiles {
    /// A file as it was when it was seen to be loaded.
    struct Identity: Hashable {
        private let device: UInt64
        private let inode: UInt64
        private let size: Int
        private let modified: Int64

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
            size = Int(status.st_size)
            modified = nanoseconds(status.st_mtim)
        }
    }

    private var held: [String: [OpenFile]] = [:]
    private var heldCount = 0
    /// Files without build id, and those that were handed over.
    private var seen: [String: Set<Identity>] = [:]
    /// When a file without build id was loaded at the latest (CLOCK_REALTIME, in ns).
    private var loadedBy: [String: Int64] = [:]

    /// Descriptors that are kept, of one path and in all.
    private static let (pathLimit, limit) = (8, 256)
    /// A file system's clock runs in ticks, and so behind the one that says when a program began.
    private static let tick: Int64 = 10_000_000

    /// Files that were loaded under this path, the latest first.
    func handles(_ path: String) -> [OpenFile] { (held[path] ?? []).reversed() }

    /// What a process says is its executable; takes the descriptor over.
    ///
    /// True when another file of this path was loaded before.
    func add(executable descriptor: Int32, path: String) -> Bool {
        guard let file = OpenFile(descriptor) else { return false }
        return keep(file, path)
    }

    /// A process has loaded a file that has no build id.
    ///
    /// `began`: when the process did (CLOCK_REALTIME, in ns). `pid`: nil when the process is one of another time. True
    /// when another file of this path was loaded before.
    func add(path: String, began: Int64, pid: Int32?, mapped: @autoclosure () -> Set<UInt64>) -> Bool {
        let earlier = loadedBy[path]
        loadedBy[path] = min(began, earlier ?? .max)
        guard let pid else { return false }
        let inodes = mapped()
        for place in ["/proc/\(pid)/root" + path, path] {
            var status = stat()
            guard stat(place.system, &status) == 0, inodes.contains(UInt64(status.st_ino)) else { continue }
            let file = OpenFile(silt_open_regular(place.system))
            guard let file, inodes.contains(file.inode) else { continue }
            return keep(file, path)
        }
        return false
    }

    /// Keeps what a process has mapped and this process would not find at its path, now or later.
    func look(at mappings: [Mapping], of pid: Int32) {
        for mapping in mappings where held[mapping.path] == nil {
            var status = stat()
            let isThere = stat(mapping.path.system, &status) == 0 && UInt64(status.st_ino) == mapping.inode
            if isThere, silt_lies_elsewhere(mapping.path.system) == 0 { continue }
            let places = ["/proc/\(pid)/root" + mapping.path, "/proc/\(pid)/map_files/" + mapping.range]
            for place in (isThere ? [mapping.path] : []) + places {
                let file = OpenFile(silt_open_regular(place.system))
                guard let file, file.inode == mapping.inode else { continue }
                _ = keep(file, mapping.path)
                break
            }
        }
    }

    /// Keeps a file that can be opened only through a process, or only for a while.
    func keep(path: String, of pid: Int32) {
        guard held[path] == nil else { return }
        let isThere = access(path.system, F_OK) == 0
        if isThere, silt_lies_elsewhere(path.system) == 0 { return }
        let place = isThere ? path : "/proc/\(pid)/root" + path
        if let file = OpenFile(silt_open_regular(place.system)) { _ = keep(file, path) }
    }

    /// Why a file without build id is not the one that was loaded; nil when it is.
    func objection(to status: stat, path: String) -> SymbolError? {
        if let known = seen[path] {
            // Nothing tells which of several it was.
            return known == [Identity(status)] ? nil : .replaced
        }
        guard let bound = loadedBy[path] else { return nil }
        return nanoseconds(status.st_ctim) > bound &- Self.tick ? .replaced : nil
    }

    /// True when files of one path are several by this.
    private func keep(_ file: OpenFile, _ path: String) -> Bool {
        let known = seen[path] ?? []
        if known.contains(file.identity) { return false }
        // Two are as bad as more.
        if known.count < 2 { seen[path] = known.union([file.identity]) }
        if heldCount < Self.limit, held[path, default: []].count < Self.pathLimit {
            held[path, default: []].append(file)
            heldCount += 1
        }
        return !known.isEmpty
    }
}

/// A regular file that is kept open, or a copy of it.
final class OpenFile {
    private let descriptor: Int32
    let inode: UInt64
    /// The file's own, also where a copy is kept.
    let status: stat
    let identity: LoadedFiles.Identity

    /// Takes the descriptor over.
    ///
    /// Nil, with it closed, for what is not a regular file.
    init?(_ descriptor: Int32) {
        var status = stat()
        guard descriptor >= 0 else { return nil }
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            return nil
        }
        self.descriptor = silt_detach(descriptor)
        self.status = status
        inode = UInt64(status.st_ino)
        identity = LoadedFiles.Identity(status)
    }

    deinit { close(descriptor) }

    /// Where it can be opened again (proc_pid_fd(5)).
    var place: String { "/proc/self/fd/\(descriptor)" }
}

/// Code that a process has mapped from a file (proc_pid_maps(5)).
struct Mapping {
    var path: String
    var inode: UInt64
    /// As the kernel writes it.
    var range: String

    /// One per file; none when the process may not be looked at.
    static func all(of pid: Int32) -> [Mapping] {
        let maps = FileBytes.read(ifThere: "/proc/\(pid)/maps") ?? []
        var result: [Mapping] = []
        var paths: Set<String> = []
        for line in maps.split(separator: UInt8(ascii: "\n")) {
            // Range, rights, offset, device, inode, path: the last one may have blanks.
            let words = String(system: line).split(separator: " ", maxSplits: 4)
            guard words.count == 5, words[1].dropFirst(2).hasPrefix("x") else { continue }
            let tail = words[4].split(separator: " ", maxSplits: 1)
            guard tail.count == 2, let inode = UInt64(tail[0]) else { continue }
            let path = String(tail[1].drop { $0 == " " })
            guard path.hasPrefix("/"), paths.insert(path).inserted else { continue }
            result.append(Mapping(path: path, inode: inode, range: String(words[0])))
        }
        return result
    }
}

private func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
}
