import SiltEvents
import SiltTestNumbers
import Testing

@testable import SiltHeap

/// The same numbers kept the slow way: dictionaries, and a full copy at every peak.
struct NaiveHeap {
    struct Block {
        var size: UInt64
        var stack: UInt32
        var birth: Int
    }

    var live: [UInt64: Block] = [:]
    var allocated: [UInt32: (bytes: UInt64, count: UInt64)] = [:]
    var peak: UInt64 = 0
    var atPeak: [UInt64: Block] = [:]
    var unknown: UInt64 = 0
    var overwritten: UInt64 = 0
    var interval = 0
    var freed: [UInt16: (address: UInt64, block: Block?, temporary: Bool, counted: Partners?)] = [:]
    var newest: UInt64 = 0
    var temporary: UInt64 = 0
    /// Blocks that a realloc found elsewhere than the last free of its slot, and bytes, by its stack.
    var moves: [UInt32: (blocks: UInt64, bytes: UInt64)] = [:]
    var peakIsNow = true
    /// Blocks and bytes freed, by allocating and freeing stack, of blocks born since an interval; nil: not counted.
    var freedBy: [Partners: (blocks: UInt64, bytes: UInt64)] = [:]
    var countingFreesSince: Int?

    struct Partners: Hashable {
        var allocation: UInt32
        var free: UInt32
    }

    mutating func apply(_ event: HeapEvent) {
        switch event.kind {
        case .alloc, .realloc, .temporary:
            if live[event.address] != nil {
                overwritten += 1
                peakIsNow = false
                live[event.address] = nil
            }
            if event.kind == .realloc {
                moved(event.slot)
                undoTemporary(event.slot)
                if let last = freed[event.slot], let block = last.block, last.address != event.address {
                    let old = moves[event.stack.rawValue] ?? (0, 0)
                    moves[event.stack.rawValue] = (old.blocks + 1, old.bytes + min(block.size, event.size))
                }
            }
            newest = event.address
            live[event.address] = Block(size: event.size, stack: event.stack.rawValue, birth: interval)
            let old = allocated[event.stack.rawValue] ?? (0, 0)
            allocated[event.stack.rawValue] = (old.bytes + event.size, old.count + 1)
        case .free:
            let isTemporary = live[event.address] != nil && newest == event.address
            let counted = count(event)
            freed[event.slot] = (event.address, live[event.address], isTemporary, counted)
            if isTemporary { temporary += 1 }
            if live.removeValue(forKey: event.address) == nil { unknown += 1 } else { peakIsNow = false }
        case .unfree:
            guard let last = freed[event.slot], last.address == event.address else { return }
            undoTemporary(event.slot)
            freed[event.slot] = nil
            guard let block = last.block else {
                unknown -= 1
                return
            }
            if let partners = last.counted {
                freedBy[partners, default: (0, 0)].blocks -= 1
                freedBy[partners, default: (0, 0)].bytes -= block.size
            }
            live[event.address] = block
        case .map, .unmap, .remap, .take, .give, .kept, .over, .detach, .join: break
        }
        notePeak()
        if event.kind == .temporary, live.removeValue(forKey: event.address) != nil {
            temporary += 1
            peakIsNow = false
            notePeak()
        }
    }

    private mutating func notePeak() {
        let inUse = live.values.reduce(0) { $0 + $1.size }
        if inUse > peak { peakIsNow = true }
        if peakIsNow {
            peak = inUse
            atPeak = live
        }
    }

    private mutating func count(_ event: HeapEvent) -> Partners? {
        guard let since = countingFreesSince, let block = live[event.address], block.birth >= since,
            event.stack != .none
        else { return nil }
        let partners = Partners(allocation: block.stack, free: event.stack.rawValue)
        freedBy[partners, default: (0, 0)].blocks += 1
        freedBy[partners, default: (0, 0)].bytes += block.size
        return partners
    }

    mutating func startCountingFrees(since interval: Int) {
        countingFreesSince = interval
        freedBy = [:]
        for slot in freed.keys { freed[slot]?.counted = nil }
    }

    /// A realloc has moved what the slot's last free took: nobody has freed it.
    private mutating func moved(_ slot: UInt16) {
        guard let last = freed[slot], let partners = last.counted, let block = last.block else { return }
        let move = Partners(allocation: partners.allocation, free: 0)
        freedBy[partners, default: (0, 0)].blocks -= 1
        freedBy[partners, default: (0, 0)].bytes -= block.size
        freed[slot]?.counted = nil
        guard partners.allocation != 0 else { return }
        freedBy[move, default: (0, 0)].blocks += 1
        freedBy[move, default: (0, 0)].bytes += block.size
    }

    private mutating func undoTemporary(_ slot: UInt16) {
        guard freed[slot]?.temporary == true else { return }
        freed[slot]?.temporary = false
        temporary -= 1
    }
}

@Suite struct HeapOracleTests {
    @Test(arguments: [UInt64.random(in: 0 ... .max), 1, 2, 3, 4], [false, true])
    func randomEventsGiveTheNumbersOfTheNaiveHeap(seed: UInt64, withFreeStacks: Bool) {
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        func random(_ bound: UInt64) -> UInt64 { generator.next(upperBound: bound) }
        let heap = TestHeap(groupOf: { FrameID(rawValue: $0.rawValue % 3 + 1000) })
        var naive = NaiveHeap()
        // Given to the heap some at a time, as the decoder does: events in a row at one address are a case of their own.
        // Of odd seeds up to 500, more than whose entries are asked for at once.
        var waiting: [HeapEvent] = []
        func flush() {
            heap.apply(waiting)
            waiting.removeAll()
        }
        for step in 0..<6000 {
            var address = (1 + random(60)) * 16
            if random(20) == 0 { address |= 1 }
            if let last = waiting.last, random(3) == 0 { address = last.address }
            let slot = UInt16(random(3))
            let event: HeapEvent
            switch random(10) {
            case 0..<5:
                event = HeapEvent(
                    kind: [.realloc, .alloc, .alloc, .alloc, .temporary][Int(random(5))],
                    address: address,
                    size: random(30) == 0 ? 1 << 33 : random(500),
                    stack: StackID(rawValue: UInt32(random(40)) * 100),
                    slot: slot
                )
            case 5..<9:
                // Of 3,000 pairs of stacks some are none: frees of an image may be without.
                let stack = StackID(rawValue: withFreeStacks ? UInt32(random(75)) * 1000 : 0)
                event = HeapEvent(kind: .free, address: address, stack: stack, slot: slot)
            default:
                guard let last = naive.freed[slot], naive.live[last.address] == nil else { continue }
                event = HeapEvent(kind: .unfree, address: last.address, slot: slot)
            }
            waiting.append(event)
            naive.apply(event)
            if random(100) == 0 {
                flush()
                heap.close()
                naive.interval += 1
            }
            if withFreeStacks, random(700) == 0 {
                flush()
                let since = naive.interval - Int(random(3))
                heap.startCountingFrees(since: UInt32(max(0, since)))
                naive.startCountingFrees(since: max(0, since))
            }
            if step % (seed % 2 == 0 ? 50 : 500) == 0 {
                flush()
                compare(heap, naive)
            }
        }
        flush()
        compare(heap, naive)
    }

    private func compare(_ heap: TestHeap, _ naive: NaiveHeap) {
        var sum = SiteCounters()
        var groups: [UInt32: UInt64] = [:]
        for number in 0..<UInt32(40) {
            let stack = number * 100
            let site = heap.site(stack)
            let live = naive.live.values.filter { $0.stack == stack }
            let open = live.filter { $0.birth == naive.interval }
            let atPeak = naive.atPeak.values.filter { $0.stack == stack }
            #expect(site.liveBytes == live.reduce(0) { $0 + $1.size } && site.liveCount == UInt64(live.count))
            #expect(site.openBytes == open.reduce(0) { $0 + $1.size } && site.openCount == UInt64(open.count))
            #expect(site.peakBytes == atPeak.reduce(0) { $0 + $1.size } && site.peakCount == UInt64(atPeak.count))
            #expect(site.allocatedBytes == naive.allocated[stack]?.bytes ?? 0)
            #expect(site.allocatedCount == naive.allocated[stack]?.count ?? 0)
            let moved = heap.moves(stack)
            #expect(moved.count == naive.moves[stack]?.blocks ?? 0 && moved.bytes == naive.moves[stack]?.bytes ?? 0)
            sum.liveBytes += site.liveBytes
            sum.allocatedBytes += site.allocatedBytes
            sum.temporaryCount += site.temporaryCount
            sum.peakBytes += site.peakBytes
            groups[stack % 3 + 1000, default: 0] += site.liveBytes
        }
        let totals = heap.totals
        #expect(totals.inUseBytes == sum.liveBytes && totals.inUseCount == UInt64(naive.live.count))
        #expect(totals.allocatedBytes == sum.allocatedBytes)
        #expect(totals.freedBytes == sum.allocatedBytes - sum.liveBytes)
        #expect(totals.temporaryCount == sum.temporaryCount && totals.temporaryCount == naive.temporary)
        #expect(totals.peakInUseBytes == naive.peak && sum.peakBytes == naive.peak)
        #expect(totals.unknownFrees == naive.unknown && totals.overwritten == naive.overwritten)
        let partners = heap.freePartners()
        let expected = naive.freedBy.filter { $0.value.blocks > 0 }
        #expect(partners.count == expected.count)
        for partner in partners {
            let pair = NaiveHeap.Partners(allocation: partner.allocation, free: partner.free)
            #expect(expected[pair]?.blocks == partner.blocks && expected[pair]?.bytes == partner.bytes)
        }
    }
}
