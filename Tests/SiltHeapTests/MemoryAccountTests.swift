import SiltEvents
import SiltTestNumbers
import Testing

@testable import SiltHeap

@Suite struct MemoryAccountTests {
    private static func area(
        _ start: UInt64,
        _ bytes: UInt64,
        _ resident: UInt64,
        _ kind: MemoryArea.Kind = .anonymous,
        forbidden: Bool = false,
        unreserved: Bool = false
    ) -> MemoryArea {
        var area = MemoryArea(start: start, end: start + bytes, residentBytes: resident, kind: kind)
        area.isForbidden = forbidden
        area.isUnreserved = unreserved
        return area
    }

    @Test func eachUseOfMemoryIsCountedOnce() {
        let heap = TestHeap()
        heap.alloc(0x10_0000, 300, 1)
        heap.map(0x100_0000, 0x4000)
        var account = MemoryAccount(.glibc)
        let shares = account.shares(
            [
                Self.area(0x1_0000, 0x1000, 0x1000, .file), Self.area(0x10_0000, 0x8000, 0x5000, .programBreak),
                Self.area(0x100_0000, 0x4000, 0x3000), Self.area(0x200_0000, 0x1000, 0, forbidden: true),
                Self.area(0x200_1000, 0x80_0000, 0x6000), Self.area(0x300_0000, 0x1000, 0x1000, .own),
                Self.area(0x410_0000, 0x2000, 0x2000, unreserved: true), Self.area(0x500_0000, 0x7000, 0x7000),
                Self.area(0x600_0000, 0x2000, 0x2000, .stack),
            ],
            of: heap.heap,
            ownBytes: 0x3000,
            residentBytes: { _ in 0 }
        ).uses
        var expected = MemoryUses<UInt64>()
        expected[.files] = 0x1000
        expected[.live] = 300
        expected[.allocator] = 0x5000 - 300
        expected[.mapped] = 0x3000
        expected[.stacks] = 0x8000
        expected[.own] = 0x3000
        expected[.other] = 0x7000
        #expect(shares == expected)
    }

    @Test func aLargeBlockOfGlibcExplainsItsOwnPagesAndNoMore() {
        let heap = TestHeap()
        heap.alloc(0x7_0010_0010, 1 << 20, 1)
        for (layout, live, allocator) in [
            (MemoryAccount.Layout.glibc, UInt64(1 << 19), UInt64(0)), (.whole, 1 << 19, 5 << 19),
        ] {
            var account = MemoryAccount(layout)
            let shares = account.shares(
                [Self.area(0x7_0010_0000, 4 << 20, 3 << 20)],
                of: heap.heap,
                ownBytes: 0,
                residentBytes: { _ in 1 << 19 }
            ).uses
            #expect(shares[.live] == live && shares[.allocator] == allocator && shares.sum == 3 << 20)
        }
    }

    @Test func whereBlocksWereIsTheAllocatorsWhenTheyAreGone() {
        let heap = TestHeap()
        let areas = [Self.area(0x7_0001_0000, 0x10000, 0x8000)]
        var account = MemoryAccount(.whole)
        #expect(account.shares(areas, of: heap.heap, ownBytes: 0, residentBytes: { _ in 0 }).uses[.other] == 0x8000)
        heap.alloc(0x7_0001_0000, 256, 1)
        #expect(account.shares(areas, of: heap.heap, ownBytes: 0, residentBytes: { _ in 0 }).uses[.live] == 256)
        heap.free(0x7_0001_0000)
        #expect(account.shares(areas, of: heap.heap, ownBytes: 0, residentBytes: { _ in 0 }).uses[.allocator] == 0x8000)
    }

    /// No look meets the blocks of threads that come and go, and the preload library has pages of its own beside theirs.
    @Test func soIsWhereBlocksWereBetweenTwoLooks() {
        let heap = TestHeap()
        heap.alloc(0x7_0100_0000, 256, 1)
        heap.free(0x7_0100_0000)
        for isUnreserved in [false, true] {
            let areas = [
                Self.area(0x7_0100_0000, 0x40000, 0x8000, unreserved: isUnreserved),
                Self.area(0x7_0420_0000, 0x10000, 0x6000), Self.area(0x7_0820_0000, 0x10000, 0x3000, unreserved: true),
            ]
            var account = MemoryAccount(.whole)
            let look = account.shares(areas, of: heap.heap, ownBytes: 0x3000, residentBytes: { _ in 0 })
            #expect(look.uses[.allocator] == 0x8000 && look.details[.emptyPages] == 0x8000)
            #expect(look.uses[.own] == 0x3000 && look.uses[.other] == 0x6000)
            var inGlibc = MemoryAccount(.glibc)
            let other = inGlibc.shares(areas, of: heap.heap, ownBytes: 0x3000, residentBytes: { _ in 0 }).uses[.other]
            #expect(other == 0xE000)
        }
    }

    @Test func anAreaOfSeveralMappingsIsSharedByItsPages() {
        let heap = TestHeap()
        heap.map(0x7_0011_0000, 0x4000)
        var account = MemoryAccount(.glibc)
        let shares = account.shares(
            [Self.area(0x7_0010_0000, 0x20000, 0x1_8000)],
            of: heap.heap,
            ownBytes: 0,
            residentBytes: { UInt64($0.count) / 2 }
        ).uses
        #expect(shares[.mapped] == 0x2000 && shares[.other] == 0x1_6000)
    }

    @Test func whatWasWrittenToAPrivateMappingOfAFileIsNoLongerTheFiles() {
        let heap = TestHeap()
        heap.map(0x7_0000_0000, 0x4000)
        var own = Self.area(0x7_0000_0000, 0x4000, 0x4000, .file)
        var librarys = Self.area(0x7_1000_0000, 0x4000, 0x4000, .file)
        own.writtenBytes = 0x3000
        librarys.writtenBytes = 0x2000
        var account = MemoryAccount(.glibc)
        // What has no place in the library's file.
        let zeros = Self.area(0x7_1000_4000, 0x8000, 0x6000)
        let look = account.shares([own, librarys, zeros], of: heap.heap, ownBytes: 0, residentBytes: { _ in 0 })
        #expect(look.uses[.mapped] == 0x3000 && look.uses[.files] == 0x5000 + 0x6000)
        #expect(look.details[.variables] == 0x2000 + 0x6000)
    }

    @Test func pagesOfTheAllocatorAreEmptySparseOrFull() {
        let heap = TestHeap()
        heap.alloc(0x10_0000, 300, 1)
        // Two pages, and 24 bytes of a third.
        heap.alloc(0x10_1000, 0x2018, 1)
        var account = MemoryAccount(.glibc)
        let look = account.shares(
            [Self.area(0x10_0000, 0x8000, 0x7000, .programBreak)],
            of: heap.heap,
            ownBytes: 0,
            residentBytes: { _ in 0 }
        )
        #expect(look.details[.emptyPages] == 0x3000)
        #expect(look.details[.sparsePages] == 0x2000 && look.details[.sparseLive] == 324)
        #expect(look.pins.isEmpty)
    }

    @Test func whoPinsAPageIsSaidByItsLiveBytesThere() {
        let heap = TestHeap()
        let pages: UInt64 = 2048
        for page in 0..<pages {
            heap.alloc(0x10_0000 + page * 4096, 100, 1)
            if page % 4 == 0 { heap.alloc(0x10_0000 + page * 4096 + 1024, 300, 2) }
        }
        var account = MemoryAccount(.glibc)
        let look = account.shares(
            [Self.area(0x10_0000, pages * 4096, pages * 4096, .programBreak)],
            of: heap.heap,
            ownBytes: 0,
            residentBytes: { _ in 0 }
        )
        #expect(look.details[.sparsePages] == pages * 4096)
        #expect(look.pins.map(\.stack.rawValue) == [1, 2])
        #expect(look.pins.map { $0.bytes / 4096 } == [1536 + 128, 384])
    }

    @Test func arenasAreTheMappingsAtMultiplesOf64MiB() {
        let heap = TestHeap()
        heap.alloc(0x7_0000_0000 + 0x1000, 300, 1)
        var account = MemoryAccount(.glibc)
        let look = account.shares(
            [
                Self.area(0x10_0000, 0x8000, 0x4000, .programBreak), Self.area(0x7_0000_0000, 0x8000, 0x5000),
                Self.area(0x7_0400_0000, 0x8000, 0x3000),
            ],
            of: heap.heap,
            ownBytes: 0,
            residentBytes: { _ in 0 }
        )
        #expect(look.details[.arenas] == 2 && look.details[.arenaFree] == 0x8000 - 300)
        #expect(look.details[.emptyPages] == 0x4000 + 0x4000 + 0x3000)
    }
}
