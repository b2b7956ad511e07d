internal import CSQLite
internal import CSiltSystem
internal import Glibc
internal import SiltSystem
internal import SiltText

/// True for a file that begins like a recording; false as well when it cannot be read.
package func isRecordingFile(_ path: String) -> Bool {
    do { return RecordingFile.isRecording(try RecordingFile.header(of: path)) } catch { return false }
}

/// Removes a recording and what SQLite keeps beside it.
package func removeRecording(_ path: String) {
    for suffix in ["", "-wal", "-shm", "-journal"] { unlink((path + suffix).system) }
}

/// Whether a process writes it now; false as well for what is not there.
package func isRecordingBeingWritten(_ path: String) -> Bool {
    !FileClaim(open(path.system, O_RDWR | O_CLOEXEC | O_NONBLOCK)).isOurs
}

/// Waits until no process writes the recording at `path`, at most that long.
package func waitUntilNobodyWrites(recording path: String, seconds: Double) {
    let looksPerSecond = 20.0
    for _ in 0..<Int(seconds * looksPerSecond) {
        if !isRecordingBeingWritten(path) { return }
        usleep(UInt32(1_000_000 / looksPerSecond))
    }
}

/// That this process writes a file, for others to see, until the value goes.
final class FileClaim {
    private let descriptor: Int32
    /// False: another has claimed it.
    let isOurs: Bool

    /// Takes over a descriptor, which may be none: then there is nothing to claim.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        isOurs = descriptor < 0 || silt_claim(descriptor) != 0
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}

/// Making and opening the file itself: who may read it, what may be replaced, which companions belong to it.
enum RecordingFile {
    /// Makes an empty file at `path`, readable by its owner alone; an older recording there is replaced, anything else,
    /// and a recording that is being written, is left alone and reported.
    ///
    /// As long as the claim lives, nobody else replaces the file.
    static func create(at path: String) throws(RecordingError) -> FileClaim {
        var descriptor = open(path.system, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0, errno == EEXIST {
            guard try mayReplace(path) else { throw .notARecording(path: path) }
            let older = FileClaim(open(path.system, O_RDWR | O_CLOEXEC | O_NONBLOCK))
            guard older.isOurs else { throw .inUse(path: path) }
            removeRecording(path)
            descriptor = open(path.system, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        }
        guard descriptor >= 0 else {
            // Made by another between the two looks.
            if errno == EEXIST { throw .inUse(path: path) }
            throw .cannotOpen(path: path, reason: errorText(errno))
        }
        let claim = FileClaim(descriptor)
        guard claim.isOurs else { throw .inUse(path: path) }
        return claim
    }

    /// An empty regular file, or one that begins like a recording.
    private static func mayReplace(_ path: String) throws(RecordingError) -> Bool {
        let head = try header(of: path)
        return head.isEmpty || isRecording(head)
    }

    /// The first 100 bytes: the header of an SQLite file.
    static func header(of path: String) throws(RecordingError) -> [UInt8] {
        do throws(FileError) {
            return try FileBytes.head(regular: path, count: 100)
        } catch .system(EISDIR), .system(ENOTSUP) {
            throw .notARecording(path: path)
        } catch {
            throw .cannotOpen(path: path, reason: error.description)
        }
    }

    /// SQLite's magic at 0, our application id at 68 (sqlite.org/fileformat2.html §1.3).
    static func isRecording(_ header: [UInt8]) -> Bool {
        header.count >= 72 && header.starts(with: Array("SQLite format 3\0".utf8))
            && bigEndian(header, at: 68) == Schema.applicationID
    }

    /// Our format version, SQLite's user version at 60.
    static func version(_ header: [UInt8]) -> Int {
        bigEndian(header, at: 60)
    }

    /// SQLite takes what is missing of the last page for zeros; the header says how many pages there should be.
    ///
    /// With a log beside it, the file may be behind its header.
    private static func checkLength(of path: String, header: [UInt8]) throws(RecordingError) {
        var status = stat()
        if stat((path + "-wal").system, &status) == 0, status.st_size > 0 { return }
        guard stat(path.system, &status) == 0 else { return }
        let pageSize = Int(header[16]) << 8 | Int(header[17])
        let expected = bigEndian(header, at: 28) * (pageSize == 1 ? 65_536 : pageSize)
        guard status.st_size >= expected else {
            throw .damaged(path: path, reason: "\(status.st_size) of \(expected) bytes")
        }
    }

    private static func bigEndian(_ bytes: [UInt8], at offset: Int) -> Int {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    /// Opens a recording to read it, also while it is written and after its writer was killed.
    ///
    /// A killed writer leaves F-wal beside F; SQLite reads both. Where the folder cannot be written, so that SQLite
    /// cannot make its index of the log, a file without a log is opened as unchanging.
    static func openToRead(_ path: String) throws(RecordingError) -> Database {
        try check(path, oldest: Schema.oldestRead)
        let name = uri(path)
        do {
            let database = try Database(path: path, name: name, flags: SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
            _ = try database.integer("SELECT count(*) FROM sqlite_master")
            return database
        } catch {
            guard case .cannotOpen = error else { throw error }
            var status = stat()
            guard stat((path + "-wal").system, &status) != 0 || status.st_size == 0 else { throw error }
            return try Database(
                path: path,
                name: name + "?immutable=1",
                flags: SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
            )
        }
    }

    /// Opens a recording to write more into it.
    static func openToWrite(_ path: String) throws(RecordingError) -> Database {
        try check(path, oldest: Schema.version)
        return try Database(path: path, name: path, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_PRIVATECACHE)
    }

    /// Throws for what is not a whole recording of this version, or of one back to `oldest`.
    private static func check(_ path: String, oldest: Int) throws(RecordingError) {
        let head = try header(of: path)
        guard isRecording(head) else { throw .notARecording(path: path) }
        let found = version(head)
        guard (oldest...Schema.version).contains(found) else {
            throw .otherVersion(path: path, found: found, supported: Schema.version)
        }
        try checkLength(of: path, header: head)
    }

    /// `file:` and the path with what has a meaning in a URI escaped.
    private static func uri(_ path: String) -> String {
        var result = Array("file:".utf8)
        for byte in path.systemBytes {
            switch byte {
            case UInt8(ascii: "?"): result += Array("%3f".utf8)
            case UInt8(ascii: "#"): result += Array("%23".utf8)
            case UInt8(ascii: "%"): result += Array("%25".utf8)
            default: result.append(byte)
            }
        }
        return String(system: result)
    }
}
