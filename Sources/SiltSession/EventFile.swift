internal import CSiltWire
internal import SiltEvents

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

    private func attempt(_ body: (inout RawStreamWriter) throws(RawStreamError) -> Void) {
        guard failure == nil else { return }
        do throws(RawStreamError) { try body(&writer) } catch { failure = error }
    }

    func trace(_ origin: TraceOrigin) {
        let texts = [origin.siltVersion, origin.kernel, "\(origin.snapshotPeriodNs)", "\(origin.startUnixNs)"]
        attempt { (writer: inout RawStreamWriter) throws(RawStreamError) in try writer.trace(texts + origin.command) }
    }

    func image(_ image: TracedImage, at seconds: Double) {
        attempt { (writer: inout RawStreamWriter) throws(RawStreamError) in
            try writer.image(image.id, timeNanoseconds: nanoseconds(seconds), header: image.shared.headerAndTexts)
        }
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

    func gap(_ image: UInt64, _ gap: StampGap) {
        attempt { (writer: inout RawStreamWriter) throws(RawStreamError) in try writer.gap(image: image, gap) }
    }

    func snapshot(_ images: [TracedImage], at seconds: Double) {
        let residents = images.map { (image: $0.id, bytes: $0.sampleResidentBytes() ?? 0) }
        attempt { (writer: inout RawStreamWriter) throws(RawStreamError) in
            try writer.snapshot(timeNanoseconds: nanoseconds(seconds), residents: residents)
        }
    }

    func end(_ image: TracedImage, how: ImageEnd, at seconds: Double) {
        let words = [how.packed, image.sampleResidentBytes() ?? 0, image.shared.sentEvents]
        let payload = words.withUnsafeBytes { Array($0) }
        let all = payload + Array(image.shared.headerAndTexts.prefix(MemoryLayout<silt_header>.size))
        all.withUnsafeBytes { bytes in
            attempt { (writer: inout RawStreamWriter) throws(RawStreamError) in
                try writer.end(image: image.id, timeNanoseconds: nanoseconds(seconds), bytes)
            }
        }
    }

    /// Ends the file; returns why it is not whole, nil when it is.
    func close(_ outcome: TraceOutcome, at seconds: Double) -> RawStreamError? {
        let how = outcome.exit.map { ImageEnd.status($0) } ?? .stillRunning
        [how.packed, outcome.commandCPUNanoseconds, outcome.commandPeakBytes].withUnsafeBytes { bytes in
            attempt { (writer: inout RawStreamWriter) throws(RawStreamError) in
                try writer.exit(timeNanoseconds: nanoseconds(seconds), bytes)
                try writer.close()
            }
        }
        return failure
    }

    private func nanoseconds(_ seconds: Double) -> UInt64 { UInt64(max(0, seconds) * 1e9) }
}

/// What was traced, when, and by which silt.
struct TraceOrigin {
    var command: [String] = []
    var siltVersion = ""
    var kernel = ""
    var snapshotPeriodNs: UInt64 = 0
    /// CLOCK_REALTIME at the start.
    var startUnixNs: UInt64 = 0
}

extension ImageEnd {
    /// In an event file: the kind in the low half, status or signal in the high half.
    var packed: UInt64 {
        func pack(_ kind: UInt64, _ value: Int32) -> UInt64 { UInt64(UInt32(bitPattern: value)) << 32 | kind }
        return switch self {
        case .stillRunning: 0
        case .status(.exited(let status)): pack(1, status)
        case .status(.signaled(let signal)): pack(2, signal)
        case .ended: 3
        case .executed: 4
        }
    }

    init(packed: UInt64) {
        let value = Int32(truncatingIfNeeded: packed >> 32)
        switch packed & 0xFFFF_FFFF {
        case 1: self = .status(.exited(value))
        case 2: self = .status(.signaled(value))
        case 3: self = .ended
        case 4: self = .executed
        default: self = .stillRunning
        }
    }
}
