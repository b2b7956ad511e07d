internal import CSiltWire
internal import SiltEvents
internal import SiltRecording
internal import SiltSystem

/// The raw stream of a trace, kept in a file on the way (`silt run --events`).
///
/// What goes wrong with the file does not touch the trace: the first failure ends the file and is kept for a note.
final class EventFile {
    var writer: RawStreamWriter
    /// Bytes of each image's module log that are in the file.
    private var moduleBytes: [UInt64: Int] = [:]

    init(path: String) throws(RawStreamError) { writer = try RawStreamWriter(path: path) }

    /// Why the file ends early; nil while all is well.
    var failure: RawStreamError? { writer.failure }

    /// What is traced, when, and by which silt.
    func trace(_ target: RecordedTarget, maximumStep: UInt32) {
        let period = "\(target.snapshotPeriodNs)" + (maximumStep > 1 ? "/\(maximumStep)" : "")
        writer.trace([target.siltVersion, target.kernel, period, "\(target.startUnixNs)"] + target.command)
    }

    /// What an image's module log has grown by.
    func modules(_ image: UInt64, log: UnsafeRawBufferPointer) {
        let known = moduleBytes[image] ?? 0
        guard log.count > known else { return }
        moduleBytes[image] = log.count
        let fresh = UnsafeRawBufferPointer(rebasing: log[known...])
        writer.modules(image: image, offset: UInt64(known), fresh)
    }

    /// Ends the file; returns why it is not whole, nil when it is.
    func close(_ outcome: TraceOutcome, at seconds: Double) -> RawStreamError? {
        let how = outcome.exit.map { ImageEnd.status($0) } ?? .stillRunning
        [how.packed, outcome.commandCPUNanoseconds, outcome.commandPeakBytes].withUnsafeBytes {
            writer.exit(timeNanoseconds: Clock.nanoseconds(seconds), $0)
        }
        writer.flush()
        return failure
    }
}
