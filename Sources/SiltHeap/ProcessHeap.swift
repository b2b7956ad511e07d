package import SiltEvents

/// The heap of one process, as its events describe it: live blocks, and numbers per stack, group and whole.
///
/// Intervals are numbered from 0; interval 0 ends with the baseline snapshot. Cost per event is one look-up in the
/// live table and one cache line of the stack's numbers.
///
/// Peak: `totals.peakInUseBytes` is exact, and so are the stacks' shares of it: a stack's live numbers are saved before
/// its first change after the peak, so a peak costs nothing for the stacks that do not change.
package struct ProcessHeap: ~Copyable {
    package private(set) var interval: UInt32
    package private(set) var mappings = MappingTable()

    private var live = LiveTable()
    private var sites = SitePages()
    private var sums = HeapTotals()
    private let inheritsHeap: Bool

    /// The peak's number: raised by the first decrease after each new peak.
    private var peakEpoch: UInt32 = 0
    /// Between a decrease after a peak and the next new peak.
    ///
    /// Else the peak is now.
    private var pastPeak = false
    /// The newest allocation of the process.
    private var lastAllocated: UInt64 = 0
    /// The last free of each slot, what an `unfree` undoes: `freedCapacity` entries, all initialized.
    private var lastFreed = UnsafeMutablePointer<FreedBlock>.allocate(capacity: 0)
    private var freedCapacity = 0
    /// Frees of blocks born in this interval or later are counted by their stacks; `.max`: none are.
    private var countingFreesSince: UInt32 = .max
    private var partners = FreePartners()

    /// Stacks with `SiteState.touched`, `SiteState.changed`.
    private var touched: [UInt32] = []
    private var changed: [UInt32] = []
    /// Stacks that hold something and have no history yet.
    private var aging: [UInt32] = []
    private var groups: StackGroups
    private var histories: Histories

    private struct FreedBlock {
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

        static let none = FreedBlock(
            block: LiveBlock(address: 0, size: 0, stack: .none, birth: 0),
            by: .none,
            outcome: .none
        )
    }

    /// - Parameters:
    ///   - inheritsHeap: A forked child: frees of blocks its parent allocated are expected.
    ///   - groupOf: The key of the group a stack belongs to; asked once per stack, when it first outlives an interval.
    ///   - interval: The interval that is open: later than 0 for a process that starts in the middle of a hunt.
    ///   - huntBaseline: The interval that ended when that hunt began.
    package init(
        inheritsHeap: Bool,
        groupOf: @escaping (StackID) -> StackID,
        interval: UInt32 = 0,
        huntBaseline: UInt32? = nil
    ) {
        self.inheritsHeap = inheritsHeap
        groups = StackGroups(keyOf: groupOf)
        self.interval = interval
        histories = Histories(huntBaseline: huntBaseline)
    }

    deinit { lastFreed.deallocate() }

    // MARK: Numbers

    package var totals: HeapTotals {
        var result = sums
        result.mappedBytes = mappings.bytes
        result.mappedCount = UInt64(mappings.mappings.count)
        return result
    }

    /// Memory the live table takes.
    package var liveTableBytes: Int { live.bytes }

    /// All zero for a stack this process never used.
    package func counters(of stack: StackID) -> SiteCounters {
        var result = SiteCounters()
        guard let state = sites.existing(stack.rawValue)?.state.pointee else { return result }
        result.liveBytes = state.liveBytes
        result.liveCount = UInt64(state.liveCount)
        result.allocatedBytes = state.allocatedBytes
        result.allocatedCount = state.allocatedCount
        result.openBytes = state.openBytes
        result.openCount = UInt64(state.openCount)
        result.temporaryCount = state.temporaryAndFlags >> 8
        let saved = pastPeak && state.peakEpoch == peakEpoch
        result.peakBytes = saved ? state.peakBytes : state.liveBytes
        result.peakCount = UInt64(saved ? state.peakCount : state.liveCount)
        return result
    }

    /// Nil: the stack never held a block for more than two intervals.
    ///
    /// Not caught up to the current interval.
    package func history(of stack: StackID) -> SiteHistory? {
        sites.existing(stack.rawValue).flatMap { histories.history($0.aging.pointee.history) }
    }

    /// The history of all stacks with this key of `groupOf`; nil as for a stack.
    package func groupHistory(of key: StackID) -> SiteHistory? { histories.history(groups.history(of: key)) }

    /// The histories of all groups that have one.
    package func forEachGroupHistory(_ body: (_ key: StackID, _ history: SiteHistory) -> Void) {
        groups.visit { key, number in
            if let history = histories.history(number) { body(key, history) }
        }
    }

    /// The bytes and blocks of a group at the last snapshot.
    package func groupLive(of key: StackID) -> (bytes: UInt64, count: UInt64) { groups.live(of: key) }

    /// The key the stack was grouped under; nil if it has not outlived an interval.
    package func groupKey(of stack: StackID) -> StackID? {
        sites.existing(stack.rawValue).flatMap { groups.key(of: $0.aging.pointee.group) }
    }

    /// The stacks whose counters changed since the last drain, each once.
    package mutating func drainChanged(_ body: (StackID) -> Void) {
        for stack in changed {
            sites.state(stack).pointee.temporaryAndFlags &= ~SiteState.changed
            body(StackID(rawValue: stack))
        }
        changed.removeAll(keepingCapacity: true)
    }

    /// The keys of groups that changed at a snapshot since the last drain, each once.
    package mutating func drainChangedGroups(_ body: (StackID) -> Void) { groups.drainChanged(body) }

    /// Every live block, in no order.
    package func forEachLive(_ body: (LiveBlock) -> Void) { live.visit(body) }

    // MARK: Who frees

    /// From now on, frees of blocks born in that interval or later are counted by the stack that frees them, from zero.
    ///
    /// Only frees that carry a stack are: those of images with `silt_header.free_stacks`. Right after a snapshot,
    /// `interval` counts the blocks of the phase that begins there.
    package mutating func startCountingFrees(bornSince interval: UInt32) {
        countingFreesSince = min(interval, PackedBlock.birthLimit)
        partners.clear()
        // What was freed before is not counted, so it must not be taken back.
        for slot in 0..<freedCapacity { lastFreed[slot].by = .none }
    }

    /// What each stack freed of what each stack allocated, in no order, as `startCountingFrees` says.
    ///
    /// A realloc frees its old block; a free that did not happen (a failed realloc) is not counted.
    package func forEachFreePartner(
        _ body: (_ allocation: StackID, _ free: StackID, _ blocks: UInt64, _ bytes: UInt64) -> Void
    ) {
        partners.visit(body)
    }

    // MARK: Events

    package mutating func apply(_ events: UnsafeBufferPointer<HeapEvent>) {
        withUnsafeTemporaryAllocation(of: LiveTable.Place.self, capacity: Self.stretch) { places in
            var start = 0
            while start < events.count {
                let end = min(start + Self.stretch, events.count)
                apply(UnsafeBufferPointer(rebasing: events[start..<end]), places)
                start = end
            }
        }
    }

    /// Events whose entries in the live table are asked for before the first of them is applied.
    ///
    /// Their waits for memory overlap then; one after the other, those for freed blocks alone were a third of the time that
    /// a recorded stream of python took here. Asking for the numbers of the stacks as well cost more than it spared.
    private static let stretch = 128

    private mutating func apply(
        _ events: UnsafeBufferPointer<HeapEvent>,
        _ places: UnsafeMutableBufferPointer<LiveTable.Place>
    ) {
        for index in 0..<events.count { places[index] = live.prefetchedPlace(of: events[index].address) }
        var index = 0
        while index < events.count { index += applyNext(events, index, at: places[index]) }
    }

    /// Applies the event at a position, with the one after it where they are a pair; returns how many.
    @inline(__always)
    private mutating func applyNext(
        _ events: UnsafeBufferPointer<HeapEvent>,
        _ index: Int,
        at place: LiveTable.Place
    ) -> Int {
        if index + 1 < events.count, events[index].address == events[index + 1].address,
            applyPair(events[index], events[index + 1], at: place)
        {
            return 2
        }
        apply(events[index], at: place)
        return 1
    }

    /// Two events in a row at one address, with one look-up for both; false, and nothing done, when they are no pair.
    ///
    /// Blocks freed right after they were made, and free blocks handed out again at once, are what most programs do
    /// most. Besides half the work this spares the wait for a look at 16 bytes of which 8 were just written.
    @inline(__always)
    private mutating func applyPair(_ first: HeapEvent, _ second: HeapEvent, at place: LiveTable.Place) -> Bool {
        switch (first.kind, second.kind) {
        case (.alloc, .free): return temporary(first, freedBy: second, at: place)
        case (.free, .alloc), (.free, .realloc):
            let block = LiveBlock(
                address: second.address,
                size: second.size,
                stack: second.stack,
                birth: interval
            )
            guard let old = live.replace(with: block, at: place) else { return false }
            freed(old, by: first)
            if case .realloc = second.kind { undoTemporary(slot: Int(second.slot)) }
            allocated(second)
            return true
        default: return false
        }
    }

    /// A block that is freed right after it was made never enters the live table; false when that would lose something.
    @inline(__always)
    private mutating func temporary(_ made: HeapEvent, freedBy freed: HeapEvent, at place: LiveTable.Place) -> Bool {
        guard passing(made, at: place) else { return false }
        let slot = Int(freed.slot)
        if slot >= freedCapacity { growFreed(slot) }
        lastFreed[slot] = FreedBlock(
            block: LiveBlock(address: made.address, size: made.size, stack: made.stack, birth: interval),
            by: freed.stack,
            outcome: .temporary
        )
        if freed.stack.rawValue != 0 { countFree(slot) }
        return true
    }

    /// Counts a block that comes and goes; false, and nothing done, when that would lose something.
    @inline(__always)
    private mutating func passing(_ made: HeapEvent, at place: LiveTable.Place) -> Bool {
        // Past the peak and not above it: the block cannot be part of a new one.
        guard pastPeak, sums.inUseBytes &+ made.size <= sums.peakInUseBytes, live.isFree(made.address, at: place)
        else { return false }
        let state = site(made.stack.rawValue)
        state.pointee.allocatedBytes &+= made.size
        state.pointee.allocatedCount &+= 1
        state.pointee.temporaryAndFlags &+= SiteState.temporary
        sums.allocatedBytes &+= made.size
        sums.allocatedCount &+= 1
        sums.temporaryCount += 1
        lastAllocated = made.address
        return true
    }

    @inline(__always)
    private mutating func apply(_ event: HeapEvent, at place: LiveTable.Place) {
        switch event.kind {
        case .free: free(event, at: place)
        case .alloc: alloc(event, at: place)
        case .realloc:
            undoTemporary(slot: Int(event.slot))
            alloc(event, at: place)
        case .unfree: unfree(event, at: place)
        case .temporary:
            if !passing(event, at: place) { comeAndGo(event, at: place) }
        case .map, .remap: mappings.map(event.address, event.size, event.stack)
        case .unmap: mappings.unmap(event.address, event.size)
        }
    }

    @inline(__always)
    private mutating func alloc(_ event: HeapEvent, at place: LiveTable.Place) {
        let block = LiveBlock(address: event.address, size: event.size, stack: event.stack, birth: interval)
        if let old = live.insert(block, at: place) {
            sums.overwritten += 1
            subtract(old)
        }
        allocated(event)
    }

    /// A block that comes and goes, one after the other: at a peak, or at the address of one whose free was not seen.
    @inline(never)
    private mutating func comeAndGo(_ event: HeapEvent, at place: LiveTable.Place) {
        alloc(event, at: place)
        guard let block = live.remove(event.address, at: place) else { return }
        subtract(block).pointee.temporaryAndFlags &+= SiteState.temporary
        sums.temporaryCount += 1
    }

    /// Counts a block that has entered the live table.
    @inline(__always)
    private mutating func allocated(_ event: HeapEvent) {
        let state = site(event.stack.rawValue)
        state.pointee.allocatedBytes &+= event.size
        state.pointee.allocatedCount &+= 1
        state.pointee.openBytes &+= event.size
        state.pointee.openCount &+= 1
        sums.allocatedBytes &+= event.size
        sums.allocatedCount &+= 1
        lastAllocated = event.address
        add(event.size, to: state)
    }

    @inline(__always)
    private mutating func free(_ event: HeapEvent, at place: LiveTable.Place) {
        guard let block = live.remove(event.address, at: place) else {
            let slot = Int(event.slot)
            if slot >= freedCapacity { growFreed(slot) }
            if inheritsHeap { sums.inheritedFrees += 1 } else { sums.unknownFrees += 1 }
            lastFreed[slot] = FreedBlock(
                block: LiveBlock(address: event.address, size: 0, stack: .none, birth: 0),
                by: .none,
                outcome: .unknown
            )
            return
        }
        freed(block, by: event)
    }

    /// Counts a block that has left the live table.
    @inline(__always)
    private mutating func freed(_ block: LiveBlock, by event: HeapEvent) {
        let slot = Int(event.slot)
        if slot >= freedCapacity { growFreed(slot) }
        let state = subtract(block)
        let isTemporary = lastAllocated == event.address
        if isTemporary {
            state.pointee.temporaryAndFlags &+= SiteState.temporary
            sums.temporaryCount += 1
        }
        lastFreed[slot] = FreedBlock(block: block, by: event.stack, outcome: isTemporary ? .temporary : .applied)
        if event.stack.rawValue != 0 { countFree(slot) }
    }

    /// Counts the last free of a slot, whose stack is known.
    @inline(never)
    private mutating func countFree(_ slot: Int) {
        let freed = lastFreed[slot]
        guard freed.block.birth >= countingFreesSince else { return }
        partners.add(freed.block.stack, freed.by, bytes: freed.block.size)
    }

    @inline(never)
    private mutating func growFreed(_ slot: Int) {
        let grown = max(16, (slot + 1) * 2)
        let bigger = UnsafeMutablePointer<FreedBlock>.allocate(capacity: grown)
        bigger.moveInitialize(from: lastFreed, count: freedCapacity)
        (bigger + freedCapacity).initialize(repeating: .none, count: grown - freedCapacity)
        lastFreed.deallocate()
        lastFreed = bigger
        freedCapacity = grown
    }

    @inline(never)
    private mutating func unfree(_ event: HeapEvent, at place: LiveTable.Place) {
        let slot = Int(event.slot)
        guard slot < freedCapacity, lastFreed[slot].block.address == event.address else {
            sums.unmatchedUnfrees += 1
            return
        }
        let freed = lastFreed[slot]
        switch freed.outcome {
        case .none:
            sums.unmatchedUnfrees += 1
        case .unknown:
            if inheritsHeap { sums.inheritedFrees -= 1 } else { sums.unknownFrees -= 1 }
        case .applied, .temporary:
            undoTemporary(slot: slot)
            if freed.by != .none, freed.block.birth >= countingFreesSince {
                partners.subtract(freed.block.stack, freed.by, bytes: freed.block.size)
            }
            restore(freed.block, at: place)
        }
        lastFreed[slot] = .none
    }

    private mutating func restore(_ block: LiveBlock, at place: LiveTable.Place) {
        if let old = live.insert(block, at: place) {
            sums.overwritten += 1
            subtract(old)
        }
        let stack = block.stack.rawValue
        let state = site(stack)
        if block.birth == interval {
            state.pointee.openBytes &+= block.size
            state.pointee.openCount &+= 1
        } else {
            let aging = sites.aging(stack)
            aging.pointee.revived(block.size, born: block.birth, in: interval, &histories)
            groups.revived(aging.pointee.group, block.size, born: block.birth, in: interval, &histories)
        }
        add(block.size, to: state)
    }

    /// The free before a realloc, or one that is undone, was not a temporary allocation's end.
    private mutating func undoTemporary(slot: Int) {
        guard slot < freedCapacity, lastFreed[slot].outcome == .temporary else { return }
        sites.state(lastFreed[slot].block.stack.rawValue).pointee.temporaryAndFlags &-= SiteState.temporary
        sums.temporaryCount -= 1
        lastFreed[slot].outcome = .applied
    }

    /// One more live block of `size`.
    @inline(__always)
    private mutating func add(_ size: UInt64, to state: UnsafeMutablePointer<SiteState>) {
        state.pointee.liveBytes &+= size
        state.pointee.liveCount &+= 1
        sums.inUseBytes &+= size
        sums.inUseCount &+= 1
        if sums.inUseBytes > sums.peakInUseBytes {
            sums.peakInUseBytes = sums.inUseBytes
            sums.peakInUseCount = sums.inUseCount
            pastPeak = false
        }
    }

    /// One live block less.
    @inline(__always)
    @discardableResult
    private mutating func subtract(_ block: LiveBlock) -> UnsafeMutablePointer<SiteState> {
        if !pastPeak { leavePeak() }
        let state = site(block.stack.rawValue)
        state.pointee.liveBytes &-= block.size
        state.pointee.liveCount &-= 1
        sums.inUseBytes &-= block.size
        sums.inUseCount &-= 1
        if block.birth == interval {
            state.pointee.openBytes &-= block.size
            state.pointee.openCount &-= 1
        } else {
            diedOld(block)
        }
        return state
    }

    private mutating func diedOld(_ block: LiveBlock) {
        let aging = sites.aging(block.stack.rawValue)
        aging.pointee.died(block.size, born: block.birth, in: interval, &histories)
        groups.died(aging.pointee.group, block.size, born: block.birth, in: interval, &histories)
    }

    /// The state of a stack that is about to change.
    @inline(__always)
    private mutating func site(_ stack: UInt32) -> UnsafeMutablePointer<SiteState> {
        let state = sites.state(stack)
        let both = SiteState.touched | SiteState.changed
        if state.pointee.temporaryAndFlags & both != both { touch(stack, state) }
        if pastPeak && state.pointee.peakEpoch != peakEpoch {
            state.pointee.peakEpoch = peakEpoch
            state.pointee.peakBytes = state.pointee.liveBytes
            state.pointee.peakCount = state.pointee.liveCount
        }
        return state
    }

    @inline(__always)
    private mutating func leavePeak() {
        pastPeak = true
        peakEpoch &+= 1
        if peakEpoch == 0 { restartEpochs() }
    }

    /// After 2^32 peaks: no stack may look as if it had been saved already.
    @inline(never)
    private mutating func restartEpochs() {
        peakEpoch = 1
        sites.visit { $0.pointee.peakEpoch = 0 }
    }

    @inline(never)
    private mutating func touch(_ stack: UInt32, _ state: UnsafeMutablePointer<SiteState>) {
        if state.pointee.temporaryAndFlags & SiteState.changed == 0 {
            state.pointee.temporaryAndFlags |= SiteState.changed
            changed.append(stack)
        }
        guard state.pointee.temporaryAndFlags & SiteState.touched == 0 else { return }
        state.pointee.temporaryAndFlags |= SiteState.touched
        touched.append(stack)
        let aging = sites.aging(stack)
        aging.pointee.catchUp(to: interval, &histories)
        groups.touch(aging.pointee.group, in: interval, &histories)
    }

    // MARK: Snapshots

    /// A snapshot: what was born in the open interval and lives becomes its survivors, and the next interval begins.
    ///
    /// Costs time in proportion to the stacks touched since the last one.
    package mutating func closeInterval() {
        var stillAging: [UInt32] = []
        for stack in touched {
            sites.state(stack).pointee.temporaryAndFlags &= ~SiteState.touched
            closeStack(stack, &stillAging)
        }
        // Those touched have been closed for this interval already, except in interval 0, when none was before.
        for stack in aging where sites.aging(stack).pointee.closed != interval {
            closeStack(stack, &stillAging)
        }
        groups.close(interval, &histories)
        touched.removeAll(keepingCapacity: true)
        aging = stillAging
        interval += 1
    }

    /// Begins a hunt, right after a snapshot: that is its baseline, and every interval from here on is kept.
    ///
    /// Histories start anew. Costs time in proportion to the stacks there are.
    package mutating func beginHunt() {
        precondition(interval > 0 && touched.isEmpty, "a hunt begins with a snapshot")
        histories.beginHunt(baseline: interval - 1)
        aging.removeAll()
        sites.forEachStack { stack, state, aging in
            aging.pointee.beginHunt(state.pointee.held, &histories)
            if state.pointee.temporaryAndFlags & SiteState.changed == 0 {
                state.pointee.temporaryAndFlags |= SiteState.changed
                changed.append(stack)
            }
        }
        groups.beginHunt(&histories)
    }

    private mutating func closeStack(_ stack: UInt32, _ stillAging: inout [UInt32]) {
        let state = sites.state(stack)
        let aging = sites.aging(stack)
        if aging.pointee.group == 0 {
            // Nothing of it was alive at a snapshot, so no group has counted any of it.
            guard state.pointee.liveCount > 0 else { return }
            aging.pointee.group = groups.number(of: StackID(rawValue: stack))
        }
        groups.add(state.pointee.held, before: aging.pointee, in: interval)
        if aging.pointee.close(interval, state.pointee.held, &histories) { stillAging.append(stack) }
        state.pointee.openBytes = 0
        state.pointee.openCount = 0
    }
}
