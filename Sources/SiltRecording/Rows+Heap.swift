package import SiltEvents
package import SiltHeap

/// Rows out of the values of the stages before.

extension RecordedTotals {
    package init(_ totals: HeapTotals) {
        allocatedBytes = totals.allocatedBytes
        allocatedCount = totals.allocatedCount
        freedBytes = totals.freedBytes
        freedCount = totals.freedCount
        inUseBytes = totals.inUseBytes
        inUseCount = totals.inUseCount
        peakInUseBytes = totals.peakInUseBytes
        mappedBytes = totals.mappedBytes
    }
}

extension TrustCounters {
    /// What decoder and heap counted; what the shim counted (waits, lost, stacks …) is the caller's to add.
    package init(_ counts: EventCounts, _ totals: HeapTotals) {
        allocations = counts.alloc
        frees = counts.free
        reallocations = counts.realloc
        undoneFrees = counts.unfree
        maps = counts.map
        unmaps = counts.unmap
        remaps = counts.remap
        unknownKinds = counts.unknownTypes
        gaps = counts.gaps
        stacksIncomplete = counts.incompleteStacks
        stacksTruncated = counts.truncatedStacks
        stacksMissing = counts.noStack
        unknownFrees = totals.unknownFrees
        inheritedFrees = totals.inheritedFrees
        overwritten = totals.overwritten
        unmatchedUnfrees = totals.unmatchedUnfrees
    }
}

extension RecordedCounters {
    /// `group` is the frame the stack's growth history is grouped by.
    package init(process: UInt32, stack: StackID, group: FrameID, _ counters: SiteCounters) {
        self.init(process: process, stack: stack.rawValue)
        self.group = group.rawValue
        inUseBytes = counters.liveBytes
        inUseCount = counters.liveCount
        allocatedBytes = counters.allocatedBytes
        allocatedCount = counters.allocatedCount
        peakBytes = counters.peakBytes
        peakCount = counters.peakCount
        temporaryCount = counters.temporaryCount
    }
}

extension RecordedSnapshot {
    package init(process: UInt32, snapshot: UInt32, timeNs: UInt64, _ totals: HeapTotals) {
        self.init(process: process, snapshot: snapshot, timeNs: timeNs)
        inUseBytes = totals.inUseBytes
        inUseCount = totals.inUseCount
        allocatedBytes = totals.allocatedBytes
        allocatedCount = totals.allocatedCount
        mappedBytes = totals.mappedBytes
    }
}
