import SiltEvents
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
            if table.insert(block, hash: LiveTable.hash(block.address)) != nil { wrong += 1 }
            live += 1
            guard index % 4 == 3 else { continue }
            let old = address(index / 2 & ~3)
            if table.remove(old, hash: LiveTable.hash(old)) != nil { live -= 1 }
        }
        #expect(wrong == 0 && table.count == Int(live) && table.capacity > 1 << 20)
        var seen: UInt64 = 0
        table.visit { block in
            seen += 1
            let index = (block.address - 0x5500_0000_0000) / 48
            if block.size != index || block.stack.rawValue != UInt32(index & 0xFFFF) { wrong += 1 }
        }
        #expect(seen == live)
        for index in 0..<count {
            let removed = index % 4 == 0 && index < count / 2 - 2
            let found = table.remove(address(index), hash: LiveTable.hash(address(index)))
            if (found == nil) != removed { wrong += 1 }
        }
        #expect(wrong == 0 && table.count == 0)
    }
}
