internal import Glibc
internal import SiltFindings
internal import SiltRecording
internal import SiltSystem
internal import SiltText

/// A file that a report is written to piece by piece, readable by its owner alone; `-` is standard output.
final class OutputFile: TextOutputStream {
    private let path: String
    private let descriptor: Int32
    /// The first error; what comes after it is dropped.
    private var failure: Int32 = 0

    /// Throws for a recording: it may be the one that is read, and is more than what is made of it.
    ///
    /// `mode`: who may read a file that is made; `isNew`: never over a file that is there.
    init(_ path: String, mode: mode_t = 0o600, isNew: Bool = false) throws {
        self.path = path
        guard path == "-" || !isRecordingFile(path) else { throw InputError.isRecording(path: path) }
        let flags = O_WRONLY | O_CREAT | (isNew ? O_EXCL : O_TRUNC) | O_CLOEXEC
        descriptor = path == "-" ? STDOUT_FILENO : open(path.system, flags, mode)
        guard descriptor >= 0 else {
            throw ReportError.cannotWrite(path: path, reason: errorText(errno))
        }
    }

    func write(_ string: String) { write(Array(string.utf8)) }

    func write(_ bytes: [UInt8]) {
        if failure == 0 { failure = FileBytes.write(bytes, to: descriptor) }
    }

    /// Throws what kept it from being written; a reader of standard output that went away does not.
    func close() throws {
        if descriptor != STDOUT_FILENO, Glibc.close(descriptor) != 0, failure == 0 { failure = errno }
        guard failure != 0, !(failure == EPIPE && descriptor == STDOUT_FILENO) else { return }
        throw ReportError.cannotWrite(path: path, reason: errorText(failure))
    }
}
