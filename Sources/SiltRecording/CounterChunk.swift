internal import SiltEvents

/// Counters as they are stored, those of 512 stacks of a process to a row.
///
/// A row is a JSON array of `[stack - first, site, inuse_space, inuse_objects, alloc_space, alloc_objects, peak_space,
/// peak_objects, temporary_objects]`, by ascending stacks, those without counters left out; its number is
/// `resource << 56 | process << 32 | first`. With a row a stack, and a number a stack in `StackChunk`, silt took 362 ms of CPU on a compiler
/// where it takes 305. As JSON it is still SQL's to read: the view `counters`.
struct CounterChunk {
    static let size: UInt32 = 512

    /// 0: none; processes are numbered from 1.
    private(set) var number: UInt64 = 0
    private(set) var rows: [RecordedCounters] = []
    var isWritten = true

    private var first: UInt32 { UInt32(truncatingIfNeeded: number) }

    static func number(of counters: RecordedCounters) -> UInt64 {
        precondition(counters.process < 1 << 24, "more processes than a number has room for")
        return UInt64(counters.resource.rawValue) << 56 | UInt64(counters.process) << 32
            | UInt64(counters.stack.rawValue / size * size)
    }

    func holds(_ counters: RecordedCounters) -> Bool { Self.number(of: counters) == number }

    /// Goes on with the chunk of that number, of which nothing is known.
    mutating func begin(_ number: UInt64) {
        self.number = number
        rows.removeAll(keepingCapacity: true)
        isWritten = true
    }

    /// What was written of the chunk before; false if that is none.
    mutating func read(_ text: UnsafeBufferPointer<UInt8>) -> Bool { Self.read(text, number: number, into: &rows) }

    /// Adds the counters of a stack, or replaces what was there.
    mutating func set(_ counters: RecordedCounters) {
        isWritten = false
        var at = rows.count
        while at > 0, rows[at - 1].stack > counters.stack { at -= 1 }
        if at > 0, rows[at - 1].stack == counters.stack {
            rows[at - 1] = counters
        } else {
            rows.insert(counters, at: at)
        }
    }

    var text: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 2 + rows.count * (2 + 9 * NumberText.maximumBytes)) { text, count in
            func append(_ character: Unicode.Scalar) {
                text[count] = UInt8(ascii: character)
                count += 1
            }
            func append(_ number: UInt64) {
                append(",")
                count = NumberText.write(number, to: text, at: count)
            }
            append("[")
            for row in rows {
                if count > 1 { append(",") }
                append("[")
                count = NumberText.write(UInt64(row.stack.rawValue - first), to: text, at: count)
                append(UInt64(row.group.rawValue))
                append(row.inUseBytes)
                append(row.inUseCount)
                append(row.allocatedBytes)
                append(row.allocatedCount)
                append(row.peakBytes)
                append(row.peakCount)
                append(row.temporaryCount)
                append("]")
            }
            append("]")
        }
    }

    /// Appends the counters of a chunk; false for a text that is not such a chunk.
    static func read(
        _ text: UnsafeBufferPointer<UInt8>,
        number: UInt64,
        into rows: inout [RecordedCounters]
    ) -> Bool {
        guard let resource = Resource(rawValue: UInt8(number >> 56)) else { return false }
        let (process, first) = (UInt32(number >> 32 & 0xFF_FFFF), UInt32(truncatingIfNeeded: number))
        var reader = NumberReader(text)
        var after = -1
        let isWhole = reader.array { reader in
            guard reader.take("["), let offset = reader.number(), offset < size, Int(offset) > after else {
                return false
            }
            after = Int(offset)
            func next() -> UInt64? { reader.take(",") ? reader.number() : nil }
            guard let group = next(), let inUseBytes = next(), let inUseCount = next(), let allocatedBytes = next(),
                let allocatedCount = next(), let peakBytes = next(), let peakCount = next(),
                let temporaryCount = next(), reader.take("]")
            else { return false }
            var row = RecordedCounters(resource, process: process, stack: StackID(rawValue: first &+ UInt32(offset)))
            row.group = FrameID(rawValue: UInt32(truncatingIfNeeded: group))
            row.inUseBytes = inUseBytes
            row.inUseCount = inUseCount
            row.allocatedBytes = allocatedBytes
            row.allocatedCount = allocatedCount
            row.peakBytes = peakBytes
            row.peakCount = peakCount
            row.temporaryCount = temporaryCount
            rows.append(row)
            return true
        }
        return isWhole && reader.isAtEnd
    }
}
