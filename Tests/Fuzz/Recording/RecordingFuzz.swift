import SiltEvents
import SiltFindings
import SiltFuzzSupport
import SiltRecording
import SiltReports
import SiltTestRecordings

/// libFuzzer's entry: any bytes damage a recording, which is read, judged and shown in every form.
///
/// What is read must be within bounds and what is refused must be explained: a crash or a hang is a finding.
@_cdecl("LLVMFuzzerTestOneInput")
package func readAnything(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    file.set(damaged(base, by: UnsafeBufferPointer(start: start, count: count)))
    do throws(RecordingError) {
        let recording = try Recording(path: file.path)
        for stack in recording.stacks {
            precondition(recording.stacks.holds(stack.parent) && recording.frames.holds(stack.frame))
        }
        for range in recording.symbolRanges {
            precondition(range.lowerBound >= 0 && Int(range.upperBound) <= recording.symbols.count)
        }
        for range in recording.histories.map(\.range) + recording.groupHistories.map(\.range) {
            precondition(range.lowerBound >= 0 && range.upperBound <= recording.historyBytes.count)
        }
        for symbol in recording.symbols { _ = recording.string(symbol.function) + recording.string(symbol.file) }
        show(recording)
    } catch {
        precondition(!error.description.isEmpty)
    }
    return 0
}

private func show(_ recording: Recording) {
    guard let report = try? ReportBuilder.build(recording, options: ReportOptions()) else { return }
    for output in ReportOutput.all { try? output.write(report) { _ in } }
}

private let file = FuzzFile("damaged.silt")

/// The bytes of a small recording.
private let base: [UInt8] = {
    let small = FuzzFile("small.silt")
    do throws(RecordingError) {
        let writer = try RecordingWriter(path: small.path)
        try fill(writer)
        try writer.close()
    } catch {
        preconditionFailure("\(error)")
    }
    return small.bytes()
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
        for snapshot: UInt32 in 0..<12 {
            var row = RecordedSnapshot(process: id, snapshot: snapshot, timeNs: UInt64(snapshot) * 1_000_000_000)
            (row.inUseBytes, row.rssBytes) = (4000, 20 << 20 + UInt64(snapshot) << 21)
            try writer.write(row)
            var look = RecordedMemory(process: id, snapshot: snapshot)
            look.bytes[.allocator] = UInt64(snapshot) << 21
            look.details[.sparsePages] = UInt64(snapshot) << 20
            try writer.write([look], process: id, replacing: false)
        }
        try writer.write((1...4).map { RecordedMoves(process: id, stack: StackID($0), count: 1, bytes: 64) })
        try writer.write((1...4).map { RecordedPin(process: id, stack: StackID($0), bytes: 4096) }, process: id)
    }
    try writer.add(module: 1, path: "/opt/server", buildID: [0xde, 0xad])
    for id in 1...20 as ClosedRange<UInt32> {
        let kind = Frame.Kind(rawValue: UInt8(id & 3)) ?? .incomplete
        try writer.add(frame: id, module: id & 1, offset: UInt64(id) << 12, kind: kind)
        try writer.write(
            symbols: [SourceFrame(function: "f\(id)", file: "f.c", line: Int(id), inlined: false)],
            frame: id
        )
    }
    for id in 1...40 as ClosedRange<UInt32> {
        try writer.add(stack: id, parent: id / 2, frame: 1 + id % 20)
        var counters = RecordedCounters(.heap, process: 1 + id & 1, stack: id)
        counters.allocatedBytes = UInt64(id) * 100
        counters.allocatedCount = UInt64(id)
        try writer.write(counters)
        try writer.write(history: [1, 2, 3, 4, 5, 6, 7, 8], of: .heap, process: 1, stack: id)
    }
    try writer.commit()
}
