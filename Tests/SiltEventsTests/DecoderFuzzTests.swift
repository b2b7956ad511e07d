import SiltTestNumbers
import Testing

@testable import SiltEvents

@Suite struct DecoderFuzzTests {
    /// A slot's stream of every kind of record, in order.
    private static func stream(_ random: inout SeededGenerator) -> [UInt8] {
        var records = Records()
        var known: UInt32 = 0
        for _ in 0..<60 {
            let address = UInt64.random(in: 1...64, using: &random) << 12
            let stamp = UInt16.random(in: 0...3, using: &random)
            let stack = known == 0 ? 0 : UInt32.random(in: 0...known, using: &random)
            switch Int.random(in: 0..<9, using: &random) {
            case 0:
                known += 1
                records.node(known, parent: stack == known ? 0 : stack, address)
            case 1: records.alloc(address, stamp, 64, stack, kind: [4, 5, 9, 12].randomElement(using: &random) ?? 4)
            case 2: records.free(address, stamp)
            case 3: records.unfree(address, stamp)
            case 4: records.extended(1, [UInt64(stamp), address | 1, 64, UInt64(stack)])
            case 5: records.extended(7, [UInt64(stamp), address, 16, UInt64(stack)])
            case 6: records.freeBy(address, stamp, stack)
            case 7: records.extended(10, [UInt64(stamp), address | 1, 0, UInt64(stack)])
            default: records.pad(Int.random(in: 1...4, using: &random))
            }
        }
        return records.bytes
    }

    @Test(arguments: [UInt64.random(in: 0 ... .max), 1, 2, 3])
    func mutatedStreamsEndInErrorsNotCrashes(seed: UInt64) {
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            var slots = (0..<3).map { _ in Self.stream(&random) }
            for _ in 0..<Int.random(in: 0...8, using: &random) {
                let slot = Int.random(in: 0..<3, using: &random)
                let at = Int.random(in: 0..<slots[slot].count, using: &random)
                slots[slot][at] ^= 1 << UInt8.random(in: 0...7, using: &random)
            }
            let world = World(slots)
            world.run()
            var skips = 0
            while world.skipGaps() != nil {
                world.run()
                skips += 1
            }
            #expect(skips <= 3 * 60)
            for slot in 0..<3 where world.done[slot] < slots[slot].count {
                // Whatever is left begins with a bad record, or with one that is cut.
                let before = world.errors.count
                let used = world.step(slot)
                #expect(
                    used == 0 && (world.errors.count == before + 1 || slots[slot].count - world.done[slot] < 1 << 18)
                )
            }
        }
    }

    @Test(arguments: [UInt64.random(in: 0 ... .max), 4])
    func threadsStreamsInterleavedAnyhowDeliverEachShardInOrder(seed: UInt64) {
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var slots = (0..<4).map { _ in Records() }
        var stamps: [UInt32: UInt16] = [:]
        var order: [UInt64: [Int]] = [:]
        for number in 0..<20_000 {
            let address = UInt64.random(in: 1...40, using: &random) << 10
            let shard = UInt32(truncatingIfNeeded: ((address >> 10) &* 0x9E37_79B9_7F4A_7C15) >> 54)
            let stamp = stamps[shard, default: 0]
            stamps[shard] = stamp &+ 1
            // The number of the event travels as its size.
            slots[Int.random(in: 0..<4, using: &random)].alloc(address, stamp, UInt64(number), 0)
            order[address, default: []].append(number)
        }
        let world = World(slots.map(\.bytes))
        while zip(world.done, world.slots).contains(where: { $0 < $1.count }) {
            let slot = Int.random(in: 0..<4, using: &random)
            let end = min(
                world.done[slot] + Int.random(in: 0...4096, using: &random),
                world.slots[slot].count
            )
            _ = world.step(slot, upTo: end)
        }
        #expect(world.errors.isEmpty && world.events.count == 20_000)
        let delivered = Dictionary(grouping: world.events, by: \.address).mapValues { $0.map { Int($0.size) } }
        #expect(delivered == order)
    }
}
