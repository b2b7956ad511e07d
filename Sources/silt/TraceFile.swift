internal import Glibc
internal import SiltFindings
internal import SiltRecording
internal import SiltText

/// Where a trace is recorded: in the file that the user names, or in one that silt keeps for some time, or for now alone.
final class TraceFile {
    let path: String
    /// For now alone.
    private let scratch: ScratchRecording?
    /// For some time; neither: the user named the file.
    private let shelf: KeptRecordings?
    /// One on the shelf goes with this value unless it is kept.
    private var isKept = false

    /// `named`: the user's file; `keeps`: whether one without a name is worth keeping.
    ///
    /// Where a continuous integration service runs (CI=true) nobody comes back for it.
    init(named: String?, program: String, keeps: Bool) throws {
        if let named {
            (path, scratch, shelf) = (named, nil, nil)
            return
        }
        if keeps, Environment.value("CI") != "true", let shelf = KeptRecordings(), let path = shelf.path(for: program),
            Self.hasRoom(path)
        {
            (self.path, scratch, self.shelf) = (path, nil, shelf)
            return
        }
        let scratch = try ScratchRecording()
        (path, self.scratch, shelf) = (scratch.path, scratch, nil)
    }

    /// Whether a recording can begin there; says what becomes of it where not.
    private static func hasRoom(_ path: String) -> Bool {
        let descriptor = open(path.system, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        let problem = descriptor < 0 ? errno : posix_fallocate(descriptor, 0, minimumBytes)
        if descriptor >= 0 {
            close(descriptor)
            unlink(path.system)
        }
        if problem != 0 { Terminal.message(.nothingKept(path, errorText(problem))) }
        return problem == 0
    }

    /// What an empty recording takes, and some snapshots.
    private static let minimumBytes: off_t = 1 << 18

    /// Where commands find it afterwards; nil: it does not stay.
    var place: RecordingPlace? { scratch != nil ? nil : shelf == nil ? .file(path) : .newest }

    /// Lets it stay where that is asked for; returns what to tell the user of it, nil when it goes.
    func keep() -> Notice? {
        guard scratch == nil, isRecordingFile(path) else { return nil }
        guard let shelf else { return .recording(path, isLast: false) }
        isKept = true
        shelf.trim()
        return .recording(path, isLast: true)
    }

    deinit {
        if shelf != nil, !isKept { removeRecording(path) }
    }
}
