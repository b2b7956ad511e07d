import Glibc
import SiltEvents
import SiltFuzzSupport
import SiltSymbols

/// libFuzzer's entry: any bytes damage a program with debug information, out of which names are read.
///
/// The program is the one that SILT_FUZZ_PROGRAM names. A crash or a hang is a finding.
@_cdecl("LLVMFuzzerTestOneInput")
package func nameAnything(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    file.set(damaged(base, by: UnsafeBufferPointer(start: start, count: count)))
    let symbolizer = Symbolizer()
    for offset in stride(from: 0x1000 as UInt64, to: 0x1400, by: 24) {
        let frames = symbolizer.resolve(Module(path: file.path, buildID: []), offset: offset, exact: true)
        precondition(!frames.isEmpty)
        _ = symbolizer.functionName(Module(path: file.path, buildID: []), offset: offset, exact: true)
    }
    _ = symbolizer.missingLines(Module(path: file.path, buildID: []))
    return 0
}

private let file = FuzzFile("program")

/// The program's bytes.
private let base: [UInt8] = {
    guard let name = getenv("SILT_FUZZ_PROGRAM") else { preconditionFailure("SILT_FUZZ_PROGRAM names no program") }
    return FuzzFile.bytes(of: String(cString: name))
}()
