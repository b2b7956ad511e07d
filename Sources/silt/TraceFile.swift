internal import SiltRecording
internal import SiltText

/// Where a trace is recorded: in the file that the user names, or in one that silt keeps for some time, or for now alone.
final class TraceFile {
    let path: String
    /// Nil for a file that the user named.
    private let scratch: ScratchRecording?
    private let shelf: KeptRecordings?
    /// What it was asked to do with a recording of a shelf: it goes with the value otherwise.
    private var isKept = false

    /// `named`: the user's file; `keeps`: whether one without a name is worth keeping.
    ///
    /// Where a continuous integration service runs (CI=true) nobody comes back for it.
    init(named: String?, program: String, keeps: Bool) throws {
        if let named {
            (path, scratch, shelf) = (named, nil, nil)
            return
        }
        if keeps, Environment.value("CI") != "true", let shelf = KeptRecordings(), let path = shelf.path(for: program) {
            (self.path, scratch, self.shelf) = (path, nil, shelf)
            return
        }
        let scratch = try ScratchRecording()
        (path, self.scratch, shelf) = (scratch.path, scratch, nil)
    }

    /// Says where the recording is, if it stays.
    func keep() {
        guard scratch == nil, isRecordingFile(path) else { return }
        guard let shelf else { return Terminal.message("recording: \(path)") }
        isKept = true
        shelf.trim()
        Terminal.message("recording: \(path) (silt report shows the last one again)")
    }

    deinit {
        if shelf != nil, !isKept { removeRecording(path) }
    }
}
