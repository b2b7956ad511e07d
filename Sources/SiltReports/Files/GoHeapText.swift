package import SiltFindings
internal import SiltRecording
internal import SiltText

/// The heap in the text that Go serves for `?debug=1`, which people read and old tools parse.
package enum GoHeapText {
    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        let totals = report.totals
        output.write(
            "heap profile: \(totals.inUseCount): \(totals.inUseBytes) "
                + "[\(totals.allocatedCount): \(totals.allocatedBytes)] @ heap/1\n"
        )
        let rows = report.recording.counters.filter { $0.resource == report.countedResource && $0.allocatedCount > 0 }
            .sorted { ($1.inUseBytes, $1.allocatedBytes, $0.stack) < ($0.inUseBytes, $0.allocatedBytes, $1.stack) }
        for row in rows {
            let frames = report.framesFromBlame(ofStack: row.stack)
            output.write(
                "\(row.inUseCount): \(row.inUseBytes) [\(row.allocatedCount): \(row.allocatedBytes)] @"
                    + frames.map { " " + Format.hex($0.offset) }.joined() + "\n"
            )
            for frame in frames {
                let place = frame.file.map { "\t\($0):\(frame.line ?? 0)" } ?? "\t\(frame.module)"
                output.write("#\t\(Format.hex(frame.offset))\t\(frame.name.printable)\(place.printable)\n")
            }
            output.write("\n")
        }
    }
}
