package import SiltEvents

/// What one process holds, as its events describe it: live blocks, and numbers per stack, group and whole.
///
/// Cost per event is one look-up in the live table and one cache line of the stack's numbers. What is counted is exact,
/// the peak and the stacks' shares of it too. The same numbers are kept of the other resources.
package struct ProcessHeap: ~Copyable {
    private var live = LiveTable()
    private var sites: SiteLedger
    private var mappings = MappingTable()
    private var handles = HandleTable()
    private var threads = ThreadTable()
    private var others: ResourceLedgers
    private var freed = FreedBlocks()
    private var moves: [StackID: MovedBlocks] = [:]
    /// The newest allocation of the process.
    private var lastAllocated: UInt64 = 0
    /// What is wrong with the events.
    private var faults = HeapTotals()
    private let inheritsHeap: Bool

    /// - Parameters:
    ///   - inheritsHeap: A forked child: frees of blocks its parent allocated are expected.
    ///   - groupOf: The key of the group a stack belongs to; asked once per stack, when it first outlives an interval.
    ///   - interval: The interval that is open: later than 0 for a process that starts in the middle of a hunt.
    ///   - huntBaseline: The interval that ended when that hunt began.
    ///   - scale: When snapshots are taken.
    package init(
        inheritsHeap: Bool,
        groupOf: @escaping (StackID) -> FrameID,
        interval: UInt32 = 0,
        huntBaseline: UInt32? = nil,
        scale: SnapshotScale = .even
    ) {
        self.inheritsHeap = inheritsHeap
        sites = SiteLedger(groupOf: groupOf, interval: interval, huntBaseline: huntBaseline, scale: scale)
        others = ResourceLedgers(groupOf: groupOf)
    }

    // MARK: Numbers

    /// The open interval.
    ///
    /// They are numbered from 0; interval 0 ends with the baseline snapshot.
    package var interval: UInt32 { sites.interval }

    /// When the snapshots that end them are taken.
    package var scale: SnapshotScale { sites.scale }

    package var totals: HeapTotals {
        var result = faults
        result.heap = sites.totals
        let mapped = totals(of: .mapping)
        (result.mappedBytes, result.mappedCount) = (mapped.inUseBytes, mapped.inUseCount)
        return result
    }

    /// All zero for a resource this process never had.
    package func totals(of resource: Resource) -> SiteTotals { read(resource) { $0.totals } ?? SiteTotals() }

    private borrowing func read<Result>(
        _ resource: Resource,
        _ body: (borrowing SiteLedger) -> Result?
    ) -> Result? {
        resource == .heap ? body(sites) : others.read(resource, body) ?? nil
    }

    /// Memory the live table takes.
    package var liveTableBytes: Int { live.bytes }

    /// All zero for a stack this process never used.
    package func counters(of stack: StackID, _ resource: Resource) -> SiteCounters {
        read(resource) { $0.counters(of: stack) } ?? SiteCounters()
    }

    /// Every stack that ever took some of a resource, by ascending id.
    package func forEachSite(of resource: Resource, _ body: (StackID, SiteCounters) -> Void) {
        _ = read(resource) { $0.forEachSite(body) }
    }

    /// Nil: the stack never held a block for more than two intervals.
    ///
    /// Not caught up to the current interval.
    package func history(of stack: StackID, _ resource: Resource) -> SiteHistory? {
        read(resource) { $0.history(of: stack) }
    }

    /// The history of all stacks with this key of `groupOf`; nil as for a stack.
    package func groupHistory(of key: FrameID, _ resource: Resource) -> SiteHistory? {
        read(resource) { $0.groupHistory(of: key) }
    }

    /// The histories of all groups that have one.
    package func forEachGroupHistory(
        of resource: Resource,
        _ body: (_ key: FrameID, _ history: SiteHistory) -> Void
    ) {
        _ = read(resource) { $0.forEachGroupHistory(body) }
    }

    /// The bytes and blocks of a group at the last snapshot.
    package func groupLive(of key: FrameID, _ resource: Resource) -> (bytes: UInt64, count: UInt64) {
        read(resource) { $0.groupLive(of: key) } ?? (0, 0)
    }

    /// The key the stack was grouped under; nil if it has not outlived an interval.
    package func groupKey(of stack: StackID, _ resource: Resource) -> FrameID? {
        read(resource) { $0.groupKey(of: stack) }
    }

    /// The stacks whose counters changed since the last drain, each once.
    package mutating func drainChanged(of resource: Resource, _ body: (StackID) -> Void) {
        if resource == .heap { sites.drainChanged(body) } else { others.change(resource) { $0.drainChanged(body) } }
    }

    /// The keys of groups that changed at a snapshot since the last drain, each once.
    package mutating func drainChangedGroups(of resource: Resource, _ body: (FrameID) -> Void) {
        if resource == .heap {
            sites.drainChangedGroups(body)
        } else {
            others.change(resource) { $0.drainChangedGroups(body) }
        }
    }

    /// Every live block, in no order.
    package func forEachLive(_ body: (LiveBlock) -> Void) { live.visit(body) }

    /// Whether blocks have lain in a range, or within 2 MiB of it.
    func hasHeldBlock(near range: Range<UInt64>) -> Bool { live.hasHeldBlock(near: range) }

    /// Every range that the program mapped itself and has not unmapped, by address.
    package func forEachMapping(_ body: (_ range: Range<UInt64>, _ stack: StackID) -> Void) { mappings.visit(body) }

    /// Every handle of a resource that the process has, in no order.
    package func forEachHandle(of resource: Resource, _ body: (_ handle: UInt64, HeldHandle) -> Void) {
        handles.visit(resource, body)
    }

    /// The stack that took what a handle names; nil where the process has no such thing.
    package func stack(ofHandle handle: UInt64, of resource: Resource) -> StackID? {
        handles.stack(of: handle, resource)
    }

    /// It was seen that the process has something; nobody saw how it came to that.
    package mutating func find(_ handle: UInt64, of resource: Resource, stack: StackID) {
        take(HeapEvent(kind: .take, address: handle, size: 1, stack: stack, resource: resource), isFound: true)
    }

    /// It was seen that the process does not have what this handle named any more.
    package mutating func lose(_ handle: UInt64, of resource: Resource) {
        guard let thing = handles.lose(handle, of: resource) else { return }
        others.change(resource) { $0.remove(thing) }
    }

    /// What realloc(3), called with that stack, has moved to another address; nil: nothing.
    package func moves(by stack: StackID) -> MovedBlocks? { moves[stack] }

    // MARK: Who frees

    /// From now on, frees of blocks born in that interval or later are counted by the stack that frees them, from zero.
    ///
    /// Only frees that carry a stack are: those of images with `silt_header.free_stacks`. Right after a snapshot,
    /// `interval` counts the blocks of the phase that begins there.
    package mutating func startCountingFrees(bornSince interval: UInt32) { freed.startCounting(bornSince: interval) }

    /// What each stack freed of what each stack allocated, in no order, as `startCountingFrees` says.
    ///
    /// A realloc frees its old block; a free that did not happen (a failed realloc) is not counted.
    package func forEachFreePartner(
        _ body: (_ allocation: StackID, _ free: StackID, _ blocks: UInt64, _ bytes: UInt64) -> Void
    ) {
        freed.forEachPartner(body)
    }

    // MARK: Snapshots

    /// A snapshot: what was born in the open interval and lives becomes its survivors, and the next interval begins.
    ///
    /// Costs time in proportion to the stacks touched since the last one.
    package mutating func closeInterval() {
        sites.closeInterval()
        others.changeAll { $0.closeInterval() }
    }

    /// Begins a hunt, right after a snapshot: that is its baseline, and every interval from here on is kept.
    ///
    /// Histories start anew. Costs time in proportion to the stacks there are.
    package mutating func beginHunt() {
        sites.beginHunt()
        others.changeAll { $0.beginHunt() }
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

    /// Two events in a row at one address, with one look-up for both; false, and nothing done, when they are not a pair.
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
            remove(old, by: first)
            if case .realloc = second.kind { moved(second) }
            add(second)
            return true
        default: return false
        }
    }

    /// A block that is freed right after it was made never enters the live table; false when that would lose something.
    @inline(__always)
    private mutating func temporary(_ made: HeapEvent, freedBy free: HeapEvent, at place: LiveTable.Place) -> Bool {
        guard passing(made, at: place) else { return false }
        let block = LiveBlock(address: made.address, size: made.size, stack: made.stack, birth: interval)
        freed.note(block, by: free, .temporary)
        return true
    }

    /// Counts a block that comes and goes; false, and nothing done, when that would lose something.
    @inline(__always)
    private mutating func passing(_ made: HeapEvent, at place: LiveTable.Place) -> Bool {
        guard live.isFree(made.address, at: place), sites.addTemporary(made.size, made.stack) else { return false }
        lastAllocated = made.address
        return true
    }

    @inline(__always)
    private mutating func apply(_ event: HeapEvent, at place: LiveTable.Place) {
        switch event.kind {
        case .free: free(event, at: place)
        case .alloc: alloc(event, at: place)
        case .realloc:
            moved(event)
            alloc(event, at: place)
        case .unfree: unfree(event, at: place)
        case .temporary:
            if !passing(event, at: place) { comeAndGo(event, at: place) }
        case .map, .remap: map(event)
        case .unmap: unmap(event)
        case .take: take(event)
        case .give: give(event)
        case .kept: keep(event)
        case .over: threadIsOver(event.address, tid: event.tid)
        case .detach: apply(threads.detach(event.address, tid: event.tid))
        case .join: apply(threads.join(event.address, tid: event.tid))
        }
    }

    @inline(__always)
    private mutating func alloc(_ event: HeapEvent, at place: LiveTable.Place) {
        insert(LiveBlock(address: event.address, size: event.size, stack: event.stack, birth: interval), at: place)
        add(event)
    }

    /// Puts a block into the live table.
    @inline(__always)
    private mutating func insert(_ block: LiveBlock, at place: LiveTable.Place) {
        if let old = live.insert(block, at: place) { overwrote(old) }
    }

    /// A block at whose address another is live now: it must have been freed unseen.
    @inline(never)
    private mutating func overwrote(_ old: LiveBlock) {
        faults.overwritten += 1
        sites.remove(old)
    }

    /// A block that comes and goes, one after the other: at a peak, or at the address of one whose free was not seen.
    @inline(never)
    private mutating func comeAndGo(_ event: HeapEvent, at place: LiveTable.Place) {
        alloc(event, at: place)
        guard let block = live.remove(event.address, at: place) else { return }
        sites.remove(block, isTemporary: true)
    }

    /// Counts a block that has entered the live table.
    @inline(__always)
    private mutating func add(_ event: HeapEvent) {
        sites.add(event.size, event.stack)
        lastAllocated = event.address
    }

    @inline(__always)
    private mutating func free(_ event: HeapEvent, at place: LiveTable.Place) {
        guard let block = live.remove(event.address, at: place) else {
            if inheritsHeap { faults.inheritedFrees += 1 } else { faults.unknownFrees += 1 }
            freed.noteUnknown(event)
            return
        }
        remove(block, by: event)
    }

    /// Counts a block that has left the live table.
    @inline(__always)
    private mutating func remove(_ block: LiveBlock, by event: HeapEvent) {
        let isTemporary = lastAllocated == event.address
        sites.remove(block, isTemporary: isTemporary)
        freed.note(block, by: event, isTemporary ? .temporary : .applied)
    }

    @inline(never)
    private mutating func unfree(_ event: HeapEvent, at place: LiveTable.Place) {
        let last = freed.takeBack(event)
        switch last.outcome {
        case .none: faults.unmatchedUnfrees += 1
        case .unknown: if inheritsHeap { faults.inheritedFrees -= 1 } else { faults.unknownFrees -= 1 }
        case .applied, .temporary:
            if last.outcome == .temporary { sites.undoTemporary(last.block.stack) }
            insert(last.block, at: place)
            sites.restore(last.block)
        }
    }

    /// The free before a realloc was not a temporary allocation's end, but a move where the block is elsewhere now.
    private mutating func moved(_ event: HeapEvent) {
        guard let old = freed.takeMoved(slot: event.slot) else { return }
        if old.outcome == .temporary { sites.undoTemporary(old.block.stack) }
        guard old.block.address != event.address else { return }
        moves[event.stack, default: MovedBlocks()].add(min(old.block.size, event.size))
    }

    // MARK: Mappings

    @inline(never)
    private mutating func map(_ event: HeapEvent) {
        unmap(event)
        let block = LiveBlock(address: event.address, size: event.size, stack: event.stack, birth: interval)
        guard mappings.map(block) else { return }
        others.make(.mapping, as: sites)
        others.change(.mapping) { $0.add(event.size, event.stack) }
    }

    @inline(never)
    private mutating func unmap(_ event: HeapEvent) {
        mappings.unmap(event.address, event.size) { part, isLast in
            others.change(.mapping) { $0.remove(part, count: isLast ? 1 : 0) }
        }
    }

    // MARK: Handles

    @inline(never)
    private mutating func take(_ event: HeapEvent, isFound: Bool = false) {
        let size = event.resource.isCounted ? 1 : event.size
        let thing = LiveBlock(address: event.address, size: size, stack: event.stack, birth: interval)
        if event.resource == .thread { return apply(threads.take(thing, event)) }
        if handles.takeAgain(event.address, of: event.resource) { return }
        if let old = handles.take(thing, of: event.resource, isFound: isFound) {
            // Descriptors may be closed where no hook sees it (io_uring, bare system calls): looks find that too, and
            // nothing is counted wrong.
            if event.resource != .descriptor { faults.overwritten += 1 }
            others.change(event.resource) { $0.remove(old.thing) }
        }
        others.make(event.resource, as: sites)
        others.change(event.resource) { $0.add(size, event.stack) }
    }

    /// What the process was born with, or took unseen, is not counted when it goes.
    @inline(never)
    private mutating func give(_ event: HeapEvent) {
        if handles.giveOne(event.address, of: event.resource) { return }
        guard let thing = handles.give(event.address, of: event.resource, slot: event.slot) else { return }
        others.change(event.resource) { $0.remove(thing) }
    }

    @inline(never)
    private mutating func keep(_ event: HeapEvent) {
        guard let thing = handles.keep(event.address, of: event.resource, slot: event.slot) else { return }
        others.change(event.resource) { $0.restore(thing) }
    }

    // MARK: Threads

    /// Whether threads are taken to run whose end nothing may tell but the list of those that do.
    package var hasThreadsToLookFor: Bool { threads.hasRunning }

    /// Ends the threads that run no more, as a list of the tids of those that do tells which was read after all events so
    /// far had happened; returns their handles.
    package mutating func endThreads(besides running: Set<UInt32>) -> [UInt64] {
        let over = threads.running(besides: running)
        for thread in over { threadIsOver(thread, tid: 0) }
        return over
    }

    package mutating func endThreads(_ handles: [UInt64]) {
        for thread in handles { threadIsOver(thread, tid: 0) }
    }

    private mutating func threadIsOver(_ handle: UInt64, tid: UInt32) {
        apply(threads.end(handle, tid: tid, at: interval))
    }

    private mutating func apply(_ changes: [ThreadTable.Change]) {
        for change in changes {
            switch change {
            case .came(let thread, let resource):
                others.make(resource, as: sites)
                others.change(resource) { $0.add(thread.size, thread.stack) }
            case .went(let thread, let resource): others.change(resource) { $0.remove(thread) }
            }
        }
    }
}
