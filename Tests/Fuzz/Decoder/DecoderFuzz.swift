import SiltEvents
import SiltHeap

/// libFuzzer's entry: any bytes become a module log and up to four slots, and are decoded and applied to a heap.
///
/// The first byte says how many slots, the next two how long the module log is; the rest is dealt out evenly. Bad bytes
/// must end in errors: a crash, a call that neither consumes nor stops, or an event out of thin air is a finding.
@_cdecl("LLVMFuzzerTestOneInput")
package func decodeAnything(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = UnsafeRawBufferPointer(start: start, count: count)
    guard count > 3 else { return 0 }
    let slotCount = Int(input[0] & 3) + 1
    let logBytes = min(Int(input[1]) | Int(input[2] & 3) << 8, count - 3)
    let log = UnsafeRawBufferPointer(rebasing: input[3..<3 + logBytes])
    let records = UnsafeRawBufferPointer(rebasing: input[(3 + logBytes)...])
    let share = (records.count / slotCount) & ~7
    var world = World(
        slots: (0..<slotCount).map { UnsafeRawBufferPointer(rebasing: records[$0 * share..<($0 + 1) * share]) }
    )
    world.run(log: log)
    return 0
}

/// One process image made of the fuzzer's bytes.
private struct World: ~Copyable {
    private let slots: [UnsafeRawBufferPointer]
    private var done: [Int]
    private var isBad: [Bool]
    private var decoder = ImageDecoder(stacks: StackTable())
    private var heap = ProcessHeap(inheritsHeap: false, groupOf: { FrameID(rawValue: $0.rawValue) })
    private var batch = HeapEventBatch(capacity: 16)

    init(slots: [UnsafeRawBufferPointer]) {
        self.slots = slots
        done = slots.map { _ in 0 }
        isBad = slots.map { _ in false }
    }

    mutating func run(log: UnsafeRawBufferPointer) {
        heap.startCountingFrees(bornSince: 0)
        do throws(WireError) {
            try decoder.readModules(log)
        } catch {
            precondition(!error.description.isEmpty)
        }
        var rounds = 0
        repeat {
            while decodeAll() {}
            rounds += 1
            precondition(rounds <= slots.reduce(1) { $0 + $1.count / 8 }, "a skipped gap let nothing through")
        } while decoder.skipGaps() != nil
        heap.closeInterval()
        precondition(heap.totals.inUseCount <= heap.totals.allocatedCount + decoder.counts.unfree)
        var freed: UInt64 = 0
        heap.forEachFreePartner { _, free, blocks, _ in
            precondition(free != .none && blocks > 0)
            freed += blocks
        }
        precondition(freed <= decoder.counts.free, "more frees than came")
    }

    /// Whether any slot moved on.
    private mutating func decodeAll() -> Bool {
        var progressed = false
        for slot in slots.indices where !isBad[slot] {
            let rest = UnsafeRawBufferPointer(rebasing: slots[slot][done[slot]...])
            do throws(WireError) {
                let used = try decoder.decode(slot: slot, rest, into: &batch)
                precondition(used >= 0 && used <= rest.count && used % 8 == 0)
                done[slot] += used
                progressed = progressed || used > 0
            } catch {
                isBad[slot] = true
            }
            batch.withUnsafeBufferPointer { heap.apply($0) }
            batch.removeAll()
        }
        if progressed && decoder.counts.blockEvents % 3 == 0 { heap.closeInterval() }
        return progressed
    }
}
