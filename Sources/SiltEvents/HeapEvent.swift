internal import CSiltWire

/// One thing that happened to a process's heap, in the order in which it must be applied.
package struct HeapEvent: Equatable, Sendable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// A block is about to be freed.
        case free
        /// The last `free` of the same slot did not happen (a failed realloc): `address` is that block's.
        case unfree
        case alloc
        /// The new block of a realloc; the old one was freed by a `free` of the same slot.
        case realloc
        /// A block that was made, and freed before its thread did anything else.
        case temporary
        /// A mapping made by the program.
        case map
        case unmap
        /// The new place of a mapping; an `unmap` of the old place came before it.
        case remap
        /// Something that has a handle: `address` is that handle.
        case take
        case give
        /// The last `give` of the same slot, which had this handle, did not come about.
        case kept
        /// A thread is over, but for its last destructors.
        case over
        /// A thread that nobody will join.
        case detach
        /// A thread was joined, or is over and about to be.
        case join
    }

    package var address: UInt64
    /// Bytes; 0 for `free` and `unfree`.
    ///
    /// For a thread's events: its tid, which tells it from the next one with its handle, and of its `take` `silt_thread_flags << 32`.
    package var size: UInt64
    /// That of a `free` is none unless the image records its frees with their stacks (`SILT_FREE_STACKS`).
    package var stack: StackID
    /// The slot the event came from: what ties an `unfree` or a `realloc` to its `free`, and a `kept` to its `give`.
    package var slot: UInt16
    package var kind: Kind
    /// For `take`, `give`, `kept` and what concerns threads; the other kinds say it themselves.
    package var resource: Resource

    @inlinable @inline(__always)
    package init(
        kind: Kind,
        address: UInt64,
        size: UInt64 = 0,
        stack: StackID = .none,
        slot: UInt16 = 0,
        resource: Resource = .heap
    ) {
        self.address = address
        self.size = size
        self.stack = stack
        self.slot = slot
        self.kind = kind
        self.resource = resource
    }
}

/// What concerns threads.
extension HeapEvent {
    /// 0: not known, or of no matter.
    package var tid: UInt32 { UInt32(truncatingIfNeeded: size) }
    /// In a `take`: the thread was created detached.
    package var isDetached: Bool { size >> 32 & UInt64(SILT_THREAD_DETACHED.rawValue) != 0 }
    /// In a `take`: the thread was over already.
    package var isOver: Bool { size >> 32 & UInt64(SILT_THREAD_ENDED.rawValue) != 0 }
}

/// A buffer of decoded events on their way from the decoder to the heap.
package struct HeapEventBatch: ~Copyable {
    package static let defaultCapacity = 4096

    package let capacity: Int
    package private(set) var count = 0
    /// `capacity` events, the first `count` of them initialized.
    private let storage: UnsafeMutablePointer<HeapEvent>

    package init(capacity: Int = HeapEventBatch.defaultCapacity) {
        precondition(capacity >= 2, "one record can become two events")
        self.capacity = capacity
        storage = .allocate(capacity: capacity)
    }

    deinit { storage.deallocate() }

    package var isEmpty: Bool { count == 0 }

    /// Whether the decoder would find no room: one record can become two events.
    package var isFull: Bool { count + 2 > capacity }

    @inline(__always)
    package mutating func append(_ event: HeapEvent) {
        precondition(count < capacity, "batch is full")
        (storage + count).initialize(to: event)
        count += 1
    }

    package mutating func removeAll() { count = 0 }

    package borrowing func withUnsafeBufferPointer<Result>(
        _ body: (UnsafeBufferPointer<HeapEvent>) throws -> Result
    ) rethrows -> Result {
        try body(UnsafeBufferPointer(start: storage, count: count))
    }

    /// The free end of the buffer, for the decoder's inner loop.
    @inline(__always)
    func freeEnd() -> UnsafeMutableBufferPointer<HeapEvent> {
        UnsafeMutableBufferPointer(start: storage + count, count: capacity - count)
    }

    /// The first `added` events of `freeEnd()` have been initialized.
    @inline(__always)
    mutating func didAppend(_ added: Int) {
        precondition(added >= 0 && count + added <= capacity, "more events than fit")
        count += added
    }
}
