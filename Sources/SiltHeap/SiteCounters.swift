/// The numbers of one stack in one process.
///
/// Freed is allocated − live.
package struct SiteCounters: Equatable, Sendable {
    package var liveBytes: UInt64 = 0
    package var liveCount: UInt64 = 0
    package var allocatedBytes: UInt64 = 0
    package var allocatedCount: UInt64 = 0
    /// Born in the open interval and alive.
    package var openBytes: UInt64 = 0
    package var openCount: UInt64 = 0
    /// Live when the process's bytes in use were at their highest (the last moment of it).
    package var peakBytes: UInt64 = 0
    package var peakCount: UInt64 = 0
    /// Blocks freed with no other allocation of the process in between; the free half of a realloc is not one.
    package var temporaryCount: UInt64 = 0

    package var freedBytes: UInt64 { allocatedBytes &- liveBytes }
    package var freedCount: UInt64 { allocatedCount &- liveCount }
}

/// Blocks that realloc(3) moved to another address, and what was in them.
///
/// The C library copies that, or moves the pages of a big block.
package struct MovedBlocks: Equatable, Sendable {
    package private(set) var count: UInt64 = 0
    package private(set) var bytes: UInt64 = 0

    mutating func add(_ size: UInt64) {
        count &+= 1
        bytes &+= size
    }
}

/// The numbers of all stacks together.
package struct SiteTotals: Equatable, Sendable {
    package var allocatedBytes: UInt64 = 0
    package var allocatedCount: UInt64 = 0
    package var inUseBytes: UInt64 = 0
    package var inUseCount: UInt64 = 0
    /// Exact: the highest `inUseBytes` after any event.
    package var peakInUseBytes: UInt64 = 0
    package var temporaryCount: UInt64 = 0

    package var freedBytes: UInt64 { allocatedBytes &- inUseBytes }
    package var freedCount: UInt64 { allocatedCount &- inUseCount }
}

/// The numbers of a whole process: those of its heap, and what went wrong with them.
@dynamicMemberLookup
package struct HeapTotals: Equatable, Sendable {
    package var heap = SiteTotals()
    /// Frees of addresses where no block was live: not applied.
    package var unknownFrees: UInt64 = 0
    /// The same in a forked child, whose heap began as a copy of its parent's.
    package var inheritedFrees: UInt64 = 0
    /// Allocations at an address whose block was never seen freed: the old block was taken as freed.
    package var overwritten: UInt64 = 0
    /// Undone frees that did not match the last free of their slot: not applied.
    package var unmatchedUnfrees: UInt64 = 0
    /// Bytes mapped by the program itself and not unmapped.
    package var mappedBytes: UInt64 = 0
    package var mappedCount: UInt64 = 0

    package subscript<Value>(dynamicMember path: KeyPath<SiteTotals, Value>) -> Value { heap[keyPath: path] }
}
