internal import Glibc
internal import SiltSystem
internal import SiltText

/// The folder of the unpacked library, arranged so that each loader finds what it can load.
///
/// `FOLDER/$LIB/NAME` is what LD_PRELOAD names. A loader of glibc puts the folder of its own libraries in place of $LIB
/// (ld.so(8)): the 64-bit one finds the library there, the 32-bit ones an empty object, so that they are silent. musl
/// does not expand it, finds no such file, and is silent too.
enum LibraryFolder {
    /// True when each folder above it lets every user through, and lets nobody but its owner or root replace what is in
    /// it: a folder that all may write to keeps that by its sticky bit.
    static func canBeEnteredByAll(_ directory: String) -> Bool {
        var path = directory
        while let slash = path.lastIndex(of: "/") {
            path = String(path[..<slash])
            var status = stat()
            guard lstat((path.isEmpty ? "/" : path).system, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
                status.st_uid == 0 || status.st_uid == getuid(), status.st_mode & 0o001 != 0,
                status.st_mode & 0o022 == 0 || status.st_mode & S_ISVTX != 0
            else { return false }
            if path.isEmpty { return true }
        }
        return false
    }

    /// Makes the directory if it is not there; false when it is not the user's own, or others may write to it.
    static func make(_ directory: String, isOpen: Bool) -> Bool {
        if let slash = directory.lastIndex(of: "/") { mkdir(String(directory[..<slash]).system, 0o700) }
        mkdir(directory.system, 0o700)
        let descriptor = open(directory.system, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_uid == getuid(), status.st_mode & 0o022 == 0 else {
            return false
        }
        return !isOpen || status.st_mode & 0o055 == 0o055 || fchmod(descriptor, 0o755) == 0
    }

    /// Arranges the library in its folder for all loaders; `put` writes a file.
    static func preloadName(
        of name: String,
        in directory: String,
        put: ([UInt8], String) throws(ShimError) -> Void
    ) throws(ShimError) -> String {
        let ours = ["lib64", "lib/x86_64-linux-gnu"] + [ownLibraryFolder].compactMap { $0 }
        let others = ["lib", "lib32", "lib/i386-linux-gnu", "libx32", "lib/x86_64-linux-gnux32"]
        for folder in ours + others {
            var path = directory
            for part in folder.split(separator: "/") {
                path += "/" + part
                if mkdir(path.system, 0o755) == 0 { chmod(path.system, 0o755) }
            }
            let up = String(repeating: "../", count: folder.split(separator: "/").count)
            if ours.contains(folder) {
                try link("\(path)/\(name)", to: up + name)
            } else {
                try put(emptyObject(machine: folder.hasSuffix("x32") ? 62 : 3), "\(path)/\(name)")
            }
        }
        return "\(directory)/$LIB/\(name)"
    }

    /// Makes a symbolic link, in place of what is there.
    private static func link(_ path: String, to target: String) throws(ShimError) {
        var there = [CChar](repeating: 0, count: 4096)
        let length = readlink(path.system, &there, there.count)
        if length > 0, String(system: there.prefix(length).map { UInt8(bitPattern: $0) }) == target {
            return
        }
        let temporary = "\(path).\(getpid())"
        unlink(temporary.system)
        guard symlink(target, temporary.system) == 0, rename(temporary.system, path.system) == 0 else {
            throw .cannotWrite(path: path, reason: errorText(errno))
        }
    }

    /// What the loader that runs silt puts in place of $LIB, told by where its C library lies; nil when it does not say.
    private static var ownLibraryFolder: String? {
        let maps = String(decoding: FileBytes.read(ifThere: "/proc/self/maps") ?? [], as: UTF8.self)
        let library = maps.split(separator: "\n").first { $0.hasSuffix("/libc.so.6") }
        let parts = library?.drop { $0 != "/" }.split(separator: "/").dropLast().map(String.init) ?? []
        guard let last = parts.last else { return nil }
        if last.hasPrefix("lib") { return last }
        return parts.dropLast().last == "lib" ? "lib/" + last : nil
    }

    /// A 32-bit shared object without content, which a loader takes in and finds nothing in: header, three program
    /// headers, dynamic section, one empty symbol, hash table, strings (ELF gABI, 32-bit).
    ///
    /// Its stack header says that it needs no executable stack. The dynamic section is writable: loaders relocate it.
    static func emptyObject(machine: UInt16) -> [UInt8] {
        let (dynamic, symbols, hash, strings, end): (UInt32, UInt32, UInt32, UInt32, UInt32) = (148, 196, 212, 228, 232)
        var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1] + Array(repeating: 0, count: 9)
        func half(_ values: UInt16...) { for value in values { withUnsafeBytes(of: value) { bytes += $0 } } }
        func word(_ values: UInt32...) { for value in values { withUnsafeBytes(of: value) { bytes += $0 } } }
        half(3, machine)  // ET_DYN
        word(1, 0, 52, 0, 0)  // version, entry, program headers at 52, no sections, flags
        half(52, 32, 3, 40, 0, 0)
        word(1, 0, 0, 0, end, end, 6, 4096)  // PT_LOAD, readable and writable
        word(2, dynamic, dynamic, dynamic, symbols - dynamic, symbols - dynamic, 6, 4)  // PT_DYNAMIC
        word(0x6474_e551, 0, 0, 0, 0, 0, 6, 16)  // PT_GNU_STACK
        word(4, hash, 5, strings, 6, symbols, 10, 1, 11, 16, 0, 0)  // DT_HASH, _STRTAB, _SYMTAB, _STRSZ, _SYMENT, _NULL
        word(0, 0, 0, 0)  // the undefined symbol
        word(1, 1, 0, 0)  // one bucket, one chain, both empty
        word(0)  // ""
        return bytes
    }
}
