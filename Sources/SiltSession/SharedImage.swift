internal import CSiltSystem
internal import CSiltWire
internal import Glibc
internal import SiltText

/// The analyzer's view of one traced image's memory file (layout: silt_wire.h).
///
/// The file belongs to the target, which may write anything into it: every number read here is checked against the
/// file's size before it is used, and a slot whose counters contradict each other is reported as damaged.
struct SharedImage: ~Copyable {
    let file: Int32
    /// Header, texts and module log; always mapped.
    let head: UnsafeMutableRawPointer
    /// One mapping per slot, made when the slot is first looked at.
    private(set) var slots: [UnsafeMutableRawPointer] = []

    private static let headBytes = Int(SILT_SLOTS_OFFSET)
    private static let ringBytes = UInt64(SILT_RING_BYTES)

    enum Damage: Error {
        case notAMemoryFile
        case otherVersion(UInt32)
        case cannotMap(String)
        case slotCounters(slot: Int, committed: UInt64, consumed: UInt64)
    }

    /// Takes over the descriptor.
    init(file: Int32) throws(Damage) {
        var status = stat()
        guard fstat(file, &status) == 0, status.st_size >= SharedImage.headBytes else {
            close(file)
            throw .notAMemoryFile
        }
        let mapped = mmap(nil, SharedImage.headBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        guard let mapped, mapped != MAP_FAILED else {
            close(file)
            throw .cannotMap(String(cString: strerror(errno)))
        }
        let header = mapped.load(as: silt_header.self)
        guard header.magic == SILT_MAGIC, header.version == SILT_WIRE_VERSION else {
            munmap(mapped, SharedImage.headBytes)
            close(file)
            throw header.magic == SILT_MAGIC ? .otherVersion(header.version) : .notAMemoryFile
        }
        head = mapped
        self.file = file
    }

    deinit {
        for slot in slots { munmap(slot, Int(SILT_SLOT_STRIDE)) }
        munmap(head, SharedImage.headBytes)
        close(file)
    }

    /// A copy of the header as it stands now.
    var header: silt_header { head.load(as: silt_header.self) }

    /// Tells the shim that nobody reads any more; it switches off at its next look.
    func announceReaderGone() {
        silt_store_release_u32(&head.assumingMemoryBound(to: silt_header.self).pointee.reader_gone, 1)
        for slot in slots { silt_wake(&slot.assumingMemoryBound(to: silt_slot.self).pointee.waiting) }
    }

    /// True when the target is the first of its pid namespace and ends now.
    var isLeaving: Bool {
        silt_load_acquire_u32(&head.assumingMemoryBound(to: silt_header.self).pointee.leaving) != 0
    }

    /// Lets such a target go on.
    func answerLeaving(closed: Bool) {
        silt_store_release_u32(
            &head.assumingMemoryBound(to: silt_header.self).pointee.leave_answer,
            closed ? 2 : 1
        )
    }

    /// The module log's valid bytes.
    var moduleLog: UnsafeRawBufferPointer {
        let valid = silt_load_acquire_u64(&head.assumingMemoryBound(to: silt_header.self).pointee.modules_bytes)
        return UnsafeRawBufferPointer(
            start: head + Int(SILT_MODULES_OFFSET),
            count: Int(min(valid, UInt64(SILT_MODULES_BYTES)))
        )
    }

    /// argv without empty words at its end, or [] when the shim could not read it.
    var command: [String] {
        let area = UnsafeRawBufferPointer(start: head + Int(SILT_COMMAND_OFFSET), count: Int(SILT_TEXT_BYTES))
        guard let last = area.lastIndex(where: { $0 != 0 }) else { return [] }
        return area[...last].split(separator: 0, omittingEmptySubsequences: false).map { String(system: $0) }
    }

    var executable: String { text(at: SILT_EXE_OFFSET) }
    var allocator: String { text(at: SILT_ALLOC_OFFSET) }
    var workingDirectory: String { text(at: SILT_CWD_OFFSET) }

    private func text(at offset: UInt32) -> String {
        let area = UnsafeRawBufferPointer(start: head + Int(offset), count: Int(SILT_TEXT_BYTES))
        return String(system: area.prefix { $0 != 0 })
    }

    /// Maps the slots made since the last call; returns how many there are.
    mutating func mapNewSlots() -> Int {
        let made = silt_load_acquire_u32(&head.assumingMemoryBound(to: silt_header.self).pointee.slot_count)
        let count = Int(min(made, SILT_MAX_SLOTS))
        var status = stat()
        while slots.count < count {
            let offset = Int(SILT_SLOTS_OFFSET) + slots.count * Int(SILT_SLOT_STRIDE)
            guard fstat(file, &status) == 0, status.st_size >= offset + Int(SILT_SLOT_STRIDE),
                let mapped = mmap(nil, Int(SILT_SLOT_STRIDE), PROT_READ | PROT_WRITE, MAP_SHARED, file, offset),
                mapped != MAP_FAILED
            else { break }
            slots.append(mapped)
        }
        return slots.count
    }

    /// Bytes that a slot's producer has published since the slot was made.
    func committed(slot: Int) -> UInt64 {
        silt_load_acquire_u64(&slots[slot].assumingMemoryBound(to: silt_slot.self).pointee.committed)
    }

    /// The contiguous unread bytes of a slot.
    ///
    /// Empty when all has been read. The ring's end ends a stretch.
    func unread(slot: Int) throws(Damage) -> UnsafeRawBufferPointer {
        let state = slots[slot].assumingMemoryBound(to: silt_slot.self)
        let committed = silt_load_acquire_u64(&state.pointee.committed)
        let consumed = state.pointee.consumed
        guard committed >= consumed, committed - consumed <= SharedImage.ringBytes else {
            throw .slotCounters(slot: slot, committed: committed, consumed: consumed)
        }
        let offset = consumed % SharedImage.ringBytes
        let count = min(committed - consumed, SharedImage.ringBytes - offset)
        return UnsafeRawBufferPointer(
            start: slots[slot] + Int(SILT_SLOT_HEADER) + Int(offset),
            count: Int(count)
        )
    }

    /// Gives `count` bytes back to the producer, and wakes it when it waits for room and half of its ring is free.
    ///
    /// Woken for every few bytes, a program that is faster than the analyzer would spend its time in going to sleep.
    /// Call `wakeWaiting` when no more is read for now.
    func consume(slot: Int, count: Int) {
        let state = slots[slot].assumingMemoryBound(to: silt_slot.self)
        let consumed = state.pointee.consumed + UInt64(count)
        silt_store_release_u64(&state.pointee.consumed, consumed)
        if silt_load_acquire_u32(&state.pointee.waiting) != 0 {
            let unread = silt_load_acquire_u64(&state.pointee.committed) &- consumed
            if unread <= SharedImage.ringBytes / 2 { silt_wake(&state.pointee.waiting) }
        }
    }

    /// Wakes the producers that wait, however little room there is.
    func wakeWaiting() {
        for slot in slots {
            let state = slot.assumingMemoryBound(to: silt_slot.self)
            if silt_load_acquire_u32(&state.pointee.waiting) != 0 { silt_wake(&state.pointee.waiting) }
        }
    }

    /// Events the shim has written into all slots, by its own count.
    var sentEvents: UInt64 {
        slots.reduce(0) { sum, slot in
            sum &+ silt_load_acquire_u64(&slot.assumingMemoryBound(to: silt_slot.self).pointee.events)
        }
    }

    /// Bytes the shim has written into all slots.
    var committedBytes: UInt64 {
        slots.reduce(0) { sum, slot in
            sum &+ silt_load_acquire_u64(&slot.assumingMemoryBound(to: silt_slot.self).pointee.committed)
        }
    }

    /// Bytes the analyzer has read out of all slots.
    var consumedBytes: UInt64 {
        slots.reduce(0) { sum, slot in sum &+ slot.assumingMemoryBound(to: silt_slot.self).pointee.consumed }
    }
}
