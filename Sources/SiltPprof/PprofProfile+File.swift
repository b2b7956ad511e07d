internal import CSiltSystem
internal import Glibc
internal import SiltText

extension PprofProfile {
    /// Reads a profile from a file.
    package init(path: String, limits: PprofLimits = PprofLimits()) throws(PprofError) {
        try self.init(reading: try FileBytes.read(path, limit: limits.bytes), limits: limits)
    }
}

/// Files as wholes.
private enum FileBytes {
    static func read(_ path: String, limit: Int) throws(PprofError) -> [UInt8] {
        let descriptor = silt_open_input(path.system)
        guard descriptor >= 0 else { throw unreadable(path) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        let room = 256 * 1024
        while true {
            var got = 0
            content += [UInt8](unsafeUninitializedCapacity: room) { space, count in
                got = Glibc.read(descriptor, space.baseAddress, room)
                count = max(0, got)
            }
            if got == 0 { return content }
            guard got > 0 || errno == EINTR else { throw unreadable(path) }
            guard content.count <= limit else { throw .tooLarge(limit: limit, unit: "bytes") }
        }
    }

    /// The system call that just failed.
    private static func unreadable(_ path: String) -> PprofError {
        .cannotRead(path: path, reason: String(cString: strerror(errno)))
    }
}
