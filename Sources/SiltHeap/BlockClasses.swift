/// Live blocks by powers of two of their size, or of their age.
package struct BlockClasses: Equatable, Sendable {
    /// Class 0 is 0, class n is 2^(n-1) up to, and without, 2^n.
    package private(set) var count = [UInt64](repeating: 0, count: 65)
    package private(set) var bytes = [UInt64](repeating: 0, count: 65)

    package static func number(_ value: UInt64) -> Int { UInt64.bitWidth - value.leadingZeroBitCount }

    mutating func add(_ value: UInt64, bytes size: UInt64) {
        count[Self.number(value)] += 1
        bytes[Self.number(value)] &+= size
    }
}

extension ProcessHeap {
    /// The live blocks by size in bytes, and by the ticks of the snapshots taken since they were allocated.
    ///
    /// Looks at every block. One that was there at the baseline is as old as the trace.
    package func liveClasses() -> (sizes: BlockClasses, ages: BlockClasses) {
        var (sizes, ages) = (BlockClasses(), BlockClasses())
        guard totals.inUseCount > 0 else { return (sizes, ages) }
        let (scale, now) = (scale, interval)
        forEachLive { block in
            sizes.add(block.size, bytes: block.size)
            ages.add(UInt64(scale.tick(of: now) &- scale.tick(of: min(now, block.birth))), bytes: block.size)
        }
        return (sizes, ages)
    }
}
