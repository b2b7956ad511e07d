/// What the decoder knows of one slot: how far it was read, its announced stacks, and what it waits for.
struct SlotState: ~Copyable {
    /// Bits of a table value above the stack id: how the stack ends outward.
    static let incompleteBit: UInt32 = 1 << 31
    static let truncatedBit: UInt32 = 1 << 30
    static let stackMask: UInt32 = 1 << 28 - 1
    /// Set in every announced entry, so that a stack refused by the full table (id 0) is still known.
    static let knownBit: UInt32 = 1 << 29

    /// Bytes consumed since the slot was made.
    var offset: UInt64 = 0
    var blocked: BlockedSlot?
    var tid: UInt32 = 0

    /// `capacity` entries, all initialized: node id → session stack id and bits; 0 = never announced.
    ///
    /// Entry 0 is "no stack" and always known.
    private(set) var stacks: UnsafeMutablePointer<UInt32>
    private(set) var capacity: Int

    init() {
        capacity = 256
        stacks = .allocate(capacity: capacity)
        stacks.initialize(repeating: 0, count: capacity)
        stacks[0] = Self.knownBit
    }

    deinit { stacks.deallocate() }

    /// The table's value for a node id from the wire, 0 if it was never announced.
    @inline(__always)
    func value(of id: UInt32) -> UInt32 {
        Int(id) < capacity ? stacks[Int(id)] : 0
    }

    /// Ids are sequential in a slot, but a forked child announces those it meets first; still one record must not be
    /// able to ask for 256 MiB.
    func canAnnounce(_ id: UInt32) -> Bool { Int(id) < capacity * 256 }

    mutating func announce(_ id: UInt32, _ value: UInt32) {
        let index = Int(id)
        if index >= capacity {
            var grown = capacity
            while grown <= index { grown *= 2 }
            let bigger = UnsafeMutablePointer<UInt32>.allocate(capacity: grown)
            bigger.update(from: stacks, count: capacity)
            (bigger + capacity).initialize(repeating: 0, count: grown - capacity)
            stacks.deallocate()
            stacks = bigger
            capacity = grown
        }
        stacks[index] = value
    }
}

/// A slot whose next event waits for one with an earlier stamp, in a slot not yet read that far.
package struct BlockedSlot: Equatable, Sendable {
    package var slot: Int
    package var shard: Int
    package var stamp: UInt16
}

/// Stamps that are given up on one shard: the next event expected there is `stamp`.
package struct StampGap: Equatable, Sendable {
    package var shard: UInt32
    package var stamp: UInt16
    /// Stamps skipped.
    package var missing: UInt16

    package init(shard: UInt32, stamp: UInt16, missing: UInt16) {
        self.shard = shard
        self.stamp = stamp
        self.missing = missing
    }
}

/// What a decoder has seen.
package struct EventCounts: Equatable, Sendable {
    package var free: UInt64 = 0
    package var unfree: UInt64 = 0
    package var alloc: UInt64 = 0
    package var realloc: UInt64 = 0
    package var map: UInt64 = 0
    package var unmap: UInt64 = 0
    package var remap: UInt64 = 0
    /// Records that stand for an allocation and its free; counted in `alloc` and in `free` as well.
    package var temporary: UInt64 = 0
    package var nodes: UInt64 = 0
    /// Stamps given up after the process was gone.
    package var gaps: UInt64 = 0
    /// EXTENDED records of a type this version does not know, skipped.
    package var unknownTypes: UInt64 = 0
    /// Allocations whose stack could not be followed to its end.
    package var incompleteStacks: UInt64 = 0
    /// Allocations whose stack is deeper than the frame limit.
    package var truncatedStacks: UInt64 = 0
    /// Allocations without any stack.
    package var noStack: UInt64 = 0

    /// Stamped events, the ones `SiltHeap` applies to blocks.
    package var blockEvents: UInt64 { free + unfree + alloc + realloc }

    package init() {}
}

/// A thread of the process, as its slot announced it.
package struct ThreadSeen: Equatable, Sendable {
    package var slot: Int
    package var tid: UInt32
    package var name: String
    package var ended: Bool
}
