internal import CSiltSystem
internal import CSiltWire
internal import Glibc
internal import SiltText

/// Layout of an event file: 32-byte `silt_chunk` headers, each followed by `length` bytes padded to 8.
///
/// `slot` below `SILT_MAX_SLOTS`: records of that slot from its byte `offset` on, in the order in which they were
/// decoded. Above: what `Mark` says. The file begins with a `.begin` chunk without payload whose `offset` is the format
/// version, so that other files are told apart at once. Example: 8 bytes of slot 3 from its byte 4096 on, image 7 →
/// `53 49 4c 54 31 00 00 00 | 07 0 0 0 0 0 0 0 | 03 00 00 00 | 08 00 00 00 | 00 10 0 0 0 0 0 0`, then the 8 bytes.
package enum RawStream {
    static let version: UInt64 = 1
    static let headerBytes = MemoryLayout<silt_chunk>.size
    /// Nothing that is written is longer: a whole module log.
    static let longest = Int(SILT_MODULES_BYTES)

    enum Mark: UInt32 {
        case begin = 0xFFFF_FF00
        /// Payload: the image's header and texts, `SILT_MODULES_OFFSET` bytes at most; `offset`: time in ns.
        case image = 0xFFFF_FF01
        /// Payload: the module log from `offset` on.
        case modules = 0xFFFF_FF02
        /// `offset`: shard | stamp << 16 | missing << 32.
        case gap = 0xFFFF_FF03
        /// `offset`: time in ns; payload: the image and its resident bytes, for each that lives, 16 bytes a pair.
        case snapshot = 0xFFFF_FF04
        /// `offset`: time in ns; payload: how the image ended (u32, i32), then its header as it stood then.
        case end = 0xFFFF_FF05
        /// Payload: what was run and by whom, as texts that end with NUL.
        case trace = 0xFFFF_FF06
        /// `offset`: time in ns; payload: how the command ended (u32, i32), its CPU time and peak (u64, u64).
        case exit = 0xFFFF_FF07
    }
}

/// What the next chunk of an event file holds.
///
/// Its bytes are the reader's `payload`.
package enum RawStreamItem: Equatable, Sendable {
    /// Payload: what was run and by whom, as texts that end with NUL.
    case trace
    /// An image appeared; payload: its header page and texts.
    case image(UInt64, timeNanoseconds: UInt64)
    /// Payload: the image's module log from byte `offset` on.
    case modules(image: UInt64, offset: UInt64)
    /// Payload: records of a slot from its byte `offset` on.
    case records(image: UInt64, slot: Int, offset: UInt64)
    case gap(image: UInt64, StampGap)
    /// Payload: pairs of image and resident bytes.
    case snapshot(timeNanoseconds: UInt64)
    /// Payload: how it ended, and its header then.
    case end(image: UInt64, timeNanoseconds: UInt64)
    /// Payload: how the command ended and what it used.
    case exit(timeNanoseconds: UInt64)
}

package enum RawStreamError: Error, Equatable {
    case system(call: String, path: String, errno: Int32)
    case foreign(path: String)
    case version(path: String, UInt64)
    case truncated(path: String, offset: UInt64, needed: Int, available: Int)
    case badChunk(path: String, offset: UInt64)
}

extension RawStream {
    /// Whether a file begins like an event file; false too when it cannot be read.
    package static func isEventFile(_ path: String) -> Bool {
        let descriptor = silt_open_regular(path.system)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var chunk = silt_chunk()
        let count = withUnsafeMutableBytes(of: &chunk) { pread(descriptor, $0.baseAddress, $0.count, 0) }
        return count == headerBytes && chunk.magic == UInt64(SILT_MAGIC) && chunk.slot == Mark.begin.rawValue
    }
}

extension RawStreamError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let call, let path, let number): "\(path): \(call): \(String(cString: strerror(number)))"
        case .foreign(let path): "\(path) is not a silt event file"
        case .version(let path, let version): "\(path) has version \(version); this silt reads \(RawStream.version)"
        case .truncated(let path, let offset, let needed, let available):
            "\(path) ends inside the chunk at byte \(offset): \(available) of \(needed) bytes"
        case .badChunk(let path, let offset): "\(path), byte \(offset): not a chunk"
        }
    }
}

/// Writes an event file.
///
/// What is buffered is lost if `close` is not called.
package struct RawStreamWriter: ~Copyable {
    private let path: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    private static let flushAt = 1 << 18

    /// Creates or replaces the file, readable by its owner only.
    package init(path: String) throws(RawStreamError) {
        self.path = path
        descriptor = open(path.system, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        guard silt_claim(descriptor) != 0 else {
            throw .system(call: "another silt writes it", path: path, errno: EBUSY)
        }
        // A pipe has no length.
        _ = ftruncate(descriptor, 0)
        append(image: 0, slot: RawStream.Mark.begin.rawValue, offset: RawStream.version, nil)
    }

    deinit { _ = Glibc.close(descriptor) }

    /// What was run and by whom.
    package mutating func trace(_ texts: [String]) throws(RawStreamError) {
        var bytes: [UInt8] = []
        for text in texts { bytes += Array(text.utf8) + [0] }
        bytes.withUnsafeBytes { append(image: 0, slot: RawStream.Mark.trace.rawValue, offset: 0, $0) }
        try flushIfLong()
    }

    package mutating func image(
        _ image: UInt64,
        timeNanoseconds: UInt64,
        header: UnsafeRawBufferPointer
    ) throws(RawStreamError) {
        append(image: image, slot: RawStream.Mark.image.rawValue, offset: timeNanoseconds, header)
        try flushIfLong()
    }

    /// The module log's bytes from `offset` on.
    package mutating func modules(
        image: UInt64,
        offset: UInt64,
        _ bytes: UnsafeRawBufferPointer
    ) throws(RawStreamError) {
        append(image: image, slot: RawStream.Mark.modules.rawValue, offset: offset, bytes)
        try flushIfLong()
    }

    /// The bytes that a call of `ImageDecoder.decode` consumed, in the order of those calls.
    package mutating func records(
        image: UInt64,
        slot: Int,
        offset: UInt64,
        _ bytes: UnsafeRawBufferPointer
    ) throws(RawStreamError) {
        guard !bytes.isEmpty else { return }
        append(image: image, slot: UInt32(slot), offset: offset, bytes)
        try flushIfLong()
    }

    package mutating func gap(image: UInt64, _ gap: StampGap) throws(RawStreamError) {
        let packed = UInt64(gap.shard) | UInt64(gap.stamp) << 16 | UInt64(gap.missing) << 32
        append(image: image, slot: RawStream.Mark.gap.rawValue, offset: packed, nil)
        try flushIfLong()
    }

    /// All open intervals end here.
    ///
    /// `residents`: resident bytes of each image.
    package mutating func snapshot(
        timeNanoseconds: UInt64,
        residents: [(image: UInt64, bytes: UInt64)]
    ) throws(RawStreamError) {
        residents.flatMap { [$0.image, $0.bytes] }.withUnsafeBytes {
            append(image: 0, slot: RawStream.Mark.snapshot.rawValue, offset: timeNanoseconds, $0)
        }
        try flushIfLong()
    }

    /// An image ended; the meaning of `payload` is the session's.
    package mutating func end(
        image: UInt64,
        timeNanoseconds: UInt64,
        _ payload: UnsafeRawBufferPointer
    ) throws(RawStreamError) {
        append(image: image, slot: RawStream.Mark.end.rawValue, offset: timeNanoseconds, payload)
        try flushIfLong()
    }

    /// The command ended, or silt did; the meaning of `payload` is the session's.
    package mutating func exit(timeNanoseconds: UInt64, _ payload: UnsafeRawBufferPointer) throws(RawStreamError) {
        append(image: 0, slot: RawStream.Mark.exit.rawValue, offset: timeNanoseconds, payload)
        try flushIfLong()
    }

    /// Writes what is buffered.
    package mutating func close() throws(RawStreamError) { try flush() }

    private mutating func append(image: UInt64, slot: UInt32, offset: UInt64, _ payload: UnsafeRawBufferPointer?) {
        let length = payload?.count ?? 0
        precondition(length <= RawStream.longest, "a chunk holds at most \(RawStream.longest) bytes")
        let chunk = silt_chunk(
            magic: UInt64(SILT_MAGIC),
            image: image,
            slot: slot,
            length: UInt32(length),
            offset: offset
        )
        withUnsafeBytes(of: chunk) { buffer.append(contentsOf: $0) }
        if let payload { buffer.append(contentsOf: payload) }
        buffer.append(contentsOf: repeatElement(0, count: -length & 7))
    }

    private mutating func flushIfLong() throws(RawStreamError) {
        if buffer.count >= Self.flushAt { try flush() }
    }

    private mutating func flush() throws(RawStreamError) {
        var done = 0
        while done < buffer.count {
            let written = buffer.withUnsafeBytes { bytes in
                write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            }
            if written < 0 {
                if errno == EINTR { continue }
                throw .system(call: "write", path: path, errno: errno)
            }
            done += written
        }
        buffer.removeAll(keepingCapacity: true)
    }
}

/// Reads an event file chunk by chunk.
package struct RawStreamReader: ~Copyable {
    private let path: String
    private let descriptor: Int32
    private var offset: UInt64 = 0
    /// The payload of the item `next` returned last.
    package private(set) var payload: [UInt8] = []

    package init(path: String) throws(RawStreamError) {
        self.path = path
        descriptor = silt_open_regular(path.system)
        guard descriptor >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        var head: [UInt8] = []
        let count = try Self.fill(&head, RawStream.headerBytes, descriptor, path)
        guard count == RawStream.headerBytes else { throw .foreign(path: path) }
        let chunk = head.withUnsafeBytes { $0.loadUnaligned(as: silt_chunk.self) }
        guard chunk.magic == UInt64(SILT_MAGIC), chunk.slot == RawStream.Mark.begin.rawValue, chunk.length == 0 else {
            throw .foreign(path: path)
        }
        guard chunk.offset == RawStream.version else { throw .version(path: path, chunk.offset) }
        offset = UInt64(count)
    }

    deinit { _ = Glibc.close(descriptor) }

    /// The next item; nil at the end of the file.
    ///
    /// A file cut inside a chunk throws `.truncated` in its place.
    package mutating func next() throws(RawStreamError) -> RawStreamItem? {
        var head: [UInt8] = []
        let got = try Self.fill(&head, RawStream.headerBytes, descriptor, path)
        if got == 0 { return nil }
        let start = offset
        guard got == RawStream.headerBytes else {
            throw .truncated(path: path, offset: start, needed: RawStream.headerBytes, available: got)
        }
        let chunk = head.withUnsafeBytes { $0.loadUnaligned(as: silt_chunk.self) }
        let length = Int(chunk.length)
        guard chunk.magic == UInt64(SILT_MAGIC), length <= RawStream.longest, let item = item(chunk) else {
            throw .badChunk(path: path, offset: start)
        }
        let padded = (length + 7) & ~7
        let available = try Self.fill(&payload, padded, descriptor, path)
        guard available == padded else {
            throw .truncated(
                path: path,
                offset: start,
                needed: RawStream.headerBytes + padded,
                available: RawStream.headerBytes + available
            )
        }
        payload.removeLast(padded - length)
        offset = start + UInt64(RawStream.headerBytes + padded)
        return item
    }

    private func item(_ chunk: silt_chunk) -> RawStreamItem? {
        if chunk.slot < SILT_MAX_SLOTS {
            return .records(image: chunk.image, slot: Int(chunk.slot), offset: chunk.offset)
        }
        guard let mark = RawStream.Mark(rawValue: chunk.slot) else { return nil }
        switch mark {
        case .begin: return nil
        case .trace: return .trace
        case .image: return .image(chunk.image, timeNanoseconds: chunk.offset)
        case .modules: return .modules(image: chunk.image, offset: chunk.offset)
        case .gap:
            let gap = StampGap(
                shard: UInt32(chunk.offset & 0xFFFF),
                stamp: UInt16(chunk.offset >> 16 & 0xFFFF),
                missing: UInt16(chunk.offset >> 32 & 0xFFFF)
            )
            return .gap(image: chunk.image, gap)
        case .snapshot: return .snapshot(timeNanoseconds: chunk.offset)
        case .end: return .end(image: chunk.image, timeNanoseconds: chunk.offset)
        case .exit: return .exit(timeNanoseconds: chunk.offset)
        }
    }

    /// Replaces `bytes` by up to `count` bytes of the file; fewer only at its end.
    private static func fill(
        _ bytes: inout [UInt8],
        _ count: Int,
        _ descriptor: Int32,
        _ path: String
    ) throws(RawStreamError) -> Int {
        if bytes.count < count { bytes.append(contentsOf: repeatElement(0, count: count - bytes.count)) }
        if bytes.count > count { bytes.removeLast(bytes.count - count) }
        var done = 0
        while done < count {
            let received = bytes.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress.map { $0 + done }, count - done)
            }
            if received < 0 {
                if errno == EINTR { continue }
                throw .system(call: "read", path: path, errno: errno)
            }
            if received == 0 { break }
            done += received
        }
        return done
    }
}
