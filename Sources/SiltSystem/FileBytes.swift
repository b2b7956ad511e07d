internal import CSiltSystem
internal import Glibc
internal import SiltText

/// Why a file could not be read or written.
package enum FileError: Error, Equatable, CustomStringConvertible {
    case system(errno: Int32)
    case tooLarge(limit: Int)

    package var description: String {
        switch self {
        case .system(let number): errorText(number)
        case .tooLarge(let limit): "larger than \(Format.bytes(UInt64(limit)))"
        }
    }
}

/// Files as wholes.
package enum FileBytes {
    /// What a user named: a regular file, a pipe or a terminal.
    package static func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
        try read(silt_open_input(path.system), limit: limit)
    }

    /// A regular file and nothing else.
    package static func read(regular path: String, limit: Int) throws(FileError) -> [UInt8] {
        try read(silt_open_regular(path.system), limit: limit)
    }

    /// The first bytes of a regular file, at most so many.
    package static func head(regular path: String, count: Int) throws(FileError) -> [UInt8] {
        let descriptor = silt_open_regular(path.system)
        guard descriptor >= 0 else { throw .system(errno: errno) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        let got = Glibc.read(descriptor, &bytes, count)
        guard got >= 0 else { throw .system(errno: errno) }
        return Array(bytes.prefix(got))
    }

    /// A file of proc(5), or another whose absence is no news; nil when it cannot be read.
    package static func read(ifThere path: String) -> [UInt8]? {
        try? read(open(path.system, O_RDONLY | O_CLOEXEC), limit: Int.max)
    }

    /// Takes the descriptor over; −1: `errno` says why there is none.
    package static func read(_ descriptor: Int32, limit: Int) throws(FileError) -> [UInt8] {
        guard descriptor >= 0 else { throw .system(errno: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        let room = 1 << 16
        while true {
            var got = 0
            bytes += [UInt8](unsafeUninitializedCapacity: room) { space, count in
                got = Glibc.read(descriptor, space.baseAddress, room)
                count = max(0, got)
            }
            if got == 0 { return bytes }
            guard got > 0 || errno == EINTR else { throw .system(errno: errno) }
            guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
        }
    }

    /// The names in a folder, in no order, with those that begin with a dot; none where it cannot be read.
    package static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder.system) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(withUnsafeBytes(of: entry.pointee.d_name) { String(system: $0.prefix { $0 != 0 }) })
        }
        return names
    }

    /// Nil where it is gone.
    package static var workingDirectory: String? {
        let folder = getcwd(nil, 0)
        defer { free(folder) }
        return folder.map { String(system: $0) }
    }

    /// From `/` on; as it is where the working directory is gone.
    package static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let folder = workingDirectory else { return path }
        return folder + "/" + path
    }

    /// Whether both are names of one file, which may not be there yet.
    package static func isSamePlace(_ path: String, _ other: String) -> Bool {
        func place(_ path: String) -> String {
            if let found = resolved(path) { return found }
            let path = absolute(path)
            guard let slash = path.lastIndex(of: "/") else { return path }
            return (resolved(String(path[...slash])) ?? "") + "/" + path[slash...].drop { $0 == "/" }
        }
        return place(path) == place(other)
    }

    /// Without links and detours; nil where nothing is there.
    private static func resolved(_ path: String) -> String? {
        let found = realpath(path.system, nil)
        defer { free(found) }
        return found.map { String(system: $0) }
    }

    package static func exists(_ path: String) -> Bool { access(path.system, F_OK) == 0 }

    /// Puts a file of that text in the place of `link`, or of what it leads to: the old one, if there is one, stays whole
    /// until then.
    package static func replace(_ link: String, with text: String) throws(FileError) {
        let path = resolved(link) ?? link
        let fresh = path + ".new"
        let descriptor = open(fresh.system, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw .system(errno: errno) }
        var failure = write(Array(text.utf8), to: descriptor)
        if close(descriptor) != 0, failure == 0 { failure = errno }
        if failure == 0, rename(fresh.system, path.system) != 0 { failure = errno }
        guard failure == 0 else {
            unlink(fresh.system)
            throw .system(errno: failure)
        }
    }

    /// Writes all of it; returns 0, or the error that kept it from being written.
    package static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if written == 0 || errno != EINTR {
                return written == 0 ? EIO : errno
            }
        }
        return 0
    }
}
