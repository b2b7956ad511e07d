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

    private static let firstCapacity = 256

    init() {
        capacity = Self.firstCapacity
        stacks = Self.emptyTable()
    }

    private static func emptyTable() -> UnsafeMutablePointer<UInt32> {
        let stacks = UnsafeMutablePointer<UInt32>.allocate(capacity: firstCapacity)
        stacks.initialize(repeating: 0, count: firstCapacity)
        stacks[0] = knownBit
        return stacks
    }

    /// The slot's node ids begin anew.
    mutating func forgetStacks() {
        earlier.formUnion(current)
        stacks.deallocate()
        capacity = Self.firstCapacity
        stacks = Self.emptyTable()
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

    /// All announced stacks, outer frames as stacks of their own.
    var announced: Set<StackID> { earlier.union(current) }

    /// Those that were announced before the ids began anew.
    private var earlier: Set<StackID> = []

    private var current: [StackID] {
        (1..<capacity).compactMap { stacks[$0] == 0 ? nil : StackID(rawValue: stacks[$0] & Self.stackMask) }
    }

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
    package var take: UInt64 = 0
    package var give: UInt64 = 0
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
    /// Records that became events.
    package var eventRecords: UInt64 { blockEvents - temporary + map + unmap + remap + take + give }
}

/// A thread of the process, as its slot announced it.
struct ThreadSeen: Equatable {
    var tid: UInt32
    var name: String
    var ended: Bool
}

/// The threads that a slot has had, one after the other.
package struct SlotThreads: Equatable, Sendable {
    /// The last one's.
    package private(set) var tid: UInt32 = 0
    package private(set) var isRunning = false
    /// What they were called; more than `nameLimit` are not kept.
    package private(set) var names: Set<String> = []
    /// What nobody before the last one was called.
    private var own: String?
    package static let nameLimit = 16

    mutating func take(_ thread: ThreadSeen) {
        tid = thread.tid
        isRunning = !thread.ended
        guard isRunning else { return }
        own = nil
        add(thread.name)
    }

    /// The running thread is called otherwise by now: it began with the name of who made it.
    mutating func rename(_ name: String) {
        guard !names.contains(name) else { return }
        if let own { names.remove(own) }
        add(name)
    }

    private mutating func add(_ name: String) {
        guard names.count < Self.nameLimit, names.insert(name).inserted else { return }
        own = name
    }
}
