internal import CSiltSystem
internal import CSiltWire
internal import Glibc
internal import SiltText

/// The analyzer's view of one traced image's memory file (layout: silt_wire.h).
///
/// The file belongs to the target, which may write anything into it: every number read here is checked against the
/// file's size before it is used, a slot whose counters contradict each other is reported as damaged, and what this
/// process has written there is never read back.
struct SharedImage: ~Copyable {
    let file: Int32
    /// Header, texts and module log; always mapped.
    let head: UnsafeMutableRawPointer
    /// One mapping per block of slots, made when its first slot is looked at.
    private var blocks: [UnsafeMutableRawPointer] = []
    private(set) var slots: [Slot] = []

    private static let headBytes = Int(SILT_BLOCKS_OFFSET)
    private static let ringBytes = UInt64(SILT_RING_BYTES)

    /// Where a slot lies, how far its producer was seen to have come, and how far it was read.
    struct Slot {
        let state: UnsafeMutablePointer<silt_slot>
        let ring: UnsafeMutableRawPointer
        /// Bytes written since the slot was made, and events among them.
        fileprivate(set) var committed: UInt64 = 0
        fileprivate(set) var events: UInt64 = 0
        fileprivate(set) var consumed: UInt64 = 0
    }

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
            throw .cannotMap(errorText(errno))
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
        for block in blocks { munmap(block, Int(SILT_BLOCK_BYTES)) }
        munmap(head, SharedImage.headBytes)
        close(file)
    }

    /// A copy of the header as it stands now.
    var header: silt_header { head.load(as: silt_header.self) }

    /// Tells the shim that nobody reads any more; it switches off at its next look.
    func announceReaderGone() {
        silt_store_release_u32(&head.assumingMemoryBound(to: silt_header.self).pointee.reader_gone, 1)
        for slot in slots { silt_wake(&slot.state.pointee.waiting) }
    }

    /// The program's file is not in use here any more, as far as it can be.
    func tellFileTaken() {
        let header = head.assumingMemoryBound(to: silt_header.self)
        silt_store_release_u32(&header.pointee.file_taken, 1)
        silt_wake(&header.pointee.file_taken)
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
        while slots.count < count {
            let (block, place) = slots.count.quotientAndRemainder(dividingBy: Int(SILT_BLOCK_SLOTS))
            guard block < blocks.count || mapBlock() else { break }
            let ring = blocks[block] + Int(SILT_STATES_BYTES) + place * Int(SILT_RING_BYTES)
            slots.append(Slot(state: blocks[block].assumingMemoryBound(to: silt_slot.self) + place, ring: ring))
        }
        return slots.count
    }

    /// The last block may be cut where the target may not have a longer file.
    private mutating func mapBlock() -> Bool {
        let offset = Int(silt_block_offset(UInt32(blocks.count)))
        let states = offset + Int(SILT_STATES_BYTES)
        var status = stat()
        guard fstat(file, &status) == 0, status.st_size >= states,
            let mapped = mmap(nil, Int(SILT_BLOCK_BYTES), PROT_READ | PROT_WRITE, MAP_SHARED, file, offset),
            mapped != MAP_FAILED
        else { return false }
        blocks.append(mapped)
        return true
    }

    /// Bytes that a slot's producer has published since the slot was made.
    ///
    /// Only the low half of the count is shared: a slot is looked at before its producer has filled its ring once more
    /// than was read.
    mutating func committed(slot: Int) -> UInt64 {
        let published = silt_load_acquire_u64(&slots[slot].state.pointee.published)
        let known = slots[slot]
        let words = UInt32(truncatingIfNeeded: published) &- UInt32(truncatingIfNeeded: known.committed >> 3)
        let events = UInt32(truncatingIfNeeded: published >> 32) &- UInt32(truncatingIfNeeded: known.events)
        slots[slot].committed = known.committed + UInt64(words) * 8
        slots[slot].events = known.events + UInt64(events)
        return slots[slot].committed
    }

    /// For a stream that is replayed: what the producer said in the end.
    mutating func setEvents(_ events: UInt64, slot: Int) {
        slots[slot].events = events
        slots[slot].state.pointee.published = silt_published(slots[slot].committed, events)
    }

    /// The contiguous unread bytes of a slot.
    ///
    /// Empty when all has been read. The ring's end ends a stretch.
    mutating func unread(slot: Int) throws(Damage) -> UnsafeRawBufferPointer {
        let committed = committed(slot: slot)
        let consumed = slots[slot].consumed
        guard committed >= consumed, committed - consumed <= SharedImage.ringBytes else {
            throw .slotCounters(slot: slot, committed: committed, consumed: consumed)
        }
        let offset = consumed % SharedImage.ringBytes
        let count = min(committed - consumed, SharedImage.ringBytes - offset)
        return UnsafeRawBufferPointer(start: slots[slot].ring + Int(offset), count: Int(count))
    }

    /// Gives `count` bytes back to the producer, and wakes it when it waits for room and half of its ring is free.
    ///
    /// Woken for every few bytes, a program that is faster than the analyzer would spend its time in going to sleep.
    /// Call `wakeWaiting` when no more is read for now.
    mutating func consume(slot: Int, count: Int) {
        let state = slots[slot].state
        let consumed = slots[slot].consumed + UInt64(count)
        slots[slot].consumed = consumed
        silt_store_release_u64(&state.pointee.consumed, consumed)
        if silt_load_acquire_u32(&state.pointee.waiting) != 0 {
            let unread = committed(slot: slot) &- consumed
            if unread <= SharedImage.ringBytes / 2 { silt_wake(&state.pointee.waiting) }
        }
    }

    /// Wakes the producers that wait, however little room there is.
    func wakeWaiting() {
        for slot in slots where silt_load_acquire_u32(&slot.state.pointee.waiting) != 0 {
            silt_wake(&slot.state.pointee.waiting)
        }
    }

    /// Whether a producer waits for room.
    var isWaitedFor: Bool { slots.contains { silt_load_acquire_u32(&$0.state.pointee.waiting) != 0 } }

    /// Gives back the memory of rings that the target has unmapped and that were read to their end.
    ///
    /// By FALLOC_FL_PUNCH_HOLE of fallocate(2). A thread that begins meanwhile leaves such a slot alone.
    func trim() {
        for (number, slot) in slots.enumerated() {
            let state = slot.state
            guard silt_load_acquire_u32(&state.pointee.owner) == SILT_OWNER_BARE.rawValue,
                silt_exchange_u32(&state.pointee.owner, SILT_OWNER_BARE.rawValue, SILT_OWNER_TRIMMING.rawValue)
            else { continue }
            let published = UInt32(truncatingIfNeeded: silt_load_acquire_u64(&state.pointee.published))
            let isRead = published == UInt32(truncatingIfNeeded: slot.consumed >> 3)
            if isRead {
                let (block, place) = number.quotientAndRemainder(dividingBy: Int(SILT_BLOCK_SLOTS))
                let offset = silt_block_offset(UInt32(block)) + UInt64(SILT_STATES_BYTES)
                silt_punch(file, offset + UInt64(place) * UInt64(SILT_RING_BYTES), UInt64(SILT_RING_BYTES))
            }
            let next = isRead ? SILT_OWNER_TRIMMED : SILT_OWNER_BARE
            silt_store_release_u32(&state.pointee.owner, next.rawValue)
        }
    }

    /// Events the shim has written into all slots, by its own count.
    var sentEvents: UInt64 { slots.reduce(0) { $0 &+ $1.events } }

    /// Bytes the shim has written into all slots.
    var committedBytes: UInt64 { slots.reduce(0) { $0 &+ $1.committed } }

    /// Bytes the analyzer has read out of all slots.
    var consumedBytes: UInt64 { slots.reduce(0) { $0 &+ $1.consumed } }
}

extension SharedImage.Damage: CustomStringConvertible {
    var description: String {
        switch self {
        case .notAMemoryFile: "it is not silt's"
        case .otherVersion(let version): "it has wire version \(version)"
        case .cannotMap(let reason): reason
        case .slotCounters(let slot, let committed, let consumed):
            "slot \(slot) says that \(committed &- consumed) bytes are unread, more than it can hold"
        }
    }
}
