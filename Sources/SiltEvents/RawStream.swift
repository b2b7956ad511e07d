internal import CSiltSystem
internal import CSiltWire
internal import Glibc
internal import SiltText

/// Layout of an event file: 32-byte `silt_chunk` headers, each followed by 16 bytes that check it (`Check`) and by
/// `length` bytes padded to 8.
///
/// `slot` below `SILT_MAX_SLOTS`: records of that slot from its byte `offset` on, in the order in which they were
/// decoded. Above: what `Mark` says. The file begins with a `.begin` chunk without payload whose `offset` is the format
/// version, so that other files are told apart at once, and ends with an `.exit` chunk. Example: 8 bytes of slot 3 from
/// its byte 4096 on, image 7, the file's fifth chunk →
/// `53 49 4c 54 31 00 00 00 | 07 0 0 0 0 0 0 0 | 03 00 00 00 | 08 00 00 00 | 00 10 0 0 0 0 0 0`,
/// `04 00 00 00 | checksum of the 8 bytes | 00 00 00 00 | checksum of the 44 bytes so far`, then the 8 bytes.
/// Files of version 1 have no checks; they are still read.
package enum RawStream {
    static let version: UInt64 = 2
    static let unchecked: UInt64 = 1
    static let headerBytes = MemoryLayout<silt_chunk>.size

    /// What follows a chunk's header.
    ///
    /// Checksums are CRC-32C (RFC 3720, B.4).
    struct Check {
        /// The chunk's number in the file, the first one's being 0.
        var number: UInt32
        /// Checksum of the padded payload.
        var payload: UInt32
        var zero: UInt32 = 0
        /// Checksum of the chunk's header and of what precedes this.
        var header: UInt32 = 0

        static let bytes = 16
    }
    static let checkedHeaderBytes = headerBytes + Check.bytes
    /// Nothing that is written is longer: a whole module log.
    static let maximumChunk = Int(SILT_MODULES_BYTES)

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
        /// `offset`: descriptors that are open and were not seen to be opened; payload: those that are not there any more
        /// and were not seen to be closed, 8 bytes each.
        case descriptors = 0xFFFF_FF08
        /// Payload: handles of threads of the image that were seen to run no more, 8 bytes each.
        case threads = 0xFFFF_FF09
        /// `offset`: a resource; payload: handles that a look has found to be there or not to be there any more, 8 bytes
        /// each, twice the handle, and one more where it is gone.
        case found = 0xFFFF_FF0A
        /// `offset`: a handle; payload: its resource and since when it is there in nanoseconds, 8 bytes each, then what it is:
        /// two texts that end with NUL.
        case example = 0xFFFF_FF0B
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
    /// A look at an image's descriptors; payload: the numbers that were closed unseen.
    case descriptors(image: UInt64, unseen: UInt64)
    /// Payload: handles of threads that run no more.
    case threads(image: UInt64)
    /// Payload: what a look has found to come and go, as `RawStream.Mark.found` says.
    case found(image: UInt64, resource: UInt64)
    /// Payload: what the thing of a handle is, as `RawStream.Mark.example` says.
    case example(image: UInt64, handle: UInt64)
    /// No chunk: a part of the file that is not what was written there.
    case damage(RawStreamDamage)
}

/// A part of an event file that was skipped.
package struct RawStreamDamage: Equatable, Sendable {
    /// Where it begins.
    package var offset: UInt64
    package var bytes: UInt64
    /// Chunks that are missing there; 0: something was put between two of them.
    package var chunks: UInt64
    /// The image whose chunk it was, where one is missing and that can be told; 0: none's.
    package var image: UInt64?
}

package enum RawStreamError: Error, Equatable {
    case system(call: String, path: String, errno: Int32)
    case foreign(path: String)
    case version(path: String, UInt64)
    case truncated(path: String, offset: UInt64, needed: Int, available: Int)
    /// It ends behind a chunk that is not the last one.
    case unended(path: String, offset: UInt64)
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
        case .system(let call, let path, let number): "\(path): \(call): \(errorText(number))"
        case .foreign(let path): "\(path) is not a silt event file"
        case .version(let path, let version):
            "\(path) has version \(version); this silt reads \(RawStream.unchecked) and \(RawStream.version)"
        case .truncated(let path, let offset, let needed, let available):
            "\(path) ends inside the chunk at byte \(offset): \(available) of \(needed) bytes"
        case .unended(let path, let offset): "\(path) ends at byte \(offset), before the trace does"
        case .badChunk(let path, let offset): "\(path), byte \(offset): not a chunk"
        }
    }
}

/// Writes an event file.
///
/// What is buffered is lost if `flush` is not called. Nothing is written after the first failure.
package struct RawStreamWriter: ~Copyable {
    private let path: String
    private let descriptor: Int32
    /// Why the file ends early; nil while all is well.
    package private(set) var failure: RawStreamError?
    private var buffer: [UInt8] = []
    /// Chunks so far.
    private var number: UInt32 = 0

    private static let flushAt = 1 << 18

    /// Creates or replaces the file, readable by its owner only.
    package init(path: String) throws(RawStreamError) {
        self.path = path
        // Without waiting for somebody who reads a FIFO (fifo(7), ENXIO): the command would not begin.
        descriptor = open(path.system, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else {
            throw .system(call: errno == ENXIO ? "nobody reads this pipe" : "open", path: path, errno: errno)
        }
        _ = fcntl(descriptor, F_SETFL, O_WRONLY)
        guard silt_claim(descriptor) != 0 else {
            throw .system(call: "another silt writes it", path: path, errno: EBUSY)
        }
        // A pipe has no length.
        _ = ftruncate(descriptor, 0)
        append(image: 0, .begin, offset: RawStream.version, nil)
    }

    deinit { _ = Glibc.close(descriptor) }

    /// What was run and by whom.
    package mutating func trace(_ texts: [String]) {
        Self.bytes(texts).withUnsafeBytes { append(image: 0, .trace, offset: 0, $0) }
    }

    private static func bytes(_ texts: [String]) -> [UInt8] { texts.flatMap { Array($0.utf8) + [0] } }

    package mutating func image(_ image: UInt64, timeNanoseconds: UInt64, header: UnsafeRawBufferPointer) {
        append(image: image, .image, offset: timeNanoseconds, header)
    }

    /// The module log's bytes from `offset` on.
    package mutating func modules(image: UInt64, offset: UInt64, _ bytes: UnsafeRawBufferPointer) {
        append(image: image, .modules, offset: offset, bytes)
    }

    /// The bytes that a call of `ImageDecoder.decode` consumed, in the order of those calls.
    package mutating func records(image: UInt64, slot: Int, offset: UInt64, _ bytes: UnsafeRawBufferPointer) {
        if !bytes.isEmpty { append(image: image, slot: UInt32(slot), offset: offset, bytes) }
    }

    package mutating func gap(image: UInt64, _ gap: StampGap) {
        let packed = UInt64(gap.shard) | UInt64(gap.stamp) << 16 | UInt64(gap.missing) << 32
        append(image: image, .gap, offset: packed, nil)
    }

    /// These threads were seen to run no more.
    package mutating func threads(image: UInt64, over handles: [UInt64]) {
        if !handles.isEmpty { append(handles, .threads, image: image) }
    }

    /// All open intervals end here.
    ///
    /// `residents`: resident bytes of each image.
    package mutating func snapshot(timeNanoseconds: UInt64, residents: [(image: UInt64, bytes: UInt64)]) {
        residents.flatMap { [$0.image, $0.bytes] }.withUnsafeBytes {
            append(image: 0, .snapshot, offset: timeNanoseconds, $0)
        }
    }

    /// An image ended; the meaning of `payload` is the session's.
    package mutating func end(image: UInt64, timeNanoseconds: UInt64, _ payload: UnsafeRawBufferPointer) {
        append(image: image, .end, offset: timeNanoseconds, payload)
    }

    /// The command ended, or silt did; the meaning of `payload` is the session's.
    package mutating func exit(timeNanoseconds: UInt64, _ payload: UnsafeRawBufferPointer) {
        append(image: 0, .exit, offset: timeNanoseconds, payload)
    }

    /// What a look at an image's descriptors found.
    package mutating func descriptors(image: UInt64, unseen: UInt64, gone: [UInt64]) {
        append(gone, .descriptors, image: image, offset: unseen)
    }

    /// What a look has found to come and go.
    package mutating func found(image: UInt64, resource: Resource, words: [UInt64]) {
        append(words, .found, image: image, offset: UInt64(resource.rawValue))
    }

    /// What the thing of a handle is.
    package mutating func example(
        image: UInt64,
        handle: UInt64,
        resource: Resource,
        sinceNanoseconds: UInt64,
        texts: [String]
    ) {
        let words = [UInt64(resource.rawValue), sinceNanoseconds].withUnsafeBytes { Array($0) }
        (words + Self.bytes(texts)).withUnsafeBytes { append(image: image, .example, offset: handle, $0) }
    }

    /// In as many chunks as the words need; one where there are none.
    private mutating func append(
        _ words: [UInt64],
        _ mark: RawStream.Mark,
        image: UInt64,
        offset: UInt64 = 0
    ) {
        var rest = words[...]
        repeat {
            let part = rest.prefix(RawStream.maximumChunk / 8)
            part.withUnsafeBytes { append(image: image, mark, offset: offset, $0) }
            rest = rest[part.endIndex...]
        } while !rest.isEmpty
    }

    private mutating func append(
        image: UInt64,
        _ mark: RawStream.Mark,
        offset: UInt64,
        _ payload: UnsafeRawBufferPointer?
    ) {
        append(image: image, slot: mark.rawValue, offset: offset, payload)
    }

    private mutating func append(image: UInt64, slot: UInt32, offset: UInt64, _ payload: UnsafeRawBufferPointer?) {
        guard failure == nil else { return }
        let length = payload?.count ?? 0
        precondition(length <= RawStream.maximumChunk, "a chunk holds at most \(RawStream.maximumChunk) bytes")
        let chunk = silt_chunk(
            magic: UInt64(SILT_MAGIC),
            image: image,
            slot: slot,
            length: UInt32(length),
            offset: offset
        )
        let start = buffer.count
        let payloadStart = start + RawStream.checkedHeaderBytes
        withUnsafeBytes(of: chunk) { buffer.append(contentsOf: $0) }
        buffer.append(contentsOf: repeatElement(0, count: RawStream.Check.bytes))
        if let payload { buffer.append(contentsOf: payload) }
        buffer.append(contentsOf: repeatElement(0, count: -length & 7))
        buffer.withUnsafeMutableBytes { all in
            let sum = silt_crc32c(0, all.baseAddress.map { $0 + payloadStart }, all.count - payloadStart)
            var check = RawStream.Check(number: number, payload: sum)
            all.storeBytes(of: check, toByteOffset: start + RawStream.headerBytes, as: RawStream.Check.self)
            check.header = silt_crc32c(0, all.baseAddress.map { $0 + start }, RawStream.checkedHeaderBytes - 4)
            all.storeBytes(of: check, toByteOffset: start + RawStream.headerBytes, as: RawStream.Check.self)
        }
        number &+= 1
        if buffer.count >= Self.flushAt { flush() }
    }

    /// Writes what is buffered.
    package mutating func flush() {
        var done = 0
        while done < buffer.count {
            let written = buffer.withUnsafeBytes { bytes in
                write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            }
            if written < 0 {
                if errno == EINTR { continue }
                failure = .system(call: "write", path: path, errno: errno)
                break
            }
            done += written
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
