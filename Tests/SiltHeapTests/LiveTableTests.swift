import SiltEvents
import SiltTestNumbers
import Testing

@testable import SiltHeap

@Suite struct LiveTableTests {
    /// Past 16 MiB, through every way in which a table grows, with a fourth of the blocks removed on the way.
    @Test func growingLosesNoBlockAndMakesUpNone() {
        var table = LiveTable()
        let count: UInt64 = 1_100_000
        let address = { (index: UInt64) in 0x5500_0000_0000 + index * 48 }
        var live: UInt64 = 0
        var wrong = 0
        for index in 0..<count {
            let block = LiveBlock(
                address: address(index),
                size: index,
                stack: StackID(rawValue: UInt32(index & 0xFFFF)),
                birth: UInt32(index >> 10)
            )
            if table.insert(block, at: table.place(of: block.address)) != nil { wrong += 1 }
            live += 1
            guard index % 4 == 3 else { continue }
            let old = address(index / 2 & ~3)
            if table.remove(old, at: table.place(of: old)) != nil { live -= 1 }
        }
        #expect(wrong == 0 && table.count == Int(live))
        var seen: UInt64 = 0
        table.visit { block in
            seen += 1
            let index = (block.address - 0x5500_0000_0000) / 48
            if block.size != index || block.stack.rawValue != UInt32(index & 0xFFFF) { wrong += 1 }
        }
        #expect(seen == live)
        for index in 0..<count {
            let removed = index % 4 == 0 && index < count / 2 - 2
            let found = table.remove(address(index), at: table.place(of: address(index)))
            if (found == nil) != removed { wrong += 1 }
        }
        #expect(wrong == 0 && table.count == 0)
    }

    /// Where blocks lie decides how they are kept: in slots, in buckets, or some of a page in each.
    enum Layout: UInt64, CaseIterable {
        /// Many to a page, no two in 32 bytes.
        case dense = 32
        /// Several in 32 bytes, as allocators with classes of 8 bytes put them.
        case crowded = 8
        case onePerPage = 4096
        /// More regions than have pages.
        case scattered = 0x40_0000

        var addresses: UInt64 { self == .dense ? 200_000 : 60_000 }
    }

    @Test(arguments: Layout.allCases, [UInt64.random(in: 0 ... .max), 1])
    func itHoldsWhatADictionaryHolds(layout: Layout, seed: UInt64) {
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        func random(_ bound: UInt64) -> UInt64 { generator.next(upperBound: bound) }
        func number(bits: UInt64) -> UInt64 { random(1 << (1 + random(bits))) }
        var table = LiveTable()
        var naive: [UInt64: LiveBlock] = [:]
        // Places are looked up some events before they are used.
        var ahead: [(address: UInt64, place: LiveTable.Place)] = []
        var wrong = 0
        for step in 0..<400_000 {
            // Grows past several sizes, then shrinks.
            let count = step < 100_000 ? 2000 : layout.addresses
            let odd: UInt64 = random(100_000) == 0 ? 1 + random(1 << 60) : 0
            let wanted = (1 + random(count)) * layout.rawValue + odd
            ahead.append((wanted, table.prefetchedPlace(of: wanted)))
            guard ahead.count > 24 else { continue }
            let (address, place) = ahead.removeFirst()
            if table.isFree(address, at: place) && naive[address] != nil { wrong += 1 }
            let block = LiveBlock(
                address: address,
                size: number(bits: 31),
                stack: StackID(rawValue: UInt32(number(bits: 27))),
                birth: UInt32(number(bits: 23))
            )
            switch random(10) {
            case 0:
                if let old = table.replace(with: block, at: place), old != naive.updateValue(block, forKey: address) {
                    wrong += 1
                }
            case 1..<(step < 250_000 ? 7 : 4):
                if table.insert(block, at: place) != naive.updateValue(block, forKey: address) { wrong += 1 }
            default:
                if table.remove(address, at: place) != naive.removeValue(forKey: address) { wrong += 1 }
            }
        }
        #expect(wrong == 0 && table.count == naive.count)
        var seen = 0
        table.visit { block in
            seen += 1
            if naive[block.address] != block || table.block(at: block.address) != block { wrong += 1 }
        }
        #expect(wrong == 0 && seen == naive.count)
    }

    /// From 750,000 blocks on, at the distances programs put them; smaller tables double.
    ///
    /// 32 bytes a block, a word for each page, one chunk of an arena, and 1 MiB of leaves that need not be paid for.
    @Test(arguments: [16, 48, 112, 128, 160, 1024, 4096, 65536] as [UInt64])
    func itTakesWhatItMayTake(distance: UInt64) {
        var table = LiveTable()
        var most = 0.0
        for index in 0..<1_000_000 as Range<UInt64> {
            let block = LiveBlock(address: 0x5500_0000_0000 + index * distance, size: 24, stack: .none, birth: 0)
            _ = table.insert(block, at: table.place(of: block.address))
            guard index > 750_000 else { continue }
            let words = min((index * distance) >> 12 * 8, 4096 * 4096 + index * 8)
            most = max(most, (Double(table.bytes) - Double(words) - 5_242_880) / Double(index))
        }
        print("\(distance) bytes apart: \(most) bytes a block at most, \(table.bytes / 1_000_000) in the end")
        #expect(most <= 32 && table.count == 1_000_000)
    }
}
