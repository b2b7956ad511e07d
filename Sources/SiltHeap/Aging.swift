/// What one stack, or one group of stacks, holds at a snapshot; open: born in the interval that ends with it.
struct Held {
    var liveBytes: UInt64 = 0
    var openBytes: UInt64 = 0
    var liveCount: UInt32 = 0
    var openCount: UInt32 = 0
}

/// How the blocks of one stack, or of one group of stacks, grow old: what is needed until it deserves a history.
///
/// Most stacks never hold a block for long. Only when one survives two further intervals is a `SliceHistory` made; until
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
    func catchUp(to interval: UInt32, _ histories: inout Histories) {
        if history != 0 && closed &+ 1 < interval {
            histories.close(history, interval: interval &- 1, liveBytes: live1)
        }
    }

    /// A block born before `interval` was freed; `count` 0: a part of it.
    mutating func died(_ block: LiveBlock, _ count: UInt32, in interval: UInt32, _ histories: inout Histories) {
        if history != 0 {
            histories.died(history, bytes: block.size, count: UInt64(count), born: block.birth)
        } else if block.birth &+ 1 == interval {
            lastBytes &-= block.size
            lastCount &-= count
        }
    }

    /// The opposite of `died`, for a free that is undone.
    mutating func revived(_ block: LiveBlock, in interval: UInt32, _ histories: inout Histories) {
        if history != 0 {
            histories.survived(history, bytes: block.size, count: 1, born: block.birth)
        } else if block.birth &+ 1 == interval {
            lastBytes &+= block.size
            lastCount &+= 1
        }
    }

    /// A snapshot.
    ///
    /// Returns whether it must be looked at again at the next one even if nothing happens to it.
    mutating func close(_ interval: UInt32, _ held: Held, _ histories: inout Histories) -> Bool {
        // Snapshots that went by without this: nothing was alive to grow old, or there is a history that was told.
        let missed = interval > 0 ? interval - 1 - min(closed, interval - 1) : 0
        if missed > 0 {
            live3 = missed > 1 ? live1 : live2
            live2 = live1
        }
        defer {
            live3 = live2
            live2 = live1
            live1 = held.liveBytes
            liveCount1 = held.liveCount
            lastBytes = held.openBytes
            lastCount = held.openCount
            closed = interval
        }
        if history == 0 { begin(interval, held, &histories) }
        guard history != 0 else { return held.liveCount > 0 }
        if held.openCount > 0 {
            histories.survived(history, bytes: held.openBytes, count: UInt64(held.openCount), born: interval)
        }
        histories.close(history, interval: interval, liveBytes: held.liveBytes)
        return false
    }

    /// A hunt begins, right after a snapshot.
    mutating func beginHunt(_ held: Held, _ histories: inout Histories) {
        history = held.liveCount > 0 ? histories.append(RoundHistory(baseline: held.liveBytes)) : 0
    }

    /// Makes a history if the blocks deserve one at the snapshot of `interval`.
    ///
    /// In a hunt all do: its intervals are few, and nothing was alive at an earlier snapshot of it.
    private mutating func begin(_ interval: UInt32, _ held: Held, _ histories: inout Histories) {
        if histories.huntBaseline != nil {
            if held.liveCount > 0 { history = histories.append(RoundHistory(baseline: 0)) }
            return
        }
        let oldBytes = held.liveBytes &- held.openBytes &- lastBytes
        let oldCount = held.liveCount &- held.openCount &- lastCount
        guard oldCount > 0, interval >= 2 else { return }
        history = histories.append(past(interval, oldBytes, oldCount, histories.scale))
    }

    /// The history up to and with the snapshot before `interval`.
    ///
    /// The old blocks were all born two intervals ago: had there been older ones, the history would have begun earlier.
    /// Before the third last snapshot its live bytes are taken as constant.
    private func past(_ interval: UInt32, _ old: UInt64, _ oldCount: UInt32, _ scale: SnapshotScale) -> SliceHistory {
        if interval == 2 {
            var history = SliceHistory(baselineBytes: live2, baselineCount: UInt64(oldCount), interval: 0)
            if live2 != old { history.died(bytes: live2 &- old, count: 0, born: 0) }
            if lastCount > 0 { history.survived(bytes: lastBytes, count: UInt64(lastCount), born: 1) }
            history.close(interval: 1, liveBytes: live1)
            return history
        }
        let (third, second, last) = (interval - 3, interval - 2, interval - 1)
        var history = SliceHistory(baselineBytes: live3, baselineCount: 0, interval: scale.tick(of: third))
        if live3 != 0 { history.died(bytes: live3, count: 0, born: 0) }
        history.survived(bytes: old, count: UInt64(oldCount), born: scale.tick(of: second))
        history.close(interval: scale.tick(of: second), liveBytes: live2, step: scale.step(to: second))
        if lastCount > 0 {
            history.survived(bytes: lastBytes, count: UInt64(lastCount), born: scale.tick(of: last))
        }
        history.close(interval: scale.tick(of: last), liveBytes: live1, step: scale.step(to: last))
        return history
    }
}
