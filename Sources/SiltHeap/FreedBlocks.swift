internal import SiltEvents

/// The last free of each slot, which may turn out not to have happened, and which stacks free what.
struct FreedBlocks: ~Copyable {
    struct Freed {
        var block: LiveBlock
        /// The stack that freed it; none if that is not known, or was before the count of frees began.
        var by: StackID
        var outcome: Outcome

        enum Outcome: UInt8 {
            case none
            case applied
            case temporary
            case unknown
        }

        static let none = Freed(
            block: LiveBlock(address: 0, size: 0, stack: .none, birth: 0),
            by: .none,
            outcome: .none
        )
    }

    /// `capacity` entries, all initialized.
    private var last = UnsafeMutablePointer<Freed>.allocate(capacity: 0)
    private var capacity = 0
    /// Frees of blocks born in this interval or later are counted by their stacks; `.max`: none are.
    private var countedSince: UInt32 = .max
    private var partners = FreePartners()

    init() {}

    deinit { last.deallocate() }

    /// From now on, from zero.
    mutating func startCounting(bornSince interval: UInt32) {
        countedSince = min(interval, PackedBlock.birthLimit)
        partners.clear()
        // What was freed before is not counted, so it must not be taken back.
        for slot in 0..<capacity { last[slot].by = .none }
    }

    func forEachPartner(
        _ body: (_ allocation: StackID, _ free: StackID, _ blocks: UInt64, _ bytes: UInt64) -> Void
    ) {
        partners.visit(body)
    }

    /// A free, by a stack or none.
    @inline(__always)
    mutating func note(_ block: LiveBlock, by event: HeapEvent, _ outcome: Freed.Outcome) {
        let slot = Int(event.slot)
        if slot >= capacity { grow(slot) }
        last[slot] = Freed(block: block, by: event.stack, outcome: outcome)
        if event.stack.rawValue != 0 { count(slot) }
    }

    /// A free of an address where no block was live.
    mutating func noteUnknown(_ event: HeapEvent) {
        let block = LiveBlock(address: event.address, size: 0, stack: .none, birth: 0)
        note(block, by: HeapEvent(kind: .free, address: event.address, slot: event.slot), .unknown)
    }

    /// The last free of the event's slot, at its address, did not happen: forgets it.
    mutating func takeBack(_ event: HeapEvent) -> Freed {
        let slot = Int(event.slot)
        guard slot < capacity, last[slot].block.address == event.address else { return .none }
        let freed = last[slot]
        if freed.by != .none, freed.block.birth >= countedSince {
            partners.subtract(freed.block.stack, freed.by, bytes: freed.block.size)
        }
        last[slot] = .none
        return freed
    }

    /// The last free of a slot was a realloc's: returns it, as it was taken for; nil where no block is known.
    ///
    /// The block has moved, and nobody has freed it: it is counted as moved, whose free has no stack, and no longer as
    /// temporary.
    mutating func takeMoved(slot: UInt16) -> Freed? {
        let slot = Int(slot)
        guard slot < capacity else { return nil }
        let freed = last[slot]
        if freed.by != .none, freed.block.birth >= countedSince {
            partners.subtract(freed.block.stack, freed.by, bytes: freed.block.size)
            // A pair of none and none would be no entry.
            if freed.block.stack != .none { partners.add(freed.block.stack, .none, bytes: freed.block.size) }
            last[slot].by = .none
        }
        switch freed.outcome {
        case .none, .unknown: return nil
        case .applied, .temporary:
            last[slot].outcome = .applied
            return freed
        }
    }

    /// Counts the last free of a slot, whose stack is known.
    @inline(never)
    private mutating func count(_ slot: Int) {
        let freed = last[slot]
        guard freed.block.birth >= countedSince else { return }
        partners.add(freed.block.stack, freed.by, bytes: freed.block.size)
    }

    @inline(never)
    private mutating func grow(_ slot: Int) {
        let grown = max(16, (slot + 1) * 2)
        let bigger = UnsafeMutablePointer<Freed>.allocate(capacity: grown)
        bigger.moveInitialize(from: last, count: capacity)
        (bigger + capacity).initialize(repeating: .none, count: grown - capacity)
        last.deallocate()
        last = bigger
        capacity = grown
    }
}
