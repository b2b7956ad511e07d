internal import SiltEvents

/// What of an event file could not be used.
struct EventFileDamage {
    private var parts = 0
    private var bytes: UInt64 = 0
    private var chunks: UInt64 = 0
    /// Whole chunks of images that had lost something before.
    var skippedChunks: UInt64 = 0

    /// True when something is missing, rather than too much there.
    var lostChunks: Bool { chunks > 0 }

    mutating func add(_ part: RawStreamDamage) {
        parts += 1
        bytes += part.bytes
        chunks += part.chunks
    }

    /// A sentence for the user; nil when all is well.
    func note(_ path: String) -> String? {
        guard parts > 0 else { return nil }
        let places = parts == 1 ? "a damaged part" : "\(parts) damaged parts"
        let behind = skippedChunks == 0 ? "" : ", and \(skippedChunks) chunks that rest on them"
        return "\(path) has \(places): \(bytes) bytes are skipped, \(chunks) chunks are missing\(behind)"
    }
}

extension RawStreamItem {
    /// The image that this continues; nil for what begins one, or is of the trace.
    var imageOfPart: UInt64? {
        switch self {
        case .modules(let image, _), .records(let image, _, _), .gap(let image, _), .end(let image, _),
            .descriptors(let image, _), .threads(let image), .found(let image, _), .example(let image, _):
            image
        case .trace, .image, .snapshot, .exit, .damage: nil
        }
    }
}
