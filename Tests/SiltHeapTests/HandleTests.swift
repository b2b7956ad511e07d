import SiltEvents
import SiltTestNumbers
import Testing

@testable import SiltHeap

extension TestHeap {
    fileprivate func take(_ handle: UInt64, _ resource: Resource, size: UInt64 = 1, _ stack: UInt32 = 1) {
        let stack = StackID(rawValue: stack)
        apply([HeapEvent(kind: .take, address: handle, size: size, stack: stack, resource: resource)])
    }

    fileprivate func give(_ handle: UInt64, _ resource: Resource) {
        apply([HeapEvent(kind: .give, address: handle, resource: resource)])
    }

    fileprivate func kept(_ handle: UInt64, _ resource: Resource, slot: UInt16 = 0) {
        apply([HeapEvent(kind: .kept, address: handle, slot: slot, resource: resource)])
    }

    fileprivate func held(_ resource: Resource, _ stack: UInt32 = 1) -> SiteCounters {
        heap.counters(of: StackID(rawValue: stack), resource)
    }
}

/// Descriptors, threads, timers: what has a handle, and is neither a block nor a range.
@Suite struct HandleTests {
    @Test func aThingBelongsToTheStackThatTookIt() {
        let heap = TestHeap()
        for handle: UInt64 in 3...5 { heap.take(handle, .descriptor) }
        heap.take(9, .descriptor, 2)
        heap.give(4, .descriptor)
        #expect(heap.held(.descriptor).liveCount == 2 && heap.held(.descriptor).liveBytes == 2)
        #expect(heap.held(.descriptor).allocatedCount == 3 && heap.held(.descriptor).freedCount == 1)
        #expect(heap.held(.descriptor, 2).liveCount == 1)
        #expect(heap.heap.totals(of: .descriptor).peakInUseBytes == 4)
        #expect(heap.totals == HeapTotals())
    }

    @Test func oneHandleNamesAThingOfEachResource() {
        let heap = TestHeap()
        heap.alloc(0x1000, 100, 1)
        heap.take(0x1000, .timer)
        heap.take(0x1000, .descriptor)
        heap.give(0x1000, .timer)
        #expect(heap.held(.timer).liveCount == 0 && heap.held(.descriptor).liveCount == 1)
        #expect(heap.site(1).liveBytes == 100)
    }

    /// A look may be faster than the record of who took it, and what it has found may go unseen.
    @Test func whatALookHasFoundIsOfTheStackThatIsSeenToTakeIt() {
        let heap = TestHeap()
        let program = StackID(rawValue: 9)
        for handle: UInt64 in 3...4 { heap.heap.find(handle, of: .descriptor, stack: program) }
        #expect(heap.held(.descriptor, 9).liveCount == 2)
        heap.take(3, .descriptor)
        #expect(heap.held(.descriptor, 9).liveCount == 1 && heap.held(.descriptor).liveCount == 1)
        #expect(heap.totals.overwritten == 0)
        var found: [UInt64] = []
        heap.heap.forEachHandle(of: .descriptor) { if $1.isFound { found.append($0) } }
        #expect(found == [4])
    }

    /// Their size is not what a hook happens to say.
    @Test func whatIsCountedHasTheSizeOne() {
        let heap = TestHeap()
        heap.take(3, .descriptor, size: .max)
        heap.take(4, .descriptor, size: 0)
        #expect(heap.held(.descriptor).liveBytes == 2)
    }

    @Test func whatTheProcessWasBornWithGoesUncounted() {
        let heap = TestHeap()
        heap.give(0, .descriptor)
        #expect(heap.totals == HeapTotals() && heap.held(.descriptor) == SiteCounters())
    }

    @Test func aHandleThatIsTakenTwiceWasGivenBackUnseen() {
        let heap = TestHeap()
        heap.take(3, .timer, 1)
        heap.take(3, .timer, 2)
        #expect(heap.totals.overwritten == 1)
        #expect(heap.held(.timer, 1).liveCount == 0 && heap.held(.timer, 2).liveCount == 1)
    }

    /// A close by io_uring is none of a block's frees that went by: which descriptors are open is known all the same.
    @Test func aDescriptorThatIsOpenedTwiceWasClosedWhereNoHookSees() {
        let heap = TestHeap()
        heap.take(3, .descriptor, 1)
        heap.take(3, .descriptor, 2)
        #expect(heap.totals.overwritten == 0)
        #expect(heap.held(.descriptor, 1).liveCount == 0 && heap.held(.descriptor, 2).liveCount == 1)
    }

    /// As dup2(2) that fails: what it would have closed is still there, with its stack and its age.
    @Test func whatIsNotGivenBackInTheEndIsAsItWas() {
        let heap = TestHeap()
        let other = TestHeap()
        for each in [heap, other] {
            each.take(3, .descriptor, 1)
            each.take(4, .descriptor, 2)
            each.close()
        }
        heap.give(3, .descriptor)
        heap.kept(3, .descriptor)
        for each in [heap, other] { each.close() }
        #expect(heap.held(.descriptor, 1) == other.held(.descriptor, 1))
        let stack = StackID(rawValue: 1)
        #expect(heap.heap.history(of: stack, .descriptor) == other.heap.history(of: stack, .descriptor))
        heap.give(3, .descriptor)
        #expect(heap.held(.descriptor, 1).liveCount == 0)
    }

    @Test func onlyTheLastOfASlotIsTakenBackAndOnlyWhereNothingIsThereByNow() {
        let heap = TestHeap()
        heap.take(3, .descriptor)
        heap.give(3, .descriptor)
        heap.kept(4, .descriptor)
        heap.kept(3, .timer)
        heap.kept(3, .descriptor, slot: 1)
        #expect(heap.held(.descriptor).liveCount == 0)
        heap.take(3, .descriptor, 2)
        heap.kept(3, .descriptor)
        #expect(heap.held(.descriptor, 1).liveCount == 0 && heap.held(.descriptor, 2).liveCount == 1)
        heap.give(9, .descriptor)
        heap.kept(9, .descriptor)
        #expect(heap.heap.totals(of: .descriptor).inUseCount == 1)
    }

    /// A name that is opened again is one semaphore, which is there until it was closed as often.
    @Test func aSharedThingIsThereUntilItIsGivenBackAsOftenAsTaken() {
        let heap = TestHeap()
        for stack: UInt32 in 1...3 { heap.take(0x1000, .semaphore, stack) }
        #expect(heap.held(.semaphore).liveCount == 1 && heap.held(.semaphore, 2).liveCount == 0)
        heap.give(0x1000, .semaphore)
        heap.give(0x1000, .semaphore)
        #expect(heap.held(.semaphore).liveCount == 1)
        heap.give(0x1000, .semaphore)
        heap.give(0x1000, .semaphore)
        #expect(heap.held(.semaphore).liveCount == 0 && heap.totals == HeapTotals())
    }

    @Test func aSegmentHasItsSize() {
        let heap = TestHeap()
        heap.take(0x1000, .segment, size: 8192)
        #expect(heap.held(.segment).liveBytes == 8192)
    }

    @Test func whatStaysHasAHistoryAsBlocksHave() {
        let heap = TestHeap()
        for interval in 0..<20 {
            heap.take(UInt64(interval), .timer)
            heap.alloc(0x10000 + UInt64(interval) * 64, 1, 1)
            heap.close()
        }
        let timers = heap.heap.history(of: StackID(rawValue: 1), .timer)
        #expect(timers != nil && timers == heap.heap.history(of: StackID(rawValue: 1), .heap))
    }
}
