/// What can be wrong with a recording: each case says which file, and its description says what to do.
package enum RecordingError: Error, Equatable {
    /// The file could not be opened or made; `reason` is the system's or SQLite's message.
    case cannotOpen(path: String, reason: String)
    /// Something else than a recording lies there; it was left alone.
    case notARecording(path: String)
    /// Another silt writes it now.
    case inUse(path: String)
    /// A recording of another format version.
    case otherVersion(path: String, found: Int, supported: Int)
    /// A recording that SQLite cannot read to its end: truncated, or overwritten.
    case damaged(path: String, reason: String)
    /// Writing failed: disk full, quota, file system read-only; what was committed before is kept.
    case cannotWrite(path: String, reason: String)
}

extension RecordingError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cannotOpen(let path, let reason):
            "cannot open \(path): \(reason)"
        case .notARecording(let path):
            "\(path) is no silt recording (silt run --out F.silt makes one)"
        case .inUse(let path):
            "\(path) is being written by another silt: name another file, or wait until that one has ended"
        case .otherVersion(let path, let found, let supported):
            "\(path) has recording format \(found), this silt reads \(supported): "
                + (found > supported
                    ? "read it with a newer silt" : "record again, or read it with the silt that made it")
        case .damaged(let path, let reason):
            "\(path) is damaged (\(reason)): copy it again, with \(path)-wal if that exists; "
                + "`sqlite3 \(path) .recover` may save a part"
        case .cannotWrite(let path, let reason):
            "cannot write \(path): \(reason); the recording ends with its last complete snapshot"
        }
    }
}
