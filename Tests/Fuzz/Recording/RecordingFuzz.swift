import Glibc
import SiltEvents
import SiltRecording

/// libFuzzer's entry: any bytes damage a recording, which is read.
///
/// Four bytes each: where, in three, and what is put there; with an odd first place the file is cut there instead. What
/// is read must be within bounds and what is refused must be explained: a crash or a hang is a finding.
@_cdecl("LLVMFuzzerTestOneInput")
package func readAnything(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
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
    write(bytes, base.path)
    do throws(RecordingError) {
        let recording = try Recording(path: base.path)
        for stack in recording.stacks {
            precondition(stack.parent <= recording.stacks.count && stack.frame <= recording.frames.count)
        }
        for range in recording.symbolRanges {
            precondition(range.lowerBound >= 0 && Int(range.upperBound) <= recording.symbols.count)
        }
        for history in recording.histories + recording.groupHistories {
            precondition(history.range.lowerBound >= 0 && history.range.upperBound <= recording.historyBytes.count)
        }
        for symbol in recording.symbols { _ = recording.string(symbol.function) + recording.string(symbol.file) }
    } catch {
        precondition(!error.description.isEmpty)
    }
    return 0
}

private func write(_ bytes: [UInt8], _ path: String) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    precondition(descriptor >= 0 && write(descriptor, bytes, bytes.count) == bytes.count)
    close(descriptor)
}

/// A small recording: its bytes, and where damaged ones of it are put.
private let base: (path: String, bytes: [UInt8]) = {
    var template = Array("/dev/shm/silt-fuzz-XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil)
    atexit {
        unlink(base.path)
        rmdir(String(base.path[..<(base.path.lastIndex(of: "/") ?? base.path.endIndex)]))
    }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) + "/fuzz.silt"
    do throws(RecordingError) {
        let writer = try RecordingWriter(path: path)
        try fill(writer)
        try writer.close()
    } catch {
        preconditionFailure("\(error)")
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    var bytes = [UInt8](repeating: 0, count: Int(lseek(descriptor, 0, Int32(SEEK_END))))
    precondition(pread(descriptor, &bytes, bytes.count, 0) == bytes.count)
    close(descriptor)
    return (path, bytes)
}()

private func fill(_ writer: RecordingWriter) throws(RecordingError) {
    try writer.begin()
    try writer.write(RecordedTarget(command: ["/opt/server", "a b"]))
    var totals = RecordedTotals()
    totals.allocatedBytes = 1000
    totals.allocatedCount = 10
    for id in [1, 2] as [UInt32] {
        try writer.write(RecordedProcess(id: id, pid: 100 + id))
        try writer.write(totals, process: id)
        try writer.write(TrustCounters(), process: id)
        try writer.write(RecordedSnapshot(process: id, snapshot: 0, timeNs: 5))
    }
    try writer.add(module: 1, path: "/opt/server", buildID: [0xde, 0xad])
    for id in 1...20 as ClosedRange<UInt32> {
        try writer.add(frame: id, module: id & 1, offset: UInt64(id) << 12, kind: UInt8(id & 3))
        try writer.write(
            symbols: [SymbolRow(function: "f\(id)", file: "f.c", line: Int(id), inlined: false)],
            frame: id
        )
    }
    for id in 1...40 as ClosedRange<UInt32> {
        try writer.add(stack: id, parent: id / 2, frame: 1 + id % 20)
        var counters = RecordedCounters(process: 1 + id & 1, stack: id)
        counters.allocatedBytes = UInt64(id) * 100
        counters.allocatedCount = UInt64(id)
        try writer.write(counters)
        try writer.write(history: [1, 2, 3, 4, 5, 6, 7, 8], process: 1, stack: id)
    }
    try writer.commit()
}
