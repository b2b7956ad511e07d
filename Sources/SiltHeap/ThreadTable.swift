internal import SiltEvents

/// The threads that a process has created: those that run, and those that ended and wait to be joined.
///
/// A handle is used again when its thread was joined, or has ended detached. Most threads tell that they are over; of the
/// others the list of those that run does. A thread may be detached and over before its creator says that there is one.
struct ThreadTable {
    /// A thread begins to count as one of a resource, or does so no more.
    enum Change: Equatable {
        case came(LiveBlock, Resource)
        case went(LiveBlock, Resource)
    }

    private struct Thread {
        /// Its birth is when it came to be what it is.
        var block: LiveBlock
        /// 0: not known.
        var tid: UInt32
        var isDetached: Bool
        var isOver = false

        var resource: Resource { isOver ? .unjoined : .thread }
        var leaves: Change { .went(block, resource) }
    }

    /// What was said of a thread whose creator has not spoken yet.
    private struct Rumor {
        var tid: UInt32
        var isDetached = false
        var isOver = false
    }

    private var threads: [UInt64: Thread] = [:]
    /// By handle, oldest first: several threads may have had it before their creators speak.
    private var rumors: [UInt64: [Rumor]] = [:]
    private static let maximumRumors = 4
    /// Those in `threads` that are not over.
    private var runningCount = 0

    init() {}

    /// 0 stands for any.
    private static func isSame(_ one: UInt32, _ other: UInt32) -> Bool { one == other || one == 0 || other == 0 }

    mutating func take(_ block: LiveBlock, _ event: HeapEvent) -> [Change] {
        let handle = block.address
        var thread = Thread(block: block, tid: event.tid, isDetached: event.isDetached)
        var isOver = event.isOver
        if let rumor = takeRumor(of: handle, tid: thread.tid) {
            thread.isDetached = thread.isDetached || rumor.isDetached
            isOver = isOver || rumor.isOver
        }
        if isOver, thread.isDetached, let other = threads[handle], thread.tid == 0, other.tid != 0 {
            // It had its handle before the one that has it: that one's creator was faster.
            return [.came(block, .thread), .went(block, .thread)]
        }
        // The one before it with its handle ended unseen.
        var changes = remove(handle)
        threads[handle] = thread
        runningCount += 1
        changes.append(.came(block, .thread))
        return isOver ? changes + end(handle, tid: thread.tid, at: block.birth) : changes
    }

    /// It was joined.
    mutating func join(_ handle: UInt64, tid: UInt32) -> [Change] {
        guard let thread = threads[handle], Self.isSame(thread.tid, tid) else { return [] }
        return remove(handle)
    }

    mutating func detach(_ handle: UInt64, tid: UInt32) -> [Change] {
        guard let thread = threads[handle], Self.isSame(thread.tid, tid) else {
            note(handle, tid) { $0.isDetached = true }
            return []
        }
        if thread.isOver { return remove(handle) }
        threads[handle]?.isDetached = true
        return []
    }

    /// It has ended, in that interval.
    mutating func end(_ handle: UInt64, tid: UInt32, at interval: UInt32) -> [Change] {
        guard var thread = threads[handle], Self.isSame(thread.tid, tid) else {
            note(handle, tid) { $0.isOver = true }
            return []
        }
        guard !thread.isOver else { return [] }
        if thread.isDetached { return remove(handle) }
        let left = thread.leaves
        runningCount -= 1
        thread.isOver = true
        thread.block.birth = interval
        threads[handle] = thread
        return [left, .came(thread.block, .unjoined)]
    }

    var hasRunning: Bool { runningCount > 0 }

    /// The handles of those that are taken to run and whose tid is known, but is not among these.
    func running(besides tids: Set<UInt32>) -> [UInt64] {
        threads.filter { !$0.value.isOver && $0.value.tid != 0 && !tids.contains($0.value.tid) }.map(\.key).sorted()
    }

    private mutating func remove(_ handle: UInt64) -> [Change] {
        guard let thread = threads.removeValue(forKey: handle) else { return [] }
        if !thread.isOver { runningCount -= 1 }
        return [thread.leaves]
    }

    private mutating func note(_ handle: UInt64, _ tid: UInt32, _ change: (inout Rumor) -> Void) {
        var all = rumors[handle] ?? []
        let index = all.lastIndex { Self.isSame($0.tid, tid) } ?? all.endIndex
        if index == all.endIndex { all.append(Rumor(tid: tid)) }
        if all[index].tid == 0 { all[index].tid = tid }
        change(&all[index])
        rumors[handle] = all.suffix(Self.maximumRumors)
    }

    /// What was said of the thread with that tid; of one whose tid is not known, what was said of the oldest.
    private mutating func takeRumor(of handle: UInt64, tid: UInt32) -> Rumor? {
        guard var all = rumors[handle],
            let index = all.firstIndex(where: { $0.tid == tid }) ?? all.firstIndex(where: { Self.isSame($0.tid, tid) })
        else { return nil }
        let rumor = all.remove(at: index)
        rumors[handle] = all.isEmpty ? nil : all
        return rumor
    }
}
