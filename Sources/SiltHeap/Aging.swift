/// How the blocks of one stack, or of one group of stacks, grow old: what is needed until it deserves a history.
///
/// Most stacks never hold a block for long. Only when one survives two further intervals is a `SiteHistory` made; until
/// then the survivors of the last interval and the live bytes at the last three snapshots are enough to give that
/// history its true beginning.
struct Aging {
    /// Live bytes at the snapshot of interval `closed`, the one before it, and the one before that.
    var live1: UInt64
    var live2: UInt64
    var live3: UInt64
    /// Alive and born in interval `closed`.
    ///
    /// Meaningless once there is a history.
    var lastBytes: UInt64
    var lastCount: UInt32
    var liveCount1: UInt32
    /// The last interval this was closed for.
    var closed: UInt32
    /// Index + 1 of its history; 0 = none yet.
    var history: UInt32
    /// Number of this stack's group in `StackGroups`; 0 = not yet asked.
    var group: UInt32

    static let none = Aging(
        live1: 0,
        live2: 0,
        live3: 0,
        lastBytes: 0,
        lastCount: 0,
        liveCount1: 0,
        closed: 0,
        history: 0,
        group: 0
    )

    /// Before the first change in `interval`: the intervals since the last change went by with nothing happening.
    @inline(__always)
    func catchUp(to interval: UInt32, _ histories: inout [SiteHistory]) {
        if history != 0 && closed &+ 1 < interval {
            histories[Int(history) - 1].close(interval: interval &- 1, liveBytes: live1)
        }
    }

    /// A block born before `interval` was freed.
    mutating func died(_ bytes: UInt64, born: UInt32, in interval: UInt32, _ histories: inout [SiteHistory]) {
        if history != 0 {
            histories[Int(history) - 1].died(bytes: bytes, count: 1, born: born)
        } else if born &+ 1 == interval {
            lastBytes &-= bytes
            lastCount &-= 1
        }
    }

    /// The opposite of `died`, for a free that is undone.
    mutating func revived(_ bytes: UInt64, born: UInt32, in interval: UInt32, _ histories: inout [SiteHistory]) {
        if history != 0 {
            histories[Int(history) - 1].survived(bytes: bytes, count: 1, born: born)
        } else if born &+ 1 == interval {
            lastBytes &+= bytes
            lastCount &+= 1
        }
    }

    /// A snapshot.
    ///
    /// Returns whether it must be looked at again at the next one even if nothing happens to it.
    mutating func close(
        _ interval: UInt32,
        live: UInt64,
        liveCount: UInt32,
        open: UInt64,
        openCount: UInt32,
        keptSince: UInt32?,
        _ histories: inout [SiteHistory]
    ) -> Bool {
        // Snapshots that went by without this: nothing was alive to grow old, or there is a history that was told.
        let missed = interval > 0 ? interval - 1 - min(closed, interval - 1) : 0
        if missed > 0 {
            live3 = missed > 1 ? live1 : live2
            live2 = live1
        }
        defer {
            live3 = live2
            live2 = live1
            live1 = live
            liveCount1 = liveCount
            lastBytes = open
            lastCount = openCount
            closed = interval
        }
        if let keptSince, history == 0, liveCount > 0 {
            // Nothing of it was alive at an earlier snapshot: the hunt's intervals are few, so each is kept from the first.
            histories.append(SiteHistory(keptSince: keptSince, bytes: 0, count: 0))
            history = UInt32(histories.count)
        }
        if history != 0 {
            if openCount > 0 {
                histories[Int(history) - 1].survived(bytes: open, count: UInt64(openCount), born: interval)
            }
            histories[Int(history) - 1].close(interval: interval, liveBytes: live)
            return false
        }
        let oldCount = liveCount &- openCount &- lastCount
        guard oldCount > 0, interval >= 2 else { return liveCount > 0 }
        histories.append(begin(interval, old: live &- open &- lastBytes, oldCount: oldCount))
        history = UInt32(histories.count)
        if openCount > 0 {
            histories[Int(history) - 1].survived(bytes: open, count: UInt64(openCount), born: interval)
        }
        histories[Int(history) - 1].close(interval: interval, liveBytes: live)
        return false
    }

    /// Right after the snapshot of `interval` was taken: it becomes the baseline of a history that keeps its intervals.
    mutating func keep(since interval: UInt32, bytes: UInt64, count: UInt32, _ histories: inout [SiteHistory]) {
        guard count > 0 else {
            history = 0
            return
        }
        histories.append(SiteHistory(keptSince: interval, bytes: bytes, count: UInt64(count)))
        history = UInt32(histories.count)
    }

    /// The history up to and with the snapshot before `interval`.
    ///
    /// The old blocks were all born two intervals ago: had there been older ones, the history would have begun earlier.
    /// Before the third last snapshot its live bytes are taken as constant.
    private func begin(_ interval: UInt32, old: UInt64, oldCount: UInt32) -> SiteHistory {
        if interval == 2 {
            var history = SiteHistory(baselineBytes: live2, baselineCount: UInt64(oldCount), interval: 0)
            if live2 != old { history.died(bytes: live2 &- old, count: 0, born: 0) }
            if lastCount > 0 { history.survived(bytes: lastBytes, count: UInt64(lastCount), born: 1) }
            history.close(interval: 1, liveBytes: live1)
            return history
        }
        var history = SiteHistory(baselineBytes: live3, baselineCount: 0, interval: interval - 3)
        if live3 != 0 { history.died(bytes: live3, count: 0, born: 0) }
        history.survived(bytes: old, count: UInt64(oldCount), born: interval - 2)
        history.close(interval: interval - 2, liveBytes: live2)
        if lastCount > 0 { history.survived(bytes: lastBytes, count: UInt64(lastCount), born: interval - 1) }
        history.close(interval: interval - 1, liveBytes: live1)
        return history
    }
}
