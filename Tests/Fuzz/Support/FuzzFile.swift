import Glibc

/// A file in memory that is written anew for each input; removed at the process's end.
package struct FuzzFile: Sendable {
    package let path: String

    package init(_ name: String) {
        // One folder for all files of the process, since exit handlers take no arguments.
        path = fuzzFolder + "/" + name
    }

    package func set(_ bytes: [UInt8]) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o700)
        precondition(descriptor >= 0 && write(descriptor, bytes, bytes.count) == bytes.count)
        close(descriptor)
    }

    package func bytes() -> [UInt8] { FuzzFile.bytes(of: path) }

    package func remove() { unlink(path) }

    /// The content of any file.
    package static func bytes(of path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        precondition(descriptor >= 0, "\(path) cannot be read")
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: Int(lseek(descriptor, 0, Int32(SEEK_END))))
        precondition(pread(descriptor, &bytes, bytes.count, 0) == bytes.count)
        return bytes
    }
}

private let fuzzFolder: String = {
    var template = Array("/dev/shm/silt-fuzz-XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil)
    atexit {
        if let folder = opendir(fuzzFolder) {
            while let entry = readdir(folder) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                unlink(fuzzFolder + "/" + name)
            }
            closedir(folder)
        }
        rmdir(fuzzFolder)
    }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}()
