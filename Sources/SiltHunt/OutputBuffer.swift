/// The first and the last part of an output of any length.
struct OutputBuffer: Sendable {
    private var head: [UInt8] = []
    private var tail: [UInt8] = []
    private let partBytes: Int
    private var omittedBytes = 0

    /// Keeps that much from the beginning, and at least as much from the end.
    init(partBytes: Int = 65536) { self.partBytes = partBytes }

    mutating func add(_ bytes: some Collection<UInt8>) {
        let toHead = bytes.prefix(partBytes - head.count)
        head += toHead
        tail += bytes.dropFirst(toHead.count)
        // Cut seldom: each cut moves what is kept.
        if tail.count > 2 * partBytes {
            omittedBytes += tail.count - partBytes
            tail.removeFirst(tail.count - partBytes)
        }
    }

    /// Both parts, with a line between them that says how much is missing.
    var text: String {
        let missing = omittedBytes + max(0, tail.count - partBytes)
        guard missing > 0 else { return String(decoding: head + tail, as: UTF8.self) }
        return String(decoding: head, as: UTF8.self) + "\n[\(missing) bytes left out]\n"
            + String(decoding: tail.suffix(partBytes), as: UTF8.self)
    }
}
