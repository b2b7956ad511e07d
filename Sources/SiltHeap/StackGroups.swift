internal import SiltEvents

/// The stacks of one process that outlived an interval, in groups that grow old as a whole.
///
/// Groups are numbered from 1; 0 is none, of which nothing is kept.
struct StackGroups {
    private struct Group {
        var key: FrameID
        var aging = Aging.none
        /// At the last snapshot, with what has been added since the one under way began.
        var held = Held()
        /// The interval in which one of its stacks was last touched, and last closed; `.max` = never.
        var touchedIn: UInt32 = .max
        var closingIn: UInt32 = .max
        var isChanged = false
    }

    private var groups: [Group] = []
    private var numbers: [FrameID: UInt32] = [:]
    /// Numbers of the groups with a stack that the snapshot under way has closed.
    private var closing: [UInt32] = []
    /// Numbers of those with `isChanged`.
    private var changed: [UInt32] = []
    private let keyOf: (StackID) -> FrameID

    init(keyOf: @escaping (StackID) -> FrameID) { self.keyOf = keyOf }

    // MARK: Numbers

    func key(of number: UInt32) -> FrameID? { number == 0 ? nil : groups[Int(number) - 1].key }

    /// Bytes and blocks at the last snapshot.
    func live(of key: FrameID) -> (bytes: UInt64, count: UInt64) {
        guard let number = numbers[key] else { return (0, 0) }
        let group = groups[Int(number) - 1]
        return (group.held.liveBytes, UInt64(group.held.liveCount))
    }

    /// `Aging.history` of the group with this key.
    func history(of key: FrameID) -> UInt32 { numbers[key].map { groups[Int($0) - 1].aging.history } ?? 0 }

    /// Every group's key and `Aging.history`.
    func visit(_ body: (_ key: FrameID, _ history: UInt32) -> Void) {
        for group in groups { body(group.key, group.aging.history) }
    }

    /// The keys of groups that changed at a snapshot since the last drain, each once.
    mutating func drainChanged(_ body: (FrameID) -> Void) {
        for number in changed {
            groups[Int(number) - 1].isChanged = false
            body(groups[Int(number) - 1].key)
        }
        changed.removeAll(keepingCapacity: true)
    }

    // MARK: Between snapshots

    /// Before the first change of one of its stacks in `interval`.
    mutating func touch(_ number: UInt32, in interval: UInt32, _ histories: inout Histories) {
        guard number != 0, groups[Int(number) - 1].touchedIn != interval else { return }
        groups[Int(number) - 1].touchedIn = interval
        groups[Int(number) - 1].aging.catchUp(to: interval, &histories)
    }

    /// As `Aging.died`.
    mutating func died(
        _ number: UInt32,
        _ block: LiveBlock,
        _ count: UInt32,
        in interval: UInt32,
        _ histories: inout Histories
    ) {
        guard number != 0 else { return }
        groups[Int(number) - 1].aging.died(block, count, in: interval, &histories)
    }

    /// As `Aging.revived`.
    mutating func revived(_ number: UInt32, _ block: LiveBlock, in interval: UInt32, _ histories: inout Histories) {
        guard number != 0 else { return }
        groups[Int(number) - 1].aging.revived(block, in: interval, &histories)
    }

    // MARK: Snapshots

    /// The number of a stack's group, which is made if it is the first of its key.
    mutating func number(of stack: StackID) -> UInt32 {
        let key = keyOf(stack)
        if let number = numbers[key] { return number }
        groups.append(Group(key: key))
        let number = UInt32(groups.count)
        numbers[key] = number
        return number
    }

    /// Takes over what one of its stacks holds at the snapshot of `interval`; `before` is the stack's aging until then.
    mutating func add(_ held: Held, before: Aging, in interval: UInt32) {
        let index = Int(before.group) - 1
        if groups[index].closingIn != interval {
            groups[index].closingIn = interval
            closing.append(before.group)
        }
        groups[index].held.liveBytes &+= held.liveBytes &- before.live1
        groups[index].held.liveCount &+= held.liveCount &- before.liveCount1
        groups[index].held.openBytes &+= held.openBytes
        groups[index].held.openCount &+= held.openCount
    }

    /// Once all stacks that changed have been added.
    mutating func close(_ interval: UInt32, _ histories: inout Histories) {
        for number in closing {
            let index = Int(number) - 1
            if groups[index].touchedIn != interval { groups[index].aging.catchUp(to: interval, &histories) }
            // Whether it must be looked at again follows from its stacks.
            _ = groups[index].aging.close(interval, groups[index].held, &histories)
            groups[index].held.openBytes = 0
            groups[index].held.openCount = 0
            markChanged(index)
        }
        closing.removeAll(keepingCapacity: true)
    }

    /// As `Aging.beginHunt`, of every group.
    mutating func beginHunt(_ histories: inout Histories) {
        for index in groups.indices {
            groups[index].aging.beginHunt(groups[index].held, &histories)
            markChanged(index)
        }
    }

    private mutating func markChanged(_ index: Int) {
        guard !groups[index].isChanged else { return }
        groups[index].isChanged = true
        changed.append(UInt32(index) + 1)
    }
}
