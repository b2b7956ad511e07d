internal import CSiltSystem
internal import CSiltWire

/// One call of `ImageDecoder.decode`: from the first unread record of a slot to where it has to stop.
///
/// A record is checked whole before it changes anything, so that a bad one leaves no trace.
struct RecordRun {
    /// The unread bytes: `end` of them, a multiple of 8.
    ///
    /// Every read is checked against `end` first.
    let base: UnsafeRawPointer
    let end: Int
    /// True when the bytes lie in a ring whose producer may still change its last record.
    let isShared: Bool
    /// Where events go: room for `space.count`, the first `events` of them initialized.
    let space: UnsafeMutableBufferPointer<HeapEvent>
    /// `SILT_ALL_SHARDS` entries; an index from `silt_stamp_shard` is below that.
    let expected: UnsafeMutablePointer<UInt16>
    let slot: UInt16
    var counts: EventCounts
    /// Bytes consumed.
    var position = 0
    var events = 0
    var error: WireError?
    var threads: [ThreadSeen] = []

    init(
        base: UnsafeRawPointer,
        count: Int,
        isShared: Bool,
        space: UnsafeMutableBufferPointer<HeapEvent>,
        expected: UnsafeMutablePointer<UInt16>,
        slot: UInt16,
        counts: EventCounts
    ) {
        self.base = base
        end = count & ~7
        self.isShared = isShared
        self.space = space
        self.expected = expected
        self.slot = slot
        self.counts = counts
    }

    /// Consumes records until one is cut, must wait or is bad (`error`), or the batch is full.
    mutating func decode(slot state: inout SlotState, modules: borrowing ImageDecoder) {
        guard let out = space.baseAddress else { return }
        let limit = space.count
        var frees: UInt64 = 0
        var allocs: UInt64 = 0
        var temporaries: UInt64 = 0
        scan: while position < end && events < limit {
            let first = word(0)
            let kind = UInt32(truncatingIfNeeded: first & 15)
            let address = (first >> 20) << 3
            let stamp = UInt16(truncatingIfNeeded: first >> 4)
            switch kind {
            case SILT_FREE.rawValue, SILT_UNFREE.rawValue:
                guard address != 0 else {
                    error = .nullAddress(slot: Int(slot), offset: offset(state))
                    break scan
                }
                guard take(address, stamp, &state) else { break scan }
                let free = kind == SILT_FREE.rawValue
                (out + events).initialize(to: HeapEvent(kind: free ? .free : .unfree, address: address, slot: slot))
                events += 1
                position += 8
                if free { frees += 1 } else { counts.unfree += 1 }
            case SILT_FREE_BY.rawValue:
                guard freeBy(address, stamp, &state, out) else { break scan }
            case SILT_ALLOC.rawValue, SILT_TEMPORARY.rawValue, SILT_TAKEN.rawValue, SILT_REALLOC.rawValue:
                guard position + 16 <= end else { break scan }
                let second = word(1)
                let id = UInt32(truncatingIfNeeded: second) & (1 << 26 - 1)
                let value = state.value(of: id)
                guard address != 0, value != 0 else {
                    error =
                        address == 0
                        ? .nullAddress(slot: Int(slot), offset: offset(state))
                        : .unknownStack(slot: Int(slot), offset: offset(state), id: id)
                    break scan
                }
                guard take(address, stamp, &state) else { break scan }
                var made = HeapEvent.Kind.alloc
                if kind == SILT_REALLOC.rawValue {
                    made = .realloc
                    counts.realloc += 1
                } else {
                    let isLast = isShared && position + 16 == end
                    if kind == SILT_TEMPORARY.rawValue || isLast && takeLast() {
                        made = .temporary
                        temporaries += 1
                    } else {
                        allocs += 1
                    }
                }
                (out + events).initialize(
                    to: HeapEvent(
                        kind: made,
                        address: address,
                        size: second >> 26,
                        stack: StackID(rawValue: value & SlotState.stackMask),
                        slot: slot
                    )
                )
                events += 1
                position += 16
                note(value)
            case SILT_NODE.rawValue:
                guard node(first, &state, modules) else { break scan }
            case SILT_PAD.rawValue:
                guard let bytes = length(first >> 4, atLeast: 1, state) else { break scan }
                position += bytes
            case SILT_EXTENDED.rawValue:
                guard extended(first, &state, out) else { break scan }
            default:
                error = .unknownKind(slot: Int(slot), offset: offset(state), kind: UInt8(kind))
                break scan
            }
        }
        counts.free += frees + temporaries
        counts.alloc += allocs + temporaries
        counts.temporary += temporaries
    }

    /// Takes a ring's last record, an allocation, so that its producer leaves it as it is; true when that has made it
    /// stand for the block's free as well.
    @inline(never)
    private func takeLast() -> Bool {
        let record = UnsafeMutableRawPointer(mutating: base + position).assumingMemoryBound(to: UInt64.self)
        return UInt32(silt_fetch_or_u64(record, UInt64(SILT_TAKEN.rawValue ^ SILT_ALLOC.rawValue)) & 15)
            == SILT_TEMPORARY.rawValue
    }

    @inline(__always)
    private func word(_ index: Int) -> UInt64 {
        UInt64(littleEndian: (base + position + index * 8).loadUnaligned(as: UInt64.self))
    }

    private func offset(_ state: borrowing SlotState) -> UInt64 { state.offset + UInt64(position) }

    /// Takes the event's stamp if it is the next one of its shard, else blocks the slot.
    @inline(__always)
    private func take(_ address: UInt64, _ stamp: UInt16, _ state: inout SlotState) -> Bool {
        take(shard: Int(silt_stamp_shard(address)), stamp, &state)
    }

    /// As `take`, for the stamp in front of a mapping event's payload.
    private func takeMapping(_ state: inout SlotState) -> Bool {
        take(shard: Int(SILT_MAPPING_SHARD), UInt16(truncatingIfNeeded: word(1)), &state)
    }

    @inline(__always)
    private func take(shard: Int, _ stamp: UInt16, _ state: inout SlotState) -> Bool {
        guard expected[shard] == stamp else {
            state.blocked = BlockedSlot(slot: Int(slot), shard: shard, stamp: stamp)
            return false
        }
        expected[shard] = stamp &+ 1
        return true
    }

    /// Counts how the stack of an allocation ends.
    @inline(__always)
    private mutating func note(_ value: UInt32) {
        if value & (SlotState.incompleteBit | SlotState.truncatedBit) != 0 {
            if value & SlotState.incompleteBit != 0 { counts.incompleteStacks += 1 }
            if value & SlotState.truncatedBit != 0 { counts.truncatedStacks += 1 }
        } else if value & SlotState.stackMask == 0 {
            counts.noStack += 1
        }
    }

    /// The bytes of a record of `words` words; nil if it is cut, or sets `error` if no producer writes such a length.
    private mutating func length(_ words: UInt64, atLeast: Int, _ state: borrowing SlotState) -> Int? {
        guard words >= UInt64(atLeast), words <= UInt64(SILT_RING_BYTES / 8) else {
            error = .badLength(
                slot: Int(slot),
                offset: offset(state),
                words: Int(truncatingIfNeeded: min(words, 1 << 60))
            )
            return nil
        }
        let bytes = Int(words) * 8
        return position + bytes <= end ? bytes : nil
    }

    private mutating func node(
        _ first: UInt64,
        _ state: inout SlotState,
        _ modules: borrowing ImageDecoder
    ) -> Bool {
        guard position + 16 <= end else { return false }
        let second = word(1)
        let id = UInt32(truncatingIfNeeded: first >> 38)
        let parent = UInt32(truncatingIfNeeded: first >> 12) & (1 << 26 - 1)
        let flags = UInt8(truncatingIfNeeded: first >> 4)
        let module = Int(second >> 48)
        guard id != 0, state.canAnnounce(id) else {
            error = .badNode(slot: Int(slot), offset: offset(state), id: id)
            return false
        }
        let outer = state.value(of: parent)
        guard outer != 0, parent != id else {
            error = .unknownParent(slot: Int(slot), offset: offset(state), id: id, parent: parent)
            return false
        }
        let parentStack = outer & SlotState.stackMask
        guard
            let stack = modules.stack(
                slot: slot,
                parent: parentStack,
                flags: flags,
                module: module,
                address: second & (1 << 48 - 1)
            )
        else {
            error = .unknownModule(slot: Int(slot), offset: offset(state), module: module)
            return false
        }
        var value = stack.rawValue | SlotState.knownBit
        value |= outer & (SlotState.incompleteBit | SlotState.truncatedBit)
        if UInt32(flags) & SILT_NODE_INCOMPLETE.rawValue != 0 { value |= SlotState.incompleteBit }
        let isCut = UInt32(flags) & SILT_NODE_TRUNCATED.rawValue != 0
        if isCut || modules.stacks.isShortened(stack, parent: StackID(rawValue: parentStack)) {
            value |= SlotState.truncatedBit
        }
        state.announce(id, value)
        counts.nodes += 1
        position += 16
        return true
    }

    /// A free with its stack.
    private mutating func freeBy(
        _ address: UInt64,
        _ stamp: UInt16,
        _ state: inout SlotState,
        _ out: UnsafeMutablePointer<HeapEvent>
    ) -> Bool {
        guard position + 16 <= end else { return false }
        guard address != 0 else {
            error = .nullAddress(slot: Int(slot), offset: offset(state))
            return false
        }
        guard let stack = known(word(1) & (1 << 26 - 1), state), take(address, stamp, &state) else { return false }
        put(HeapEvent(kind: .free, address: address, stack: stack, slot: slot), out)
        counts.free += 1
        position += 16
        return true
    }

    private mutating func extended(
        _ first: UInt64,
        _ state: inout SlotState,
        _ out: UnsafeMutablePointer<HeapEvent>
    ) -> Bool {
        let type = UInt32(truncatingIfNeeded: first >> 32) & 0xFFFF
        let needed: Int
        switch type {
        case SILT_X_FREE.rawValue, SILT_X_UNFREE.rawValue: needed = 3
        case SILT_X_UNMAP.rawValue: needed = 4
        case SILT_X_ALLOC.rawValue, SILT_X_REALLOC.rawValue, SILT_X_FREE_BY.rawValue, SILT_X_REMAP.rawValue,
            SILT_X_GIVE.rawValue, SILT_X_THREAD_OVER.rawValue, SILT_X_THREAD_DETACH.rawValue,
            SILT_X_THREAD_JOIN.rawValue:
            needed = 5
        case SILT_X_MAP.rawValue, SILT_X_TAKE.rawValue: needed = 6
        case SILT_X_THREAD.rawValue: needed = 4
        case SILT_X_THREAD_END.rawValue: needed = 2
        default: needed = 1
        }
        guard let bytes = length(first >> 16 & 0xFFFF, atLeast: needed, state) else { return false }
        switch type {
        case SILT_X_FREE.rawValue, SILT_X_UNFREE.rawValue:
            guard block(type, state, stack: nil), take(word(2), UInt16(truncatingIfNeeded: word(1)), &state)
            else { return false }
            let free = type == SILT_X_FREE.rawValue
            put(HeapEvent(kind: free ? .free : .unfree, address: word(2), slot: slot), out)
            if free { counts.free += 1 } else { counts.unfree += 1 }
        case SILT_X_FREE_BY.rawValue:
            guard block(type, state, stack: nil), let stack = known(word(4), state),
                take(word(2), UInt16(truncatingIfNeeded: word(1)), &state)
            else { return false }
            put(HeapEvent(kind: .free, address: word(2), stack: stack, slot: slot), out)
            counts.free += 1
        case SILT_X_ALLOC.rawValue, SILT_X_REALLOC.rawValue:
            guard block(type, state, stack: word(4)), take(word(2), UInt16(truncatingIfNeeded: word(1)), &state)
            else { return false }
            let value = state.value(of: UInt32(truncatingIfNeeded: word(4)))
            let fresh = type == SILT_X_ALLOC.rawValue
            put(
                HeapEvent(
                    kind: fresh ? .alloc : .realloc,
                    address: word(2),
                    size: word(3),
                    stack: StackID(rawValue: value & SlotState.stackMask),
                    slot: slot
                ),
                out
            )
            note(value)
            if fresh { counts.alloc += 1 } else { counts.realloc += 1 }
        case SILT_X_MAP.rawValue:
            guard let stack = known(word(5), state), takeMapping(&state) else { return false }
            put(HeapEvent(kind: .map, address: word(2), size: word(3), stack: stack, slot: slot), out)
            counts.map += 1
        case SILT_X_UNMAP.rawValue:
            guard takeMapping(&state) else { return false }
            put(HeapEvent(kind: .unmap, address: word(2), size: word(3), slot: slot), out)
            counts.unmap += 1
        case SILT_X_REMAP.rawValue:
            guard let stack = known(word(4), state), takeMapping(&state) else { return false }
            put(HeapEvent(kind: .remap, address: word(2), size: word(3), stack: stack, slot: slot), out)
            counts.remap += 1
        case SILT_X_TAKE.rawValue: guard handle(.take, &state, out) else { return false }
        case SILT_X_GIVE.rawValue: guard handle(word(3) == 1 ? .kept : .give, &state, out) else { return false }
        case SILT_X_THREAD_OVER.rawValue: guard handle(.over, &state, out) else { return false }
        case SILT_X_THREAD_DETACH.rawValue: guard handle(.detach, &state, out) else { return false }
        case SILT_X_THREAD_JOIN.rawValue: guard handle(.join, &state, out) else { return false }
        case SILT_X_THREAD.rawValue:
            let text = UnsafeRawBufferPointer(start: base + position + 16, count: 16).prefix { $0 != 0 }
            let name = String(decoding: text, as: UTF8.self)
            threads.append(ThreadSeen(tid: UInt32(truncatingIfNeeded: word(1)), name: name, ended: false))
        case SILT_X_THREAD_END.rawValue:
            threads.append(ThreadSeen(tid: UInt32(truncatingIfNeeded: word(1)), name: "", ended: true))
        case SILT_X_TREE.rawValue: state.forgetStacks()
        default:
            counts.unknownTypes += 1
        }
        position += bytes
        return true
    }

    /// Something with a handle is taken, given back, or nearer to that; of a resource that this version does not know it is
    /// counted alone.
    private mutating func handle(
        _ kind: HeapEvent.Kind,
        _ state: inout SlotState,
        _ out: UnsafeMutablePointer<HeapEvent>
    ) -> Bool {
        var stack = StackID.none
        if kind == .take {
            guard let found = known(word(5), state) else { return false }
            stack = found
        }
        guard take(word(2), UInt16(truncatingIfNeeded: word(1)), &state) else { return false }
        guard let resource = UInt8(exactly: word(4)).flatMap(Resource.init(rawValue:)) else {
            counts.unknownTypes += 1
            return true
        }
        put(
            HeapEvent(kind: kind, address: word(2), size: word(3), stack: stack, slot: slot, resource: resource),
            out
        )
        if kind == .take { counts.take += 1 } else { counts.give += 1 }
        return true
    }

    @inline(__always)
    private mutating func put(_ event: HeapEvent, _ out: UnsafeMutablePointer<HeapEvent>) {
        (out + events).initialize(to: event)
        events += 1
    }

    /// Checks what an extended block event names.
    private mutating func block(_ type: UInt32, _ state: borrowing SlotState, stack: UInt64?) -> Bool {
        guard word(2) != 0 else {
            error = .nullAddress(slot: Int(slot), offset: offset(state))
            return false
        }
        guard let stack else { return true }
        return known(stack, state) != nil
    }

    private mutating func known(_ id: UInt64, _ state: borrowing SlotState) -> StackID? {
        let value = id < 1 << 26 ? state.value(of: UInt32(id)) : 0
        guard value != 0 else {
            error = .unknownStack(
                slot: Int(slot),
                offset: offset(state),
                id: UInt32(truncatingIfNeeded: min(id, UInt64(UInt32.max)))
            )
            return nil
        }
        return StackID(rawValue: value & SlotState.stackMask)
    }
}
