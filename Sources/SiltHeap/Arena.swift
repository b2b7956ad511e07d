internal import SiltEvents

/// Zeroed memory that is cut into pieces, which stay where they are until it goes away as a whole.
///
/// It comes in a few memory pages at first and then in many at a time: a fault for each 4 KiB costs more than their use.
struct Arena: ~Copyable {
    private var chunks: [(start: UnsafeMutableRawPointer, bytes: Int)] = []
    /// Bytes used in the last chunk.
    private var used = 0
    private let biggestChunk: Int
    /// Bytes of memory it takes.
    private(set) var bytes = 0

    /// - Parameter biggestChunk: Bytes; from 4 MiB on chunks are of huge pages.
    init(biggestChunk: Int) { self.biggestChunk = biggestChunk }

    deinit { for chunk in chunks { Pages.free(chunk.start, bytes: chunk.bytes) } }

    /// A piece of this many bytes, all 0; aligned to a cache line if the sizes of all pieces are multiples of 64.
    mutating func take(_ count: Int) -> UnsafeMutableRawPointer {
        if chunks.isEmpty || used + count > chunks[chunks.count - 1].bytes {
            let size = max(count, min(biggestChunk, (chunks.last?.bytes ?? 8192) * 2))
            chunks.append((Pages.bytes(size), size))
            bytes += size
            used = 0
        }
        defer { used += count }
        return chunks[chunks.count - 1].start + used
    }
}
