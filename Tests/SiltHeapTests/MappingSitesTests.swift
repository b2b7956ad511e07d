import SiltEvents
import SiltTestNumbers
import Testing

@testable import SiltHeap

extension TestHeap {
    func map(_ address: UInt64, _ size: UInt64, _ stack: UInt32 = 1, moved: Bool = false) {
        apply([
            HeapEvent(kind: moved ? .remap : .map, address: address, size: size, stack: StackID(rawValue: stack))
        ])
    }

    func unmap(_ address: UInt64, _ size: UInt64) {
        apply([HeapEvent(kind: .unmap, address: address, size: size)])
    }

    func mapped(_ stack: UInt32 = 1) -> SiteCounters { heap.counters(of: StackID(rawValue: stack), .mapping) }
}

@Suite struct MappingSitesTests {
    @Test func aMappingBelongsToTheStackThatMadeIt() {
        let heap = TestHeap()
        heap.alloc(0x1000, 100, 1)
        heap.map(0x10000, 0x4000, 1)
        heap.map(0x20000, 0x1000, 2)
        heap.unmap(0x20000, 0x1000)
        #expect(heap.mapped(1).liveBytes == 0x4000 && heap.mapped(1).liveCount == 1)
        #expect(heap.mapped(2).liveBytes == 0 && heap.mapped(2).freedBytes == 0x1000 && heap.mapped(2).freedCount == 1)
        #expect(heap.mapped(1).peakBytes == 0x4000 && heap.mapped(2).peakBytes == 0x1000)
        #expect(heap.site(1).liveBytes == 100 && heap.site(2) == SiteCounters())
        var sites: [UInt32] = []
        heap.heap.forEachSite(of: .mapping) { stack, _ in sites.append(stack.rawValue) }
        #expect(sites == [1, 2])
        #expect(heap.heap.totals(of: .mapping).peakInUseBytes == 0x5000)
        #expect(heap.totals.inUseBytes == 100 && heap.totals.mappedBytes == 0x4000 && heap.totals.mappedCount == 1)
    }

    @Test func aMappingThatIsCutIsOneUntilItsLastPieceIsGone() {
        let heap = TestHeap()
        heap.map(0x10000, 0x4000)
        heap.unmap(0x11000, 0x1000)
        #expect(heap.mapped().liveBytes == 0x3000 && heap.mapped().liveCount == 1)
        heap.unmap(0x12000, 0x1000)
        heap.unmap(0x10000, 0x1000)
        #expect(heap.mapped().liveBytes == 0x1000 && heap.mapped().liveCount == 1)
        heap.unmap(0, .max)
        #expect(heap.mapped().liveBytes == 0 && heap.mapped().liveCount == 0)
        #expect(heap.mapped().freedBytes == 0x4000 && heap.mapped().freedCount == 1)
        heap.unmap(0x10000, 0x4000)
        #expect(heap.mapped().freedCount == 1)
    }

    /// What the target writes may be anything; it falls to nothing, which is a drop.
    @Test(arguments: [1 << 62, 1 << 63, UInt64.max - 0xFFFF])
    func absurdSizesDoNotEndTheHistory(size: UInt64) {
        let heap = TestHeap()
        for address: UInt64 in [0x1000, 0x2000] { heap.alloc(address, size, 1) }
        heap.map(0x10000, size - 0x10000, 1)
        for _ in 0..<3 { heap.close() }
        for address: UInt64 in [0x1000, 0x2000] { heap.free(address) }
        heap.unmap(0, .max)
        for _ in 0..<80 { heap.close() }
        #expect(heap.mapped().liveBytes == 0 && heap.site(1).liveCount == 0)
        let history = heap.heap.history(of: StackID(rawValue: 1), .mapping)
        #expect(history?.series(atSnapshot: 80)?.drops == 1)
    }

    @Test func aMappingTakesThePlaceOfWhatItCovers() {
        let heap = TestHeap()
        heap.map(0x10000, 0x4000, 1)
        heap.map(0x12000, 0x4000, 2)
        #expect(heap.mapped(1).liveBytes == 0x2000 && heap.mapped(1).liveCount == 1)
        // A piece was moved and made bigger.
        heap.unmap(0x10000, 0x2000)
        heap.map(0x30000, 0x8000, 3, moved: true)
        #expect(heap.mapped(1).liveCount == 0 && heap.mapped(3).liveBytes == 0x8000)
        heap.map(0x10000, 0, 4)
        heap.map(.max - 0xFFF, 0x2000, 4)
        #expect(heap.mapped(4) == SiteCounters())
    }

    @Test func mappingsGrowOldAsBlocksDo() throws {
        let heap = TestHeap(groupOf: { _ in FrameID(rawValue: 77) })
        heap.close()
        for interval in UInt64(1)...8 {
            heap.map(interval << 20, 0x2000, 1)
            // Half of the one of two intervals ago goes, and all of what another stack mapped.
            if interval > 2 { heap.unmap((interval - 2) << 20, 0x1000) }
            heap.map(0x1000, 0x1000, 2)
            heap.unmap(0x1000, 0x1000)
            heap.close()
        }
        let found = heap.heap.history(of: StackID(rawValue: 1), .mapping)?.series(atSnapshot: 8)
        let series = try #require(found)
        #expect(series.counts == [1, 1, 1, 1, 1, 1, 1, 1])
        #expect(series.bytes == [4096, 4096, 4096, 4096, 4096, 4096, 8192, 8192])
        #expect(heap.heap.groupHistory(of: FrameID(rawValue: 77), .mapping)?.series(atSnapshot: 8) == series)
        #expect(heap.heap.groupLive(of: FrameID(rawValue: 77), .mapping) == (10 * 4096, 8))
        #expect(!heap.hasHistory(1) && heap.heap.history(of: StackID(rawValue: 2), .mapping) == nil)
        var changed: [UInt32] = []
        heap.heap.drainChanged(of: .mapping) { changed.append($0.rawValue) }
        #expect(changed == [1, 2] && heap.changed() == [])
    }

    @Test func aHuntThatIsOnCountsMappingsByItsRounds() throws {
        let heap = TestHeap()
        heap.map(0x10000, 0x1000)
        heap.close()
        heap.heap.beginHunt()
        heap.map(0x20000, 0x1000)
        heap.close()
        heap.unmap(0x10000, 0x1000)
        heap.close()
        let found = heap.heap.history(of: StackID(rawValue: 1), .mapping)?.intervals(2)
        #expect(
            try #require(found)
                == IntervalSeries(counts: [1, 0], bytes: [4096, 0], live: [4096, 8192, 4096], old: [4096, 4096])
        )
        // The first mapping of a process may come when the hunt is on.
        let late = TestHeap(interval: 3, huntBaseline: 0)
        late.map(0x10000, 0x1000)
        late.close()
        let series = late.heap.history(of: StackID(rawValue: 1), .mapping)?.intervals(3)
        #expect(series?.counts == [0, 0, 1])
    }

    /// Against one entry for each page.
    @Test(arguments: [UInt64.random(in: 0 ... .max), 1, 2, 3])
    func randomRangesGiveTheNumbersOfTheirPages(seed: UInt64) {
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        func random(_ bound: UInt64) -> UInt64 { generator.next(upperBound: bound) }
        let heap = TestHeap()
        // Which mapping a page belongs to, and the stack of each.
        var pages: [UInt64: Int] = [:]
        var stacks: [UInt32] = []
        var peak = 0
        for step in 0..<2000 {
            let (first, count) = (random(60), 1 + random(12))
            for page in first..<first + count { pages[page] = nil }
            if random(2) == 0 {
                heap.unmap(first << 12, count << 12)
            } else {
                let stack = UInt32(1 + random(5))
                heap.map(first << 12, count << 12, stack)
                for page in first..<first + count { pages[page] = stacks.count }
                stacks.append(stack)
            }
            peak = max(peak, pages.count)
            if step % 90 == 0 { heap.close() }
            guard step % 50 == 0 else { continue }
            for stack in UInt32(1)...5 {
                let own = pages.values.filter { stacks[$0] == stack }
                #expect(heap.mapped(stack).liveBytes == UInt64(own.count) << 12)
                #expect(heap.mapped(stack).liveCount == UInt64(Set(own).count))
                #expect(heap.mapped(stack).allocatedCount == UInt64(stacks.count { $0 == stack }))
            }
            #expect(heap.totals.mappedBytes == UInt64(pages.count) << 12)
            #expect(heap.totals.mappedCount == UInt64(Set(pages.values).count))
            #expect(heap.heap.totals(of: .mapping).peakInUseBytes == UInt64(peak) << 12)
        }
    }
}
