internal import Glibc
internal import SiltHunt
internal import SiltRecording
internal import SiltSession

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
            for note in notes { Terminal.message(note) }
            scratch = made
        case .profile:
            let made = try ScratchRecording()
            try writeRecording(ofProfile: path, to: made.path, siltVersion: siltVersion)
            scratch = made
        }
    }

    func recording() throws -> Recording { try Recording(path: scratch?.path ?? path) }

    private enum Kind {
        case recording
        case events
        /// pprof's, compressed or not.
        case profile
    }

    /// By its first bytes; what cannot be read or is empty is left to the reader of recordings, which says so.
    private static func kind(of path: String) -> Kind {
        if isEventFile(path) { return .events }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .recording }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 16)
        let got = read(descriptor, &bytes, bytes.count)
        guard got > 0 else { return .recording }
        // Gzip's magic (RFC 1952), or the first fields of profile.proto's Profile: 1 to 4, length-delimited.
        let isProfile = bytes.starts(with: [0x1f, 0x8b]) || [0x0a, 0x12, 0x1a, 0x22].contains(bytes[0])
        return isProfile ? .profile : .recording
    }
}
