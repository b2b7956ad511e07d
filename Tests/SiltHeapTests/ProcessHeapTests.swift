import SiltEvents
import Testing

@testable import SiltHeap

/// A heap that tests feed event by event.
final class TestHeap {
    var heap: ProcessHeap

    init(
        inheritsHeap: Bool = false,
        groupOf: @escaping (StackID) -> FrameID = { FrameID(rawValue: $0.rawValue) },
        interval: UInt32 = 0,
        huntBaseline: UInt32? = nil
    ) {
        heap = ProcessHeap(
            inheritsHeap: inheritsHeap,
            groupOf: groupOf,
            interval: interval,
            huntBaseline: huntBaseline
        )
    }

    func apply(_ events: [HeapEvent]) { events.withUnsafeBufferPointer { heap.apply($0) } }

    func alloc(_ address: UInt64, _ size: UInt64, _ stack: UInt32 = 1, slot: UInt16 = 0, realloc: Bool = false) {
        apply([
            HeapEvent(
                kind: realloc ? .realloc : .alloc,
                address: address,
                size: size,
                stack: StackID(rawValue: stack),
                slot: slot
            )
        ])
    }

    func free(_ address: UInt64, slot: UInt16 = 0, by stack: UInt32 = 0) {
        apply([HeapEvent(kind: .free, address: address, stack: StackID(rawValue: stack), slot: slot)])
    }

    func unfree(_ address: UInt64, slot: UInt16 = 0) {
        apply([HeapEvent(kind: .unfree, address: address, slot: slot)])
    }

    func close() { heap.closeInterval() }

    func startCountingFrees(since interval: UInt32) { heap.startCountingFrees(bornSince: interval) }

    /// In the order of the stacks.
    func freePartners() -> [FreePartner] {
        var result: [FreePartner] = []
        heap.forEachFreePartner { allocation, free, blocks, bytes in
            result.append(
                FreePartner(allocation: allocation.rawValue, free: free.rawValue, blocks: blocks, bytes: bytes)
            )
        }
        return result.sorted { ($0.allocation, $0.free) < ($1.allocation, $1.free) }
    }

    func site(_ stack: UInt32 = 1) -> SiteCounters { heap.counters(of: StackID(rawValue: stack), .heap) }
    func moves(_ stack: UInt32) -> MovedBlocks { heap.moves(by: StackID(rawValue: stack)) ?? MovedBlocks() }

    var totals: HeapTotals { heap.totals }

    func changed() -> [UInt32] {
        var result: [UInt32] = []
        heap.drainChanged(of: .heap) { result.append($0.rawValue) }
        return result
    }

    func changedGroups() -> [UInt32] {
        var result: [UInt32] = []
        heap.drainChangedGroups(of: .heap) { result.append($0.rawValue) }
        return result
    }

    func hasHistory(_ stack: UInt32) -> Bool { heap.history(of: StackID(rawValue: stack), .heap) != nil }

    func hasGroupHistory(_ key: UInt32) -> Bool { heap.groupHistory(of: FrameID(rawValue: key), .heap) != nil }
}

/// What one stack freed of what another one allocated.
struct FreePartner: Equatable {
    var allocation: UInt32
    var free: UInt32
    var blocks: UInt64
    var bytes: UInt64
}

@Suite struct ProcessHeapTests {
    @Test func fiveEventsGiveEveryTotal() {
        let heap = TestHeap()
        heap.alloc(0x1000, 100, 1)
        heap.alloc(0x2000, 50, 2)
        heap.free(0x1000)
        heap.alloc(0x1000, 10, 2)
        heap.alloc(0x3000, 7, 1)
        let totals = heap.totals
        #expect(totals.allocatedBytes == 167 && totals.allocatedCount == 4)
        #expect(totals.freedBytes == 100 && totals.freedCount == 1)
        #expect(totals.inUseBytes == 67 && totals.inUseCount == 3)
        #expect(totals.peakInUseBytes == 150)
        #expect(totals.temporaryCount == 0 && totals.unknownFrees == 0)
        var first = SiteCounters()
        (first.liveBytes, first.liveCount) = (7, 1)
        (first.allocatedBytes, first.allocatedCount) = (107, 2)
        (first.openBytes, first.openCount) = (7, 1)
        (first.peakBytes, first.peakCount) = (100, 1)
        #expect(heap.site(1) == first)
        #expect(heap.site(2).peakBytes == 50 && heap.site(2).peakCount == 1)
        #expect(heap.site(3) == SiteCounters())
        #expect(heap.changed() == [1, 2])
        #expect(heap.changed() == [])
    }

    @Test func freeOfUnknownAddressIsCountedNotApplied() {
        let heap = TestHeap()
        heap.alloc(0x1000, 100)
        heap.free(0x2000)
        heap.free(0)
        heap.free(0x1003)
        #expect(heap.totals.unknownFrees == 3 && heap.totals.inheritedFrees == 0)
        #expect(heap.totals.inUseBytes == 100 && heap.totals.freedCount == 0)
        let child = TestHeap(inheritsHeap: true)
        child.free(0x1000)
        #expect(child.totals.inheritedFrees == 1 && child.totals.unknownFrees == 0)
        child.unfree(0x1000)
        #expect(child.totals.inheritedFrees == 0 && child.totals.inUseCount == 0)
    }

    @Test func unfreeRestoresTheBlockJustFreedByItsSlot() {
        let heap = TestHeap()
        heap.alloc(0x1000, 100, 1)
        heap.alloc(0x2000, 30, 2)
        heap.close()
        heap.free(0x1000, slot: 3)
        heap.free(0x2000, slot: 4)
        heap.unfree(0x1000, slot: 3)
        #expect(heap.site(1).liveBytes == 100 && heap.site(1).openBytes == 0 && heap.site(1).allocatedCount == 1)
        #expect(heap.totals.inUseBytes == 100)
        heap.unfree(0x1000, slot: 3)
        heap.unfree(0x1000, slot: 4)
        heap.unfree(0x1000, slot: 9)
        #expect(heap.totals.unmatchedUnfrees == 3 && heap.totals.inUseBytes == 100)
        heap.free(0x1000)
        #expect(heap.totals.inUseBytes == 0 && heap.totals.unknownFrees == 0)
    }

    @Test func allocationAtALiveAddressFreesTheOldBlock() {
        let heap = TestHeap()
        heap.alloc(0x1000, 100, 1)
        heap.alloc(0x1000, 40, 2)
        #expect(heap.totals.overwritten == 1 && heap.totals.inUseBytes == 40 && heap.totals.freedBytes == 100)
        #expect(heap.site(1).liveBytes == 0 && heap.site(2).liveBytes == 40)
    }

    @Test func temporaryIsFreedWithNothingAllocatedInBetween() {
        let heap = TestHeap()
        heap.alloc(0x1000, 8, 1)
        heap.free(0x1000)
        heap.alloc(0x1000, 8, 1)
        heap.alloc(0x2000, 8, 2)
        heap.free(0x1000)
        #expect(heap.site(1).temporaryCount == 1 && heap.totals.temporaryCount == 1)
        // A realloc is no temporary allocation, nor is a free that did not happen.
        heap.free(0x2000)
        heap.alloc(0x3000, 16, 2, realloc: true)
        heap.free(0x3000)
        heap.unfree(0x3000)
        #expect(heap.site(2).temporaryCount == 0 && heap.totals.temporaryCount == 1)
    }

    @Test func reallocMovesWhatIsElsewhereAfterIt() {
        let heap = TestHeap()
        heap.alloc(0x1000, 100, 1)
        heap.free(0x1000)
        heap.alloc(0x1000, 120, 2, realloc: true)
        #expect(heap.moves(2).count == 0)
        heap.free(0x1000)
        heap.alloc(0x2000, 200, 2, realloc: true)
        heap.free(0x2000)
        heap.alloc(0x1000, 50, 2, realloc: true)
        #expect(heap.moves(2).count == 2 && heap.moves(2).bytes == 170)
        heap.free(0x7000)
        heap.alloc(0x8000, 50, 2, realloc: true)
        #expect(heap.moves(2).count == 2, "what is not known is not counted")
    }

    @Test(
        arguments: [(0x1001, 8), (1 << 50, 8), (0x1000, 1 << 40), (0x1000, 1 << 32 - 1), (8, 0)] as [(UInt64, UInt64)]
    )
    func oddAddressesAndHugeSizesAreBlocksLikeOthers(address: UInt64, size: UInt64) {
        let heap = TestHeap()
        heap.alloc(address, size)
        #expect(heap.totals.inUseBytes == size)
        heap.alloc(address, 8)
        #expect(heap.totals.overwritten == 1 && heap.totals.inUseBytes == 8)
        heap.alloc(address, size)
        heap.free(address)
        #expect(heap.totals.overwritten == 2 && heap.totals.inUseCount == 0 && heap.totals.unknownFrees == 0)
    }

    @Test func openIsWhatTheOpenIntervalBroughtAndKept() {
        let heap = TestHeap()
        heap.alloc(0x1000, 100)
        heap.close()
        heap.alloc(0x2000, 10)
        heap.alloc(0x3000, 1)
        heap.free(0x1000)
        heap.free(0x3000)
        #expect(heap.site().openBytes == 10 && heap.site().openCount == 1)
        heap.close()
        #expect(heap.site().openBytes == 0 && heap.site().liveBytes == 10)
    }

    @Test func aHistoryBeginsWhenABlockSurvivesTwoFurtherIntervals() {
        let heap = TestHeap(groupOf: { _ in FrameID(rawValue: 77) })
        heap.close()
        heap.alloc(0x1000, 100, 1)
        heap.close()
        #expect(!heap.hasHistory(1))
        heap.alloc(0x2000, 10, 2)
        heap.close()
        #expect(!heap.hasHistory(1) && !heap.hasGroupHistory(77))
        heap.close()
        #expect(heap.hasHistory(1) && heap.hasGroupHistory(77) && !heap.hasHistory(2))
        heap.free(0x2000)
        heap.close()
        #expect(!heap.hasHistory(2))
    }

    @Test func groupsSumTheirStacks() {
        let heap = TestHeap(groupOf: { FrameID(rawValue: $0.rawValue % 2 + 50) })
        heap.alloc(0x1000, 100, 1)
        heap.alloc(0x2000, 10, 3)
        heap.alloc(0x3000, 1, 2)
        heap.close()
        #expect(heap.heap.groupLive(of: FrameID(rawValue: 51), .heap) == (110, 2))
        #expect(heap.heap.groupLive(of: FrameID(rawValue: 50), .heap) == (1, 1))
        #expect(heap.changedGroups().sorted() == [50, 51])
        heap.free(0x2000)
        heap.close()
        #expect(heap.heap.groupLive(of: FrameID(rawValue: 51), .heap) == (100, 1))
        #expect(heap.heap.groupKey(of: StackID(rawValue: 3), .heap) == FrameID(rawValue: 51))
    }
}
