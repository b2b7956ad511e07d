import CSiltWire

@testable import SiltEvents

/// Writes the records of one slot as a producer does.
struct Records {
    var bytes: [UInt8] = []

    mutating func word(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func free(_ address: UInt64, _ stamp: UInt16) { word((address >> 3) << 20 | UInt64(stamp) << 4 | 2) }

    mutating func unfree(_ address: UInt64, _ stamp: UInt16) { word((address >> 3) << 20 | UInt64(stamp) << 4 | 3) }

    mutating func freeBy(_ address: UInt64, _ stamp: UInt16, _ stack: UInt32) {
        word((address >> 3) << 20 | UInt64(stamp) << 4 | 8)
        word(UInt64(stack))
    }

    mutating func alloc(_ address: UInt64, _ stamp: UInt16, _ size: UInt64, _ stack: UInt32, kind: UInt64 = 4) {
        word((address >> 3) << 20 | UInt64(stamp) << 4 | kind)
        word(size << 26 | UInt64(stack))
    }

    mutating func node(_ id: UInt32, parent: UInt32, _ address: UInt64, module: UInt16 = 1, flags: UInt8 = 0) {
        word(UInt64(id) << 38 | UInt64(parent) << 12 | UInt64(flags) << 4 | 6)
        word(UInt64(module) << 48 | address)
    }

    mutating func extended(_ type: UInt16, _ payload: [UInt64], words: Int? = nil) {
        word(UInt64(type) << 32 | UInt64(words ?? payload.count + 1) << 16 | 7)
        for value in payload { word(value) }
    }

    mutating func pad(_ words: Int) {
        word(UInt64(words) << 4 | 1)
        for _ in 1..<max(words, 1) { word(0) }
    }
}

/// One entry of a module log.
func moduleEntry(_ index: UInt32, bias: UInt64, path: String, buildID: [UInt8] = []) -> [UInt8] {
    let text = buildID + Array(path.utf8)
    let padding = -text.count & 7
    let entry = silt_module(
        bytes: UInt32(40 + text.count + padding),
        index: index,
        start: bias,
        end: bias + 0x1000,
        bias: bias,
        build_id_bytes: UInt32(buildID.count),
        path_bytes: UInt32(path.utf8.count)
    )
    return withUnsafeBytes(of: entry) { Array($0) } + text + [UInt8](repeating: 0, count: padding)
}

/// An image whose slots' bytes are all there from the start.
final class World {
    let stacks: StackTable
    var decoder: ImageDecoder
    var slots: [[UInt8]]
    var done: [Int]
    var events: [HeapEvent] = []
    var errors: [WireError] = []

    /// With one module, whose addresses are its offsets.
    init(
        _ slots: [[UInt8]],
        modules: [UInt8] = moduleEntry(1, bias: 0, path: "/bin/program"),
        stacks: StackTable = StackTable()
    ) {
        self.stacks = stacks
        decoder = ImageDecoder(stacks: stacks)
        self.slots = slots
        done = Array(repeating: 0, count: slots.count)
        modules.withUnsafeBytes { log in
            do throws(WireError) { try decoder.readModules(log) } catch { errors.append(error) }
        }
    }

    func skipGaps() -> StampGap? { decoder.skipGaps() }

    func isBlocked(_ slot: Int) -> Bool { decoder.isBlocked(slot: slot) }

    func consumed(_ slot: Int) -> UInt64 { decoder.consumed(slot: slot) }

    /// One call of `decode`; returns what it consumed, 0 after an error.
    func step(_ slot: Int, upTo end: Int? = nil, batchSize: Int = 64) -> Int {
        var batch = HeapEventBatch(capacity: batchSize)
        let result = slots[slot][done[slot]..<(end ?? slots[slot].count)].withUnsafeBytes { bytes in
            Result { () throws(WireError) in try decoder.decode(slot: slot, bytes, into: &batch) }
        }
        var used = 0
        switch result {
        case .success(let bytes): used = bytes
        case .failure(let error): errors.append(error)
        }
        done[slot] += used
        batch.withUnsafeBufferPointer { events += Array($0) }
        return used
    }

    /// Decodes everything that can be decoded, the slots in turn.
    func run() {
        var moved = true
        while moved {
            moved = false
            for slot in slots.indices where step(slot) > 0 { moved = true }
            errors = Array(errors.suffix(slots.count))
        }
    }
}
