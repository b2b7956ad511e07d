import Glibc
import SiltSymbols

/// libFuzzer's entry: any bytes damage a program with debug information, out of which names are read.
///
/// The program is the one that SILT_FUZZ_PROGRAM names. Four bytes each: where, in three, and what is put there; with an
/// odd first place the file is cut there instead. A crash or a hang is a finding.
@_cdecl("LLVMFuzzerTestOneInput")
package func nameAnything(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    var bytes = base.bytes
    var index = 0
    while index + 4 <= input.count {
        let place = (Int(input[index]) | Int(input[index + 1]) << 8 | Int(input[index + 2]) << 16) % bytes.count
        if index == 0, input[3] & 0xF0 == 0xF0 {
            bytes.removeLast(bytes.count - max(1, place))
        } else {
            bytes[place] = input[index + 3]
        }
        index += 4
    }
    let descriptor = open(base.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o700)
    precondition(descriptor >= 0 && write(descriptor, bytes, bytes.count) == bytes.count)
    close(descriptor)
    let symbolizer = Symbolizer()
    for offset in stride(from: 0x1000 as UInt64, to: 0x1400, by: 24) {
        let frames = symbolizer.resolve(modulePath: base.path, buildID: [], offset: offset, exact: true)
        precondition(!frames.isEmpty)
        _ = symbolizer.functionName(modulePath: base.path, buildID: [], offset: offset, exact: true)
    }
    _ = symbolizer.missingLines(modulePath: base.path, buildID: [])
    return 0
}

/// The program's bytes, and where damaged ones are put.
private let base: (path: String, bytes: [UInt8]) = {
    guard let name = getenv("SILT_FUZZ_PROGRAM") else { preconditionFailure("SILT_FUZZ_PROGRAM names no program") }
    let descriptor = open(name, O_RDONLY | O_CLOEXEC)
    precondition(descriptor >= 0)
    var bytes = [UInt8](repeating: 0, count: Int(lseek(descriptor, 0, Int32(SEEK_END))))
    precondition(pread(descriptor, &bytes, bytes.count, 0) == bytes.count)
    close(descriptor)
    var template = Array("/dev/shm/silt-fuzz-XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil)
    atexit {
        unlink(base.path)
        rmdir(String(base.path[..<(base.path.lastIndex(of: "/") ?? base.path.endIndex)]))
    }
    return (String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) + "/program", bytes)
}()
