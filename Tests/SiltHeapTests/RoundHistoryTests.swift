import SiltEvents
import SiltTestNumbers
import Testing

@testable import SiltHeap

@Suite struct RoundHistoryTests {
    /// Random blocks of a few stacks, some of them alive when the hunt begins; every number of every interval is compared
    /// with what a list of all blocks says.
    @Test(arguments: [UInt64.random(in: 0 ... .max), 1, 2])
    func everyIntervalOfAHuntHasItsBirthsAndWhatIsOlder(seed: UInt64) throws {
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        func random(_ bound: UInt64) -> UInt64 { generator.next(upperBound: bound) }
        struct Block {
            var size: UInt64
            var stack: UInt32
            var birth: Int
        }
        let heap = TestHeap(groupOf: { FrameID(rawValue: $0.rawValue % 2 + 1000) })
        var live: [UInt64: Block] = [:]
        var expected: [UInt32: IntervalSeries] = [:]
        let stacks = UInt32(1)...8
        // 0: before the hunt, and alive at its baseline.
        var number = 0
        func bytes(_ stack: UInt32, _ isCounted: (Int) -> Bool) -> Double {
            live.values.reduce(0) { $0 + ($1.stack == stack && isCounted($1.birth) ? Double($1.size) : 0) }
        }
        func some(_ count: Int) {
            for _ in 0..<count {
                let address = (1 + random(400)) * 16
                if let block = live[address] {
                    guard random(3) > 0 else { continue }
                    live[address] = nil
                    heap.apply([HeapEvent(kind: .free, address: address)])
                    if random(10) == 0 {
                        // A realloc that failed.
                        live[address] = block
                        heap.apply([HeapEvent(kind: .unfree, address: address)])
                    }
                } else {
                    let block = Block(size: 1 + random(100), stack: UInt32(1 + random(8)), birth: number)
                    live[address] = block
                    heap.apply([
                        HeapEvent(
                            kind: .alloc,
                            address: address,
                            size: block.size,
                            stack: StackID(rawValue: block.stack)
                        )
                    ])
                }
            }
        }
        for _ in 0..<7 {
            some(Int(random(200)))
            heap.close()
        }
        heap.heap.beginHunt()
        for stack in stacks {
            expected[stack] = IntervalSeries(counts: [], bytes: [], live: [bytes(stack) { _ in true }], old: [])
        }
        for _ in 0..<50 {
            number += 1
            if random(4) > 0 { some(Int(random(100))) }
            heap.close()
            for stack in stacks {
                expected[stack]?.live.append(bytes(stack) { _ in true })
                expected[stack]?.old.append(bytes(stack) { $0 < number })
            }
        }
        for stack in stacks {
            for birth in 1...50 {
                let blocks = live.values.filter { $0.stack == stack && $0.birth == birth }
                expected[stack]?.counts.append(Double(blocks.count))
                expected[stack]?.bytes.append(bytes(stack) { $0 == birth })
            }
        }
        for stack in stacks {
            let kept = heap.heap.history(of: StackID(rawValue: stack), .heap)
            let history = try #require(kept)
            #expect(history.intervals(50) == expected[stack])
            let again = try SiteHistory(decoding: history.encoded())
            #expect(again.intervals(50) == expected[stack])
        }
        for key in UInt32(1000)...1001 {
            let parts = stacks.filter { $0 % 2 + 1000 == key }.compactMap { expected[$0] }
            let kept = heap.heap.groupHistory(of: FrameID(rawValue: key), .heap)?.intervals(50)
            let group = try #require(kept)
            #expect(group.live == (0...50).map { index in parts.reduce(0) { $0 + $1.live[index] } })
            #expect(group.old == (0..<50).map { index in parts.reduce(0) { $0 + $1.old[index] } })
            #expect(group.counts == (0..<50).map { index in parts.reduce(0) { $0 + $1.counts[index] } })
        }
    }

    @Test func aProcessThatStartsInTheMiddleHasNothingBefore() throws {
        let heap = TestHeap(interval: 15, huntBaseline: 10)
        heap.apply([HeapEvent(kind: .alloc, address: 64, size: 100, stack: StackID(rawValue: 1))])
        heap.close()
        heap.close()
        let kept = heap.heap.history(of: StackID(rawValue: 1), .heap)?.intervals(6)
        let series = try #require(kept)
        #expect(series.counts == [0, 0, 0, 0, 1, 0])
        #expect(series.live == [0, 0, 0, 0, 0, 100, 100])
        #expect(series.old == [0, 0, 0, 0, 0, 100])
    }

    @Test func liveBytesAloneAreAHistoryWithoutBirths() throws {
        let history = SiteHistory.rounds(RoundHistory(liveBytes: [10, 30, 20, 20]))
        let again = try SiteHistory(decoding: history.encoded())
        #expect(again == history && !again.hasBirths)
        #expect(again.intervals(3)?.live == [10, 30, 20, 20])
        #expect(again.intervals(3)?.counts == [0, 0, 0])
    }

    @Test func slicesHaveNoRoundsAndRoundsNoSlices() {
        let slices = SliceHistory(baselineBytes: 1, baselineCount: 1, interval: 0)
        #expect(SiteHistory.slices(slices).intervals(4) == nil)
        #expect(SiteHistory.rounds(RoundHistory(baseline: 1)).series(atSnapshot: 4) == nil)
    }

    /// As the version before wrote it: since when, and what was born before the baseline, are in it.
    @Test func aHistoryOfAnEarlierVersionIsRead() throws {
        // Version 2, since 7, width 1, snapshot 1, base 5 in 1 block, baseline 5, live 8, peak 9, drops 0, 1 bucket.
        let bytes: [UInt8] = [2, 7, 1, 2, 5, 1, 5, 8, 9, 0, 1, 3, 1, 8, 5, 0]
        let series = IntervalSeries(counts: [1], bytes: [3], live: [5, 8], old: [5])
        #expect(try SiteHistory(decoding: bytes).intervals(1) == series)
    }

    @Test func moreIntervalsThanCanBeKeptAreRefusedFromAFile() {
        // Version 2, since 0, width 1, snapshot 5000.
        let bytes: [UInt8] = [2, 0, 1, 0x88, 0x27, 0, 0, 0, 0, 0, 0, 0]
        #expect(throws: HistoryError.contradictory) { try SiteHistory(decoding: bytes) }
    }

    /// Two intervals to each of the others; what came before the baseline is no survivor of any.
    @Test func intervalsAreJoinedByTheLongerOnesTheyBelongTo() {
        var history = RoundHistory(baseline: 0)
        for interval in 1...6 {
            history.survived(bytes: 100, count: 1, born: interval)
            history.close(interval: interval, liveBytes: UInt64(100 * interval))
        }
        let joined = history.regrouped([0, 0, 1, 1, 2, 2])
        let series = joined.series(intervals: 2)
        #expect(series.counts == [2, 2] && series.bytes == [200, 200])
        #expect(series.live == [200, 400, 600])
    }

    @Test func moreIntervalsThanAHistoryHoldsAreLeftOut() {
        var history = RoundHistory(baseline: 0)
        for interval in 1...5000 { history.close(interval: interval, liveBytes: UInt64(interval)) }
        let joined = history.regrouped((0..<5000).map { $0 / 100 + 1 })
        #expect(joined.closed == RoundHistory.limit / 100 + 1)
    }
}
