internal import Glibc
internal import SiltSystem
internal import SiltText

/// Why the preload library could not be put where the loader finds it.
package enum ShimError: Error, CustomStringConvertible {
    case damagedImage
    case cannotWrite(path: String, reason: String)
    /// Another file is there.
    case foreign(path: String)
    case noUsableDirectory(tried: [String])

    package var description: String {
        switch self {
        case .damagedImage:
            "the preload library inside this executable is damaged; install silt again"
        case .cannotWrite(let path, let reason):
            "cannot write \(path): \(reason)"
        case .foreign(let path):
            "\(path) is there and is no preload library of silt: name another path, or remove it first"
        case .noUsableDirectory(let tried):
            "no directory can hold the preload library (it must be the user's own, allow execution, and have neither "
                + "space, colon nor dollar sign in its path; tried \(tried.joined(separator: ", "))); set XDG_CACHE_HOME to one that can"
        }
    }
}

/// The preload library that this executable carries, unpacked to a private file named after its content.
package enum ShimFile {
    /// ST_NOEXEC of statvfs(3).
    private static let mountedNoExec: UInt = 8

    /// The library's bytes, an ELF shared object.
    private static func bytes() throws(ShimError) -> [UInt8] {
        guard let bytes = decodeBase64(ShimImage.base64), bytes.count > 64,
            bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46])
        else { throw .damagedImage }
        return bytes
    }

    /// What LD_PRELOAD has to name for the unpacked library, which is written now if it is not there yet.
    ///
    /// Tries `$XDG_CACHE_HOME/silt`, `~/.cache/silt`, `$XDG_RUNTIME_DIR/silt`, `/var/tmp/silt-UID` and `/tmp/silt-UID`:
    /// first those that every user can enter, since children that change their user load it too, then the others. The
    /// directory is the user's own, nobody else may write to it, and nobody can put another in its place. One is passed
    /// over when its path has a character at which LD_PRELOAD splits or expands (ld.so(8)), or when its file system is
    /// mounted noexec.
    package static func unpack() throws(ShimError) -> String {
        let bytes = try bytes()
        let name = "libsilt-\(contentName(bytes)).so"
        let candidates = candidateDirectories().filter { directory in
            !directory.contains { " :$\n".contains($0) }
        }
        let open = candidates.filter(LibraryFolder.canBeEnteredByAll)
        for directory in open + candidates.filter({ !open.contains($0) }) {
            guard LibraryFolder.make(directory, isOpen: open.contains(directory)) else { continue }
            var volume = statvfs()
            guard statvfs(directory.system, &volume) == 0, volume.f_flag & mountedNoExec == 0 else { continue }
            do {
                try put(bytes, at: "\(directory)/\(name)")
                return try LibraryFolder.preloadName(of: name, in: directory) { (bytes, path) throws(ShimError) in
                    try put(bytes, at: path)
                }
            } catch {
                continue
            }
        }
        throw .noUsableDirectory(tried: candidateDirectories())
    }

    /// Writes a file of that content unless it is there.
    private static func put(_ bytes: [UInt8], at path: String) throws(ShimError) {
        if !holds(path, bytes) { try write(bytes, to: path) }
    }

    /// Writes the library where a user wants it, over one of this or another silt; over nothing else.
    package static func write(to path: String) throws(ShimError) {
        guard try !isForeign(path) else { throw .foreign(path: path) }
        try write(try bytes(), to: path)
    }

    /// Whether something is there that is no preload library of silt.
    ///
    /// An empty file is nothing, and a link is what it leads to.
    private static func isForeign(_ path: String) throws(ShimError) -> Bool {
        do {
            let bytes = try FileBytes.read(regular: path, limit: 1 << 24)
            return !bytes.isEmpty && bytes.firstRange(of: Array("\0libsilt.so\0".utf8)) == nil
        } catch .system(errno: ENOENT) {
            return false
        } catch .system(errno: ENOTSUP), .tooLarge {
            return true
        } catch {
            throw .cannotWrite(path: path, reason: "\(error)")
        }
    }

    /// Writes the library to `path`, through a temporary file beside it, mode 0755.
    private static func write(_ bytes: [UInt8], to path: String) throws(ShimError) {
        let temporary = "\(path).\(getpid())"
        let descriptor = open(temporary.system, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o755)
        guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: errorText(errno)) }
        var failure = FileBytes.write(bytes, to: descriptor)
        if close(descriptor) != 0, failure == 0 { failure = errno }
        if failure == 0, rename(temporary.system, path.system) != 0 { failure = errno }
        guard failure == 0 else {
            unlink(temporary.system)
            throw .cannotWrite(path: path, reason: errorText(failure))
        }
    }

    private static func candidateDirectories() -> [String] {
        func variable(_ name: String) -> String? {
            Environment.value(name).flatMap { $0.hasPrefix("/") ? $0 : nil }
        }
        return [
            variable("XDG_CACHE_HOME").map { "\($0)/silt" },
            variable("HOME").map { "\($0)/.cache/silt" },
            variable("XDG_RUNTIME_DIR").map { "\($0)/silt" },
            "/var/tmp/silt-\(getuid())",
            "/tmp/silt-\(getuid())",
        ].compactMap { $0 }
    }

    private static func holds(_ path: String, _ bytes: [UInt8]) -> Bool {
        let descriptor = open(path.system, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        return (try? FileBytes.read(descriptor, limit: bytes.count)) == bytes
    }

    /// 16 hexadecimal digits of FNV-1a over the content (Fowler, Noll and Vo).
    private static func contentName(_ bytes: [UInt8]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// RFC 4648 base64, four characters at a time; nil on one outside the alphabet, or with characters missing.
    private static func decodeBase64(_ text: StaticString) -> [UInt8]? {
        text.withUTF8Buffer { input in
            guard input.count % 4 == 0, input.count > 0 else { return nil }
            let padding = input.suffix(2).count { $0 == UInt8(ascii: "=") }
            let length = input.count / 4 * 3
            var isWhole = true
            var output = [UInt8](unsafeUninitializedCapacity: length) { bytes, filled in
                values.withUnsafeBufferPointer { values in
                    for group in 0..<input.count / 4 {
                        var quartet: UInt32 = 0
                        for index in 0..<4 {
                            let character = input[4 * group + index]
                            let value = values[Int(character)]
                            if value == outside, 4 * group + index < input.count - padding { isWhole = false }
                            quartet = quartet << 6 | UInt32(value & 63)
                        }
                        bytes[3 * group] = UInt8(truncatingIfNeeded: quartet >> 16)
                        bytes[3 * group + 1] = UInt8(truncatingIfNeeded: quartet >> 8)
                        bytes[3 * group + 2] = UInt8(truncatingIfNeeded: quartet)
                    }
                }
                filled = length
            }
            output.removeLast(padding)
            return isWhole ? output : nil
        }
    }

    private static let outside: UInt8 = 0xff

    /// By character: its six bits.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: outside, count: 256)
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for (value, character) in alphabet.utf8.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()
}
