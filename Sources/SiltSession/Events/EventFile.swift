internal import CSiltWire
internal import SiltEvents
internal import SiltSystem

/// The raw stream of a trace, kept in a file on the way (`silt run --events`).
///
/// What goes wrong with the file does not touch the trace: the first failure ends the file and is kept for a note.
final class EventFile {
    private var writer: RawStreamWriter
    /// Why the file ends early; nil while all is well.
    private(set) var failure: RawStreamError?
    /// Bytes of each image's module log that are in the file.
    private var moduleBytes: [UInt64: Int] = [:]

    init(path: String) throws(RawStreamError) { writer = try RawStreamWriter(path: path) }

    func attempt(_ body: (inout RawStreamWriter) throws(RawStreamError) -> Void) {
        guard failure == nil else { return }
        do throws(RawStreamError) { try body(&writer) } catch { failure = error }
    }

    func trace(_ origin: TraceOrigin) {
        let period = "\(origin.snapshotPeriodNs)" + (origin.maximumStep > 1 ? "/\(origin.maximumStep)" : "")
        let texts = [origin.siltVersion, origin.kernel, period, "\(origin.startUnixNs)"]
        attempt { (writer: inout RawStreamWriter) throws(RawStreamError) in try writer.trace(texts + origin.command) }
    }

    /// What an image's module log has grown by.
    func modules(_ image: UInt64, log: UnsafeRawBufferPointer) {
        let known = moduleBytes[image] ?? 0
        guard log.count > known else { return }
        moduleBytes[image] = log.count
        let fresh = UnsafeRawBufferPointer(rebasing: log[known...])
        attempt { (writer: inout RawStreamWriter) throws(RawStreamError) in
            try writer.modules(image: image, offset: UInt64(known), fresh)
        }
    }

    func records(_ image: UInt64, slot: Int, offset: UInt64, _ bytes: UnsafeRawBufferPointer) {
        attempt { (writer: inout RawStreamWriter) throws(RawStreamError) in
            try writer.records(image: image, slot: slot, offset: offset, bytes)
        }
    }

    func threads(_ image: UInt64, over handles: [UInt64]) {
        attempt { (writer: inout RawStreamWriter) throws(RawStreamError) in
            try writer.threads(image: image, over: handles)
        }
    }

    func gap(_ image: UInt64, _ gap: StampGap) {
        attempt { (writer: inout RawStreamWriter) throws(RawStreamError) in try writer.gap(image: image, gap) }
    }

    /// Ends the file; returns why it is not whole, nil when it is.
    func close(_ outcome: TraceOutcome, at seconds: Double) -> RawStreamError? {
        let how = outcome.exit.map { ImageEnd.status($0) } ?? .stillRunning
        [how.packed, outcome.commandCPUNanoseconds, outcome.commandPeakBytes].withUnsafeBytes { bytes in
            attempt { (writer: inout RawStreamWriter) throws(RawStreamError) in
                try writer.exit(timeNanoseconds: Clock.nanoseconds(seconds), bytes)
                try writer.close()
            }
        }
        return failure
    }
}
