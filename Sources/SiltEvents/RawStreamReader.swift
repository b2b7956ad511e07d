internal import CSiltSystem
internal import CSiltWire
internal import Glibc
internal import SiltText

/// Reads an event file chunk by chunk.
///
/// Parts that are not what was written become `.damage`; what comes behind them is read on.
package struct RawStreamReader: ~Copyable {
    private let path: String
    private let descriptor: Int32
    private var offset: UInt64 = 0
    /// The number that the next chunk has.
    private var number: UInt32 = 1
    /// A chunk that was found behind a damaged part, which is told first.
    private var found: RawStreamItem?
    private var hasEnded = false
    private var falseStarts = 0
    /// The payload of the item `next` returned last.
    package private(set) var payload: [UInt8] = []
    /// False for a file of the first version: what is damaged in it may be read as something else.
    package let hasChecksums: Bool

    /// Headers without their payload that are looked behind: each costs up to `RawStream.maximumChunk` bytes of reading.
    private static let falseStartLimit = 1000

    package init(path: String) throws(RawStreamError) {
        let opened = silt_open_regular(path.system)
        guard opened >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        let isChecked: Bool
        do throws(RawStreamError) {
            isChecked = try Self.beginning(opened, path)
        } catch {
            _ = Glibc.close(opened)
            throw error
        }
        self.path = path
        descriptor = opened
        hasChecksums = isChecked
        offset = UInt64(isChecked ? RawStream.checkedHeaderBytes : RawStream.headerBytes)
    }

    /// Whether the file has checksums, by its first chunk.
    private static func beginning(_ descriptor: Int32, _ path: String) throws(RawStreamError) -> Bool {
        var head: [UInt8] = []
        let count = try fill(&head, RawStream.headerBytes, at: 0, descriptor, path)
        guard count == RawStream.headerBytes else { throw .foreign(path: path) }
        let chunk = head.withUnsafeBytes { $0.loadUnaligned(as: silt_chunk.self) }
        guard chunk.magic == UInt64(SILT_MAGIC), chunk.slot == RawStream.Mark.begin.rawValue, chunk.length == 0 else {
            throw .foreign(path: path)
        }
        if chunk.offset == RawStream.unchecked { return false }
        guard chunk.offset == RawStream.version else { throw .version(path: path, chunk.offset) }
        guard let first = try header(at: 0, descriptor, path), first.check.number == 0 else {
            throw .badChunk(path: path, offset: 0)
        }
        return true
    }

    deinit { _ = Glibc.close(descriptor) }

    /// The next item; nil at the end of a whole file.
    ///
    /// A file cut inside a chunk throws `.truncated`, one cut between two `.unended`.
    package mutating func next() throws(RawStreamError) -> RawStreamItem? {
        if let item = found {
            found = nil
            return item
        }
        let start = offset
        if hasChecksums { return try nextChecked(from: start) }
        guard let chunk = try uncheckedHeader(at: start) else { return try end(at: start) }
        guard chunk.magic == UInt64(SILT_MAGIC), Int(chunk.length) <= RawStream.maximumChunk, let item = item(chunk)
        else {
            throw .badChunk(path: path, offset: start)
        }
        let padded = (Int(chunk.length) + 7) & ~7
        let available = try Self.fill(&payload, padded, at: start + UInt64(RawStream.headerBytes), descriptor, path)
        guard available == padded else { throw truncated(start, RawStream.headerBytes, padded, available) }
        payload.removeLast(padded - Int(chunk.length))
        offset = start + UInt64(RawStream.headerBytes + padded)
        return item
    }

    /// The end of the file: whole, if the last chunk was there.
    private func end(at start: UInt64) throws(RawStreamError) -> RawStreamItem? {
        guard hasEnded else { throw .unended(path: path, offset: start) }
        return nil
    }

    private func truncated(_ start: UInt64, _ head: Int, _ padded: Int, _ available: Int) -> RawStreamError {
        .truncated(path: path, offset: start, needed: head + padded, available: head + available)
    }

    private func uncheckedHeader(at start: UInt64) throws(RawStreamError) -> silt_chunk? {
        var head: [UInt8] = []
        let got = try Self.fill(&head, RawStream.headerBytes, at: start, descriptor, path)
        if got == 0 { return nil }
        guard got == RawStream.headerBytes else {
            throw .truncated(path: path, offset: start, needed: RawStream.headerBytes, available: got)
        }
        return head.withUnsafeBytes { $0.loadUnaligned(as: silt_chunk.self) }
    }

    // MARK: Files with checksums

    private struct Header {
        var chunk: silt_chunk
        var check: RawStream.Check

        /// Nil unless the bytes are a header with its check.
        init?(_ bytes: UnsafeRawBufferPointer) {
            guard bytes.count >= RawStream.checkedHeaderBytes else { return nil }
            chunk = bytes.loadUnaligned(as: silt_chunk.self)
            check = bytes.loadUnaligned(fromByteOffset: RawStream.headerBytes, as: RawStream.Check.self)
            guard chunk.magic == UInt64(SILT_MAGIC), Int(chunk.length) <= RawStream.maximumChunk,
                check.header == silt_crc32c(0, bytes.baseAddress, RawStream.checkedHeaderBytes - 4)
            else { return nil }
        }

        var padded: Int { (Int(chunk.length) + 7) & ~7 }
    }

    private static func header(
        at start: UInt64,
        _ descriptor: Int32,
        _ path: String
    ) throws(RawStreamError) -> Header? {
        var bytes: [UInt8] = []
        _ = try fill(&bytes, RawStream.checkedHeaderBytes, at: start, descriptor, path)
        return bytes.withUnsafeBytes { Header($0) }
    }

    /// Reads the payload; false, with the count that there was, when it is not what was written.
    private mutating func readPayload(
        of header: Header,
        at start: UInt64
    ) throws(RawStreamError) -> (isWhole: Bool, available: Int) {
        let begin = start + UInt64(RawStream.checkedHeaderBytes)
        let available = try Self.fill(&payload, header.padded, at: begin, descriptor, path)
        let sum = payload.withUnsafeBytes { silt_crc32c(0, $0.baseAddress, $0.count) }
        guard available == header.padded, sum == header.check.payload else { return (false, available) }
        payload.removeLast(header.padded - Int(header.chunk.length))
        return (true, available)
    }

    private mutating func nextChecked(from start: UInt64) throws(RawStreamError) -> RawStreamItem? {
        let first = try Self.header(at: start, descriptor, path)
        var available = 0
        if let first, first.check.number >= number {
            let read = try readPayload(of: first, at: start)
            if read.isWhole { return take(first, at: start, behind: start, cause: nil) }
            available = read.available
        } else if first == nil {
            var rest: [UInt8] = []
            let got = try Self.fill(&rest, RawStream.checkedHeaderBytes, at: start, descriptor, path)
            if got == 0 { return try end(at: start) }
            guard got == RawStream.checkedHeaderBytes || hasEnded else {
                throw .truncated(path: path, offset: start, needed: RawStream.checkedHeaderBytes, available: got)
            }
        }
        // Something is wrong here: what comes next that is whole?
        var from = start + 1
        while let (place, header) = try search(from: from) {
            if try readPayload(of: header, at: place).isWhole {
                return take(header, at: place, behind: start, cause: first)
            }
            falseStarts += 1
            guard falseStarts < Self.falseStartLimit else { throw .badChunk(path: path, offset: start) }
            from = place + 1
        }
        if let first, first.check.number >= number {
            throw truncated(start, RawStream.checkedHeaderBytes, first.padded, available)
        }
        throw .badChunk(path: path, offset: start)
    }

    /// Takes a whole chunk, whose payload was read; what is between it and `start` is damaged, and told before it.
    ///
    /// `cause`: the header that stands at `start`, if there is one.
    private mutating func take(
        _ header: Header,
        at place: UInt64,
        behind start: UInt64,
        cause: Header?
    ) -> RawStreamItem? {
        let missing = UInt64(header.check.number - number)
        offset = place + UInt64(RawStream.checkedHeaderBytes + header.padded)
        number = header.check.number &+ 1
        // A mark of a later silt, or anything behind the last chunk.
        let taken = hasEnded ? nil : item(header.chunk)
        guard place > start || missing > 0 || taken == nil else { return taken }
        var damage = RawStreamDamage(offset: start, bytes: place - start, chunks: missing)
        if missing == 1, let cause { damage.image = cause.chunk.image }
        if taken == nil { damage.bytes = offset - start }
        found = taken
        return .damage(damage)
    }

    /// The first header with its check that begins at `start` or behind it, and is none of a chunk that was taken.
    private func search(from start: UInt64) throws(RawStreamError) -> (UInt64, Header)? {
        let magic = withUnsafeBytes(of: UInt64(SILT_MAGIC)) { Array($0) }
        var window: [UInt8] = []
        var base = start
        while true {
            let got = try Self.fill(&window, 1 << 18, at: base, descriptor, path)
            guard got >= RawStream.checkedHeaderBytes else { return nil }
            let place = window.withUnsafeBytes { all -> (Int, Header)? in
                var at = 0
                while at + RawStream.checkedHeaderBytes <= got,
                    let start = all.baseAddress,
                    let hit = memmem(start + at, got - at, magic, magic.count)
                {
                    at = UnsafeRawPointer(hit) - start
                    if let header = Header(UnsafeRawBufferPointer(rebasing: all[at..<got])),
                        header.check.number >= number
                    {
                        return (at, header)
                    }
                    at += 1
                }
                return nil
            }
            if let (at, header) = place { return (base + UInt64(at), header) }
            // Headers that reach over the window's end are in the next one.
            base += UInt64(got - RawStream.checkedHeaderBytes + 1)
        }
    }

    // MARK: Both

    private mutating func item(_ chunk: silt_chunk) -> RawStreamItem? {
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
        case .descriptors: return .descriptors(image: chunk.image, unseen: chunk.offset)
        case .exit:
            hasEnded = true
            return .exit(timeNanoseconds: chunk.offset)
        case .threads: return .threads(image: chunk.image)
        case .found: return .found(image: chunk.image, resource: chunk.offset)
        case .example: return .example(image: chunk.image, handle: chunk.offset)
        }
    }

    /// Replaces `bytes` by up to `count` bytes of the file from `offset` on; returns how many there are.
    ///
    /// What is missing at the file's end is not in `bytes`.
    private static func fill(
        _ bytes: inout [UInt8],
        _ count: Int,
        at offset: UInt64,
        _ descriptor: Int32,
        _ path: String
    ) throws(RawStreamError) -> Int {
        if bytes.count < count { bytes.append(contentsOf: repeatElement(0, count: count - bytes.count)) }
        if bytes.count > count { bytes.removeLast(bytes.count - count) }
        var done = 0
        while done < count {
            let received = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress.map { $0 + done }, count - done, off_t(clamping: offset) + done)
            }
            if received < 0 {
                if errno == EINTR { continue }
                throw .system(call: "read", path: path, errno: errno)
            }
            if received == 0 { break }
            done += received
        }
        bytes.removeLast(count - done)
        return done
    }
}
