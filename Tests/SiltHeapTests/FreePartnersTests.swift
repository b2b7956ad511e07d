import SiltEvents
import Testing

@testable import SiltHeap

/// Who freed what, for streams whose frees carry stacks.
@Suite struct FreePartnersTests {
    @Test func blocksOfOneStackFreedByTwoAreToldApart() {
        let heap = TestHeap()
        heap.startCountingFrees(since: 0)
        for block in 0..<10 { heap.alloc(0x1000 + UInt64(block) * 64, 40, 1) }
        for block in 0..<7 { heap.free(0x1000 + UInt64(block) * 64, by: 21) }
        heap.free(0x1000 + 7 * 64, by: 22)
        // One whose stack is not known, and one of a block that is not.
        heap.free(0x1000 + 8 * 64)
        heap.free(0x9000, by: 22)
        #expect(
            heap.freePartners() == [
                FreePartner(allocation: 1, free: 21, blocks: 7, bytes: 280),
                FreePartner(allocation: 1, free: 22, blocks: 1, bytes: 40),
            ]
        )
        #expect(heap.totals.freedCount == 9 && heap.totals.unknownFrees == 1)
    }

    @Test func nothingIsCountedBeforeItIsAskedFor() {
        let heap = TestHeap()
        heap.alloc(0x1000, 40, 1)
        heap.free(0x1000, by: 21)
        #expect(heap.freePartners() == [])
    }

    @Test func onlyBlocksBornInThePhaseCount() {
        let heap = TestHeap()
        heap.startCountingFrees(since: 0)
        heap.alloc(0x1000, 40, 1)
        heap.alloc(0x2000, 40, 1)
        heap.alloc(0x3000, 40, 1)
        heap.free(0x3000, by: 21)
        heap.close()
        heap.startCountingFrees(since: 1)
        #expect(heap.freePartners() == [])
        heap.alloc(0x3000, 8, 1)
        heap.close()
        heap.alloc(0x4000, 8, 1)
        heap.free(0x1000, by: 21)
        heap.free(0x3000, by: 21)
        heap.free(0x4000, by: 21)
        #expect(heap.freePartners() == [FreePartner(allocation: 1, free: 21, blocks: 2, bytes: 16)])
    }

    /// Past the peak a block that is freed right after it was made never enters the table of live ones.
    @Test func blocksFreedRightAfterTheyWereMadeCount() {
        let heap = TestHeap()
        heap.alloc(0x1000, 1000, 1)
        heap.free(0x1000)
        heap.startCountingFrees(since: 0)
        let pair = [
            HeapEvent(kind: .alloc, address: 0x2000, size: 16, stack: StackID(rawValue: 1)),
            HeapEvent(kind: .free, address: 0x2000, stack: StackID(rawValue: 21)),
        ]
        heap.apply(pair + pair + pair)
        #expect(heap.freePartners() == [FreePartner(allocation: 1, free: 21, blocks: 3, bytes: 48)])
        heap.unfree(0x2000)
        #expect(heap.freePartners() == [FreePartner(allocation: 1, free: 21, blocks: 2, bytes: 32)])
        #expect(heap.totals.inUseBytes == 16)
    }

    @Test func aReallocMovesAndOneThatFailsDoesNothing() {
        let heap = TestHeap()
        heap.startCountingFrees(since: 0)
        heap.alloc(0x1000, 10, 1)
        heap.apply([
            HeapEvent(kind: .free, address: 0x1000, stack: StackID(rawValue: 2)),
            HeapEvent(kind: .realloc, address: 0x1000, size: 20, stack: StackID(rawValue: 2)),
        ])
        heap.free(0x1000, by: 3)
        heap.unfree(0x1000)
        // Nobody freed it: there is no stack that did.
        #expect(heap.freePartners() == [FreePartner(allocation: 1, free: 0, blocks: 1, bytes: 10)])
        heap.free(0x1000, by: 4)
        #expect(heap.freePartners().last == FreePartner(allocation: 2, free: 4, blocks: 1, bytes: 20))
    }

    @Test func whatWasFreedBeforeTheCountBeganIsNotTakenBack() {
        let heap = TestHeap()
        heap.startCountingFrees(since: 0)
        heap.alloc(0x1000, 10, 1)
        heap.free(0x1000, by: 3)
        heap.startCountingFrees(since: 0)
        heap.unfree(0x1000)
        #expect(heap.freePartners() == [])
        heap.free(0x1000, by: 3)
        #expect(heap.freePartners() == [FreePartner(allocation: 1, free: 3, blocks: 1, bytes: 10)])
    }

    @Test func aHundredThousandPairsAreKeptApart() {
        let heap = TestHeap()
        heap.startCountingFrees(since: 0)
        for allocation in 1...UInt32(1000) {
            for free in 1...UInt32(100) {
                heap.alloc(0x1000, UInt64(free), allocation)
                heap.free(0x1000, by: free)
                if free == 50 {
                    heap.alloc(0x1000, 1 << 40, allocation)
                    heap.free(0x1000, by: free)
                }
            }
        }
        let partners = heap.freePartners()
        #expect(partners.count == 100_000)
        for (index, partner) in partners.enumerated() {
            let free = UInt32(index % 100 + 1)
            let expected = FreePartner(
                allocation: UInt32(index / 100 + 1),
                free: free,
                blocks: free == 50 ? 2 : 1,
                bytes: UInt64(free) + (free == 50 ? 1 << 40 : 0)
            )
            if partner != expected { Issue.record("\(partner)") }
        }
    }
}
