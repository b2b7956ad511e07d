internal import SiltHunt
internal import SiltPprof
internal import SiltProfiles
internal import SiltRecording
internal import SiltSession
internal import SiltSystem

/// What a report is made of: a recording, or another file that becomes one.
final class ReportInput {
    /// The file as the user named it.
    let path: String
    private let scratch: ScratchRecording?

    /// Throws for a file that is nothing silt reads; says on standard error what a user should know about it.
    init(_ path: String, hide: [String]) throws {
        self.path = path
        switch ReportInput.kind(of: path) {
        case .recording: scratch = nil
        case .events:
            let made = try ScratchRecording()
            let notes = try EventReplay.run(events: path, recording: made.path, hide: hide, siltVersion: siltVersion)
            for note in notes { Terminal.message(.note(note)) }
            scratch = made
        case .profile:
            let made = try ScratchRecording()
            do {
                try writeRecording(ofProfile: path, to: made.path, siltVersion: siltVersion)
            } catch let error as PprofError {
                throw InputError.unreadable(path: path, error, isBinary: ReportInput.isBinary(path))
            }
            // gzip and zstd have checksums of their own.
            let magics: [[UInt8]] = [[0x1f, 0x8b], [0x28, 0xb5, 0x2f, 0xfd]]
            if let head = ReportInput.head(of: path), !magics.contains(where: { head.starts(with: $0) }) {
                Terminal.message(.noChecksum(path))
            }
            scratch = made
        }
    }

    /// Whether `silt check` takes a file for what was measured, rather than for a plan.
    static func isMeasured(_ path: String) -> Bool { isRecordingFile(path) || isEventFile(path) || isBinary(path) }

    func recording() throws -> Recording {
        var recording = try Recording(path: scratch?.path ?? path)
        recording.nameFrames()
        return recording
    }

    private enum Kind {
        case recording
        case events
        /// pprof's, compressed or not.
        case profile
    }

    /// What is neither of the others may be a profile; what cannot be read is left to the reader of recordings, which says so.
    private static func kind(of path: String) -> Kind {
        if isEventFile(path) { return .events }
        guard !isRecordingFile(path), let head = head(of: path) else { return .recording }
        return head.starts(with: Array("SQLite format 3".utf8)) ? .recording : .profile
    }

    /// Whether it begins with bytes that no text has, as gzip's and protobuf's files do.
    private static func isBinary(_ path: String) -> Bool {
        head(of: path)?.contains { $0 < 0x20 && ![0x09, 0x0a, 0x0d].contains($0) } ?? false
    }

    /// The first bytes of a regular file; nil where it is none or cannot be read.
    private static func head(of path: String) -> [UInt8]? { try? FileBytes.head(regular: path, count: 64) }
}
