internal import SiltEvents
internal import SiltHeap
internal import SiltRecording

/// What a recording says of an image, as rows.
extension TracedImage {
    var totalsRow: RecordedTotals {
        let totals = heap.totals
        var row = RecordedTotals()
        row.allocatedBytes = totals.allocatedBytes
        row.allocatedCount = totals.allocatedCount
        row.freedBytes = totals.freedBytes
        row.freedCount = totals.freedCount
        row.inUseBytes = totals.inUseBytes
        row.inUseCount = totals.inUseCount
        row.peakInUseBytes = totals.peakInUseBytes
        row.mappedBytes = totals.mappedBytes
        return row
    }

    /// What its numbers rest on.
    var trustRow: TrustCounters {
        let header = shared.header
        let counts = decoder.counts
        let totals = heap.totals
        var trust = TrustCounters()
        trust.allocations = counts.alloc
        trust.reallocations = counts.realloc
        trust.frees = counts.free
        trust.undoneFrees = counts.unfree
        trust.maps = counts.map
        trust.unmaps = counts.unmap
        trust.remaps = counts.remap
        trust.takes = counts.take
        trust.gives = counts.give
        trust.unseenDescriptors = looks.unseenDescriptors
        trust.unknownKinds = counts.unknownTypes
        // A record of a temporary block stands for two events.
        trust.eventsSent = shared.sentEvents + counts.temporary
        trust.committedBytes = shared.committedBytes
        trust.receivedBytes = shared.consumedBytes
        trust.gaps = counts.gaps
        // What a library took before its imports were changed was not seen.
        let isBound = header.imports_bound > 0
        trust.unknownFrees = isBound ? 0 : totals.unknownFrees
        trust.inheritedFrees = totals.inheritedFrees + (isBound ? totals.unknownFrees : 0)
        trust.overwritten = totals.overwritten
        trust.unmatchedUnfrees = totals.unmatchedUnfrees
        trust.waits = header.waits
        trust.waitNs = header.wait_ns
        trust.lost = header.lost
        trust.reentered = header.reentered
        trust.stacks = header.stacks
        trust.stacksSlow = header.stacks_slow
        trust.stacksTruncated = counts.truncatedStacks
        trust.stacksIncomplete = counts.incompleteStacks
        trust.stacksMissing = counts.noStack
        trust.modulesLost = UInt64(header.modules_lost)
        trust.importsUnbound = header.imports_unbound
        trust.offReason = UInt64(header.off_reason)
        trust.offNs = stoppedNanoseconds
        return trust
    }

    func countersRow(of stack: StackID, _ resource: Resource, group: FrameID, process: UInt32) -> RecordedCounters {
        let counters = heap.counters(of: stack, resource)
        var row = RecordedCounters(resource, process: process, stack: stack)
        row.group = group
        row.inUseBytes = counters.liveBytes
        row.inUseCount = counters.liveCount
        row.allocatedBytes = counters.allocatedBytes
        row.allocatedCount = counters.allocatedCount
        row.peakBytes = counters.peakBytes
        row.peakCount = counters.peakCount
        row.temporaryCount = counters.temporaryCount
        return row
    }

    /// What realloc(3) moved that was called with that stack; nil: nothing.
    func movesRow(by stack: StackID, process: UInt32) -> RecordedMoves? {
        heap.moves(by: stack).map {
            RecordedMoves(process: process, stack: stack, count: $0.count, bytes: $0.bytes)
        }
    }

    /// Its live blocks by size and by age.
    func classRows(process: UInt32) -> [RecordedClass] {
        let live = heap.liveClasses()
        return Self.rows(of: live.sizes, .size, process) + Self.rows(of: live.ages, .age, process)
    }

    private static func rows(of classes: BlockClasses, _ kind: RecordedClass.Kind, _ process: UInt32) -> [RecordedClass]
    {
        classes.count.indices.filter { classes.count[$0] > 0 }.map { number in
            RecordedClass(
                process: process,
                kind: kind,
                number: number,
                inUseCount: classes.count[number],
                inUseBytes: classes.bytes[number]
            )
        }
    }
}

extension RecordedSnapshot {
    /// What a heap holds at the end of its last interval.
    init(of heap: borrowing ProcessHeap, process: UInt32, timeNs: UInt64) {
        self.init(process: process, snapshot: heap.interval - 1, timeNs: timeNs)
        let totals = heap.totals
        (inUseBytes, inUseCount) = (totals.inUseBytes, totals.inUseCount)
        (allocatedBytes, allocatedCount) = (totals.allocatedBytes, totals.allocatedCount)
        mappedBytes = totals.mappedBytes
    }
}
