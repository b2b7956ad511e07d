internal import SiltEvents

/// What the stacks of one process hold of one resource: numbers per stack, per group of stacks and whole, and their past.
///
/// Cost per change is one cache line of the stack's numbers. Intervals are numbered from 0; interval 0 ends with the
/// baseline snapshot.
struct SiteLedger: ~Copyable {
    private(set) var interval: UInt32
    private(set) var totals = SiteTotals()
    private var sites = SitePages()
    private var peak = PeakMark()
    /// Stacks with `SiteState.touched`, `SiteState.changed`.
    private var touched: [UInt32] = []
    private var changed: [UInt32] = []
    /// Stacks that hold something and have no history yet.
    private var aging: [UInt32] = []
    private var groups: StackGroups
    private var histories: Histories

    /// As `ProcessHeap.init` says.
    init(
        groupOf: @escaping (StackID) -> FrameID,
        interval: UInt32,
        huntBaseline: UInt32?,
        scale: SnapshotScale
    ) {
        groups = StackGroups(keyOf: groupOf)
        histories = Histories(huntBaseline: huntBaseline, scale: scale)
        self.interval = interval
    }

    var huntBaseline: UInt32? { histories.huntBaseline }
    var scale: SnapshotScale { histories.scale }

    // MARK: Numbers

    /// All zero for a stack that was never used.
    func counters(of stack: StackID) -> SiteCounters {
        sites.existing(stack.rawValue).map { counters($0.state.pointee) } ?? SiteCounters()
    }

    /// Every stack that was ever used, by ascending id.
    func forEachSite(_ body: (StackID, SiteCounters) -> Void) {
        sites.forEachStack { stack, state, _ in body(StackID(rawValue: stack), counters(state.pointee)) }
    }

    private func counters(_ state: SiteState) -> SiteCounters {
        var result = SiteCounters()
        result.liveBytes = state.liveBytes
        result.liveCount = UInt64(state.liveCount)
        result.allocatedBytes = state.allocatedBytes
        result.allocatedCount = state.allocatedCount
        result.openBytes = state.openBytes
        result.openCount = UInt64(state.openCount)
        result.temporaryCount = state.temporaryAndFlags >> 8
        let isSaved = peak.isSaved(state)
        result.peakBytes = isSaved ? state.peakBytes : state.liveBytes
        result.peakCount = UInt64(isSaved ? state.peakCount : state.liveCount)
        return result
    }

    func history(of stack: StackID) -> SiteHistory? {
        sites.existing(stack.rawValue).flatMap { histories.history($0.aging.pointee.history) }
    }

    func groupHistory(of key: FrameID) -> SiteHistory? { histories.history(groups.history(of: key)) }

    func forEachGroupHistory(_ body: (_ key: FrameID, _ history: SiteHistory) -> Void) {
        groups.visit { key, number in
            if let history = histories.history(number) { body(key, history) }
        }
    }

    func groupLive(of key: FrameID) -> (bytes: UInt64, count: UInt64) { groups.live(of: key) }

    func groupKey(of stack: StackID) -> FrameID? {
        sites.existing(stack.rawValue).flatMap { groups.key(of: $0.aging.pointee.group) }
    }

    mutating func drainChanged(_ body: (StackID) -> Void) {
        for stack in changed {
            sites.state(stack).pointee.temporaryAndFlags &= ~SiteState.changed
            body(StackID(rawValue: stack))
        }
        changed.removeAll(keepingCapacity: true)
    }

    mutating func drainChangedGroups(_ body: (FrameID) -> Void) { groups.drainChanged(body) }

    // MARK: Changes

    /// A block was made, and lives.
    @inline(__always)
    mutating func add(_ size: UInt64, _ stack: StackID) {
        let state = site(stack)
        state.pointee.allocatedBytes &+= size
        state.pointee.allocatedCount &+= 1
        state.pointee.openBytes &+= size
        state.pointee.openCount &+= 1
        totals.allocatedBytes &+= size
        totals.allocatedCount &+= 1
        raise(size, state)
    }

    /// A block was made and freed right after; false, and nothing done, when it may have made a new peak.
    @inline(__always)
    mutating func addTemporary(_ size: UInt64, _ stack: StackID) -> Bool {
        guard peak.isPast, totals.inUseBytes &+ size <= totals.peakInUseBytes else { return false }
        let state = site(stack)
        state.pointee.allocatedBytes &+= size
        state.pointee.allocatedCount &+= 1
        state.pointee.temporaryAndFlags &+= SiteState.temporary
        totals.allocatedBytes &+= size
        totals.allocatedCount &+= 1
        totals.temporaryCount += 1
        return true
    }

    /// A block was freed, right after it was made if it is temporary; `count` 0: only a part of it.
    @inline(__always)
    mutating func remove(_ block: LiveBlock, count: UInt32 = 1, isTemporary: Bool = false) {
        if !peak.isPast, peak.leave() { forgetPeaks() }
        let state = site(block.stack)
        state.pointee.liveBytes &-= block.size
        state.pointee.liveCount &-= count
        totals.inUseBytes &-= block.size
        totals.inUseCount &-= UInt64(count)
        if block.birth == interval {
            state.pointee.openBytes &-= block.size
            state.pointee.openCount &-= count
        } else {
            removeOld(block, count)
        }
        if isTemporary {
            state.pointee.temporaryAndFlags &+= SiteState.temporary
            totals.temporaryCount += 1
        }
    }

    /// After 2^32 peaks: no stack may look as if it had been saved already.
    @inline(never)
    private mutating func forgetPeaks() { sites.visit { $0.pointee.peakEpoch = 0 } }

    private mutating func removeOld(_ block: LiveBlock, _ count: UInt32) {
        let aging = sites.aging(block.stack.rawValue)
        aging.pointee.died(block, count, in: interval, &histories)
        groups.died(aging.pointee.group, block, count, in: interval, &histories)
    }

    /// The opposite of `remove`, for a free that is undone.
    mutating func restore(_ block: LiveBlock) {
        let state = site(block.stack)
        if block.birth == interval {
            state.pointee.openBytes &+= block.size
            state.pointee.openCount &+= 1
        } else {
            let aging = sites.aging(block.stack.rawValue)
            aging.pointee.revived(block, in: interval, &histories)
            groups.revived(aging.pointee.group, block, in: interval, &histories)
        }
        raise(block.size, state)
    }

    /// One temporary block was none.
    mutating func undoTemporary(_ stack: StackID) {
        sites.state(stack.rawValue).pointee.temporaryAndFlags &-= SiteState.temporary
        totals.temporaryCount -= 1
    }

    /// One more live block.
    @inline(__always)
    private mutating func raise(_ size: UInt64, _ state: UnsafeMutablePointer<SiteState>) {
        state.pointee.liveBytes &+= size
        state.pointee.liveCount &+= 1
        totals.inUseBytes &+= size
        totals.inUseCount &+= 1
        if totals.inUseBytes > totals.peakInUseBytes {
            totals.peakInUseBytes = totals.inUseBytes
            peak.isPast = false
        }
    }

    /// The state of a stack that is about to change.
    @inline(__always)
    private mutating func site(_ stack: StackID) -> UnsafeMutablePointer<SiteState> {
        let state = sites.state(stack.rawValue)
        let both = SiteState.touched | SiteState.changed
        if state.pointee.temporaryAndFlags & both != both { touch(stack.rawValue, state) }
        peak.save(state)
        return state
    }

    @inline(never)
    private mutating func touch(_ stack: UInt32, _ state: UnsafeMutablePointer<SiteState>) {
        if state.pointee.set(SiteState.changed) { changed.append(stack) }
        guard state.pointee.set(SiteState.touched) else { return }
        touched.append(stack)
        let aging = sites.aging(stack)
        aging.pointee.catchUp(to: interval, &histories)
        groups.touch(aging.pointee.group, in: interval, &histories)
    }

    // MARK: Snapshots

    mutating func closeInterval() {
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

    mutating func beginHunt() {
        precondition(interval > 0 && touched.isEmpty, "a hunt begins with a snapshot")
        histories.beginHunt(baseline: interval - 1)
        aging.removeAll()
        sites.forEachStack { stack, state, aging in
            aging.pointee.beginHunt(state.pointee.held, &histories)
            if state.pointee.set(SiteState.changed) { changed.append(stack) }
        }
        groups.beginHunt(&histories)
    }
}

/// Keeps the stacks' shares of a peak exact without a copy: their live numbers are saved before the first change after it.
///
/// So a new peak costs nothing for the stacks that do not change.
struct PeakMark {
    /// The peak's number: raised by the first decrease after each new peak.
    private var epoch: UInt32 = 0
    /// Between a decrease after a peak and the next new peak; else the peak is now.
    var isPast = false

    init() {}

    /// Before the first decrease after a peak; true when its number was used before.
    @inline(__always)
    mutating func leave() -> Bool {
        isPast = true
        epoch &+= 1
        guard epoch == 0 else { return false }
        epoch = 1
        return true
    }

    /// Before a change of a stack.
    @inline(__always)
    func save(_ state: UnsafeMutablePointer<SiteState>) {
        guard isPast && state.pointee.peakEpoch != epoch else { return }
        state.pointee.peakEpoch = epoch
        state.pointee.peakBytes = state.pointee.liveBytes
        state.pointee.peakCount = state.pointee.liveCount
    }

    /// Whether what the stack had at the peak is not what it has now.
    func isSaved(_ state: SiteState) -> Bool { isPast && state.peakEpoch == epoch }
}
