internal import CSiltSystem
internal import Glibc
internal import SiltText

/// Files that people write and keep: read and replaced as wholes.
package enum SmallFile {
    /// Bytes that such a file may have.
    private static let limit = 16 << 20

    package static func read(_ path: String) throws(ReportError) -> [UInt8] {
        let descriptor = silt_open_input(path.system)
        guard descriptor >= 0 else { throw .cannotRead(path: path, reason: reason()) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let got = Glibc.read(descriptor, &buffer, buffer.count)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .cannotRead(path: path, reason: reason()) }
            guard got > 0 else { return bytes }
            bytes += buffer.prefix(got)
            guard bytes.count <= limit else { throw .cannotRead(path: path, reason: "larger than 16 MiB") }
        }
    }

    /// Puts a file of that text in the place of `link`, or of what it leads to: the old one, if there is one, stays whole until then.
    package static func replace(_ link: String, with text: String) throws(ReportError) {
        let target = realpath(link.system, nil)
        defer { free(target) }
        let path = target.map { String(system: $0) } ?? link
        let fresh = path + ".new"
        let descriptor = open(fresh.system, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: reason()) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                let reason = reason()
                close(descriptor)
                unlink(fresh.system)
                throw .cannotWrite(path: path, reason: reason)
            }
            rest = rest.dropFirst(written)
        }
        guard close(descriptor) == 0, rename(fresh.system, path.system) == 0 else {
            let reason = reason()
            unlink(fresh.system)
            throw .cannotWrite(path: path, reason: reason)
        }
    }

    package static func exists(_ path: String) -> Bool { access(path.system, F_OK) == 0 }

    private static func reason() -> String { String(cString: strerror(errno)) }
}
