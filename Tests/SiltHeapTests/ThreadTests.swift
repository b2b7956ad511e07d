import SiltEvents
import SiltTestNumbers
import Testing

@testable import SiltHeap

/// What happened to a thread whose handle is 0x7000, by its tid.
private enum Happening: CaseIterable {
    case take, detach, over
}

extension TestHeap {
    fileprivate func take(_ handle: UInt64 = 0x7000, tid: UInt64, flags: UInt64 = 0, _ stack: UInt32 = 1) {
        let size = tid | flags << 32
        let stack = StackID(rawValue: stack)
        apply([HeapEvent(kind: .take, address: handle, size: size, stack: stack, resource: .thread)])
    }

    fileprivate func say(_ kind: HeapEvent.Kind, _ handle: UInt64 = 0x7000, tid: UInt64) {
        apply([HeapEvent(kind: kind, address: handle, size: tid, resource: .thread)])
    }

    fileprivate func happen(_ happening: Happening, tid: UInt64) {
        switch happening {
        case .take: take(tid: tid)
        case .detach: say(.detach, tid: tid)
        case .over: say(.over, tid: tid)
        }
    }

    fileprivate func held(_ resource: Resource, _ stack: UInt32 = 1) -> UInt64 {
        heap.counters(of: StackID(rawValue: stack), resource).liveCount
    }

    fileprivate var looksForThreads: Bool { heap.hasThreadsToLookFor }
    fileprivate var counts: [UInt64] { [held(.thread), held(.unjoined)] }
}

private let detached: UInt64 = 1
private let ended: UInt64 = 2

private func permutations(_ all: [Happening]) -> [[Happening]] {
    all.isEmpty ? [[]] : all.flatMap { first in permutations(all.filter { $0 != first }).map { [first] + $0 } }
}

/// Threads that run, and threads that ended and were not joined.
@Suite struct ThreadTests {
    @Test func aThreadThatEndedWaitsToBeJoined() {
        let heap = TestHeap()
        heap.take(tid: 11)
        #expect(heap.counts == [1, 0])
        heap.say(.over, tid: 11)
        #expect(heap.counts == [0, 1])
        heap.say(.join, tid: 0)
        #expect(heap.counts == [0, 0])
        #expect(heap.heap.totals(of: .thread).allocatedCount == 1)
        #expect(heap.heap.totals(of: .unjoined).allocatedCount == 1)
        #expect(heap.totals == HeapTotals())
    }

    @Test func aThreadThatIsJoinedBeforeItSaysThatItIsOverIsGone() {
        let heap = TestHeap()
        heap.take(tid: 11)
        heap.say(.join, tid: 11)
        #expect(heap.counts == [0, 0])
    }

    /// Its creator may be the last to speak, who saw none of that.
    @Test(arguments: permutations(Happening.allCases))
    fileprivate func aDetachedThreadIsGoneWhenItIsOverInWhateverOrderThatIsSaid(order: [Happening]) {
        let heap = TestHeap()
        for happening in order { heap.happen(happening, tid: 11) }
        #expect(heap.counts == [0, 0])
        #expect(heap.heap.totals(of: .thread).allocatedCount == 1)
    }

    @Test(arguments: [[Happening.take, .over], [.over, .take]])
    fileprivate func aThreadThatNobodyDetachesStaysWhenItIsOver(order: [Happening]) {
        let heap = TestHeap()
        for happening in order { heap.happen(happening, tid: 11) }
        #expect(heap.counts == [0, 1])
    }

    @Test func aThreadMayBeOverWhenItsCreatorSpeaks() {
        let heap = TestHeap()
        heap.take(0x7000, tid: 0, flags: ended)
        heap.take(0x8000, tid: 0, flags: ended | detached)
        heap.take(0x9000, tid: 12, flags: detached)
        #expect(heap.counts == [1, 1])
    }

    /// The join was recorded after the handle was taken again.
    @Test func aJoinTakesNothingFromTheNextThreadWithTheHandle() {
        let heap = TestHeap()
        heap.take(tid: 11, 1)
        heap.take(tid: 12, 2)
        heap.say(.join, tid: 11)
        #expect(heap.held(.thread, 1) == 0 && heap.held(.thread, 2) == 1)
        #expect(heap.totals == HeapTotals())
    }

    /// Threads that silt saw nobody create: their handles are used again.
    @Test func whatIsSaidOfAThreadThatNobodyCreatedIsNotSaidOfTheNext() {
        let heap = TestHeap()
        heap.say(.over, tid: 11)
        heap.say(.detach, tid: 11)
        heap.take(tid: 12)
        #expect(heap.counts == [1, 0])
    }

    /// Two that detached themselves had the same handle before their creators spoke, who saw them over.
    @Test(arguments: [[UInt64(0), 0], [0, 12], [12, 0], [11, 12], [12, 11]])
    func creatorsWhoSpeakLateFindWhatWasSaidOfEachThreadWithTheHandle(tids: [UInt64]) {
        let heap = TestHeap()
        heap.say(.detach, tid: 11)
        heap.say(.detach, tid: 12)
        for tid in tids { heap.take(tid: tid, flags: tid == 0 ? ended : 0) }
        for tid: UInt64 in [11, 12] { heap.say(.over, tid: tid) }
        #expect(heap.counts == [0, 0])
        #expect(heap.heap.totals(of: .thread).allocatedCount == 2)
    }

    @Test func whatTheListOfRunningThreadsLacksHasEnded() {
        let heap = TestHeap()
        heap.take(0x7000, tid: 11)
        heap.take(0x8000, tid: 12, flags: detached)
        heap.take(0x9000, tid: 13)
        // Its tid is not known.
        heap.take(0xA000, tid: 0)
        #expect(heap.looksForThreads)
        let over = heap.heap.endThreads(besides: [1, 13])
        #expect(over == [0x7000, 0x8000])
        #expect(heap.counts == [2, 1])
        heap.heap.endThreads([0x9000, 0xA000])
        #expect(heap.counts == [0, 3])
        let more = heap.heap.endThreads(besides: [])
        #expect(more.isEmpty && !heap.looksForThreads)
    }

    /// So that a leak of threads that end at once has a history.
    @Test func aThreadIsBornAsAnUnjoinedOneWhenItIsOver() {
        let heap = TestHeap()
        for interval: UInt64 in 0..<20 {
            heap.take(0x7000 + interval, tid: 11 + interval)
            if interval > 0 { heap.say(.over, 0x7000 + interval - 1, tid: 10 + interval) }
            if interval > 0 { heap.alloc(0x10000 + interval * 64, 1, 2) }
            heap.close()
        }
        let unjoined = heap.heap.history(of: StackID(rawValue: 1), .unjoined)
        #expect(unjoined != nil && unjoined == heap.heap.history(of: StackID(rawValue: 2), .heap))
    }
}
