internal import CSiltSystem

/// The live blocks of one process by address: an open hash table of buckets of 4 entries, one cache line each.
///
/// A block lies in its home bucket, or if that is full in the first one after it that has room, so a look-up ends at
/// the first bucket with a free entry. Removing from a full bucket pulls back what had to go further. The home is
/// `hash * buckets / 2^64`: the table is sorted by hash but for short displacements. Growing therefore reads the old
/// table and writes the new one in one sequential pass, and gives back the old pages behind it: the two together never
/// hold much more memory than the new table alone. Load is at most 0.75 and big tables grow by 1.4, so a block takes
/// 21 to 30 bytes.
package struct LiveTable: ~Copyable {
    /// `bucketCount * 4` entries, all initialized, aligned to a page.
    private var entries: UnsafeMutablePointer<PackedBlock>
    private var bucketCount: Int
    private var packedCount = 0
    private var growAt: Int
    /// Blocks that 16 bytes cannot hold, by address. Usually empty.
    private var wide: [UInt64: LiveBlock] = [:]

    private static let minimumBuckets = 256
    /// Below this many buckets tables double: 1 MiB.
    private static let smallBuckets = 1 << 14

    package init() {
        bucketCount = Self.minimumBuckets
        entries = Pages.allocate(bucketCount * 4)
        growAt = bucketCount * 3
    }

    deinit { Pages.free(entries, capacity) }

    package var count: Int { packedCount + wide.count }

    package var capacity: Int { bucketCount * 4 }

    /// Bytes of memory the entries take.
    package var bytes: Int { capacity * MemoryLayout<PackedBlock>.stride }

    /// The hash that the operations take; of any address.
    @inline(__always)
    package static func hash(_ address: UInt64) -> UInt64 { hash(granule: address >> 3) }

    @inline(__always)
    private static func hash(granule: UInt64) -> UInt64 {
        var hash = granule &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 32
        return hash &* 0xD6E8_FEB8_6659_FD93
    }

    @inline(__always)
    private func home(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(UInt(bitPattern: bucketCount))).high)
    }

    @inline(__always)
    private func next(_ bucket: Int) -> Int { bucket + 1 == bucketCount ? 0 : bucket + 1 }

    @inline(__always)
    private func start(_ bucket: Int) -> UnsafeMutablePointer<PackedBlock> { entries + bucket &* 4 }

    /// Bit i: entry i of the bucket is the block at `granule`, which is not 0. Without branches: where in its bucket a
    /// block lies cannot be predicted.
    @inline(__always)
    private static func matches(_ bucket: UnsafeMutablePointer<PackedBlock>, _ granule: UInt64) -> UInt32 {
        let first: UInt32 = bucket[0].granule == granule ? 1 : 0
        let second: UInt32 = bucket[1].granule == granule ? 2 : 0
        let third: UInt32 = bucket[2].granule == granule ? 4 : 0
        let fourth: UInt32 = bucket[3].granule == granule ? 8 : 0
        return first | second | third | fourth
    }

    /// Bit i: entry i of the bucket is free.
    @inline(__always)
    private static func free(_ bucket: UnsafeMutablePointer<PackedBlock>) -> UInt32 {
        let first: UInt32 = bucket[0].key == 0 ? 1 : 0
        let second: UInt32 = bucket[1].key == 0 ? 2 : 0
        let third: UInt32 = bucket[2].key == 0 ? 4 : 0
        let fourth: UInt32 = bucket[3].key == 0 ? 8 : 0
        return first | second | third | fourth
    }

    /// Asks for the bucket's cache line some events ahead of its use.
    @inline(__always)
    package func prefetch(hash: UInt64) { silt_prefetch(start(home(hash))) }

    /// The stack of the block at `address`, if it lies in its home bucket. A hint, for prefetching.
    @inline(__always)
    func stackHint(_ address: UInt64, hash: UInt64) -> UInt32? {
        let bucket = start(home(hash))
        let match = Self.matches(bucket, address >> 3)
        return match == 0 ? nil : bucket[match.trailingZeroBitCount].stack
    }

    /// Adds a block; returns the one that was live at its address, if any.
    @inline(__always)
    package mutating func insert(_ block: LiveBlock, hash: UInt64) -> LiveBlock? {
        guard PackedBlock.fits(block), wide.isEmpty else { return insertSlow(block) }
        return insertPacked(block, hash: hash)
    }

    /// Takes the block at `address` out; nil if none is live there.
    @inline(__always)
    package mutating func remove(_ address: UInt64, hash: UInt64) -> LiveBlock? {
        guard PackedBlock.fits(address), wide.isEmpty else { return removeSlow(address) }
        return removePacked(address, hash: hash)
    }

    /// The block that is live at `address`.
    package func block(at address: UInt64) -> LiveBlock? {
        if let block = wide[address] { return block }
        guard PackedBlock.fits(address) else { return nil }
        var index = home(Self.hash(address))
        while true {
            let bucket = start(index)
            let match = Self.matches(bucket, address >> 3)
            if match != 0 { return bucket[match.trailingZeroBitCount].block }
            if Self.free(bucket) != 0 { return nil }
            index = next(index)
        }
    }

    /// Every live block, in no order.
    package func forEach(_ body: (LiveBlock) -> Void) {
        for index in 0..<capacity where entries[index].key != 0 { body(entries[index].block) }
        for block in wide.values { body(block) }
    }

    // MARK: Packed blocks

    @inline(__always)
    private mutating func insertPacked(_ block: LiveBlock, hash: UInt64) -> LiveBlock? {
        let granule = block.address >> 3
        let packed = PackedBlock(
            granule: granule, size: block.size, stack: block.stack.rawValue,
            birth: min(block.birth, PackedBlock.birthLimit))
        var index = home(hash)
        while true {
            let bucket = start(index)
            let match = Self.matches(bucket, granule)
            if match != 0 {
                let position = match.trailingZeroBitCount
                let old = bucket[position].block
                bucket[position] = packed
                return old
            }
            let free = Self.free(bucket)
            if free != 0 {
                bucket[free.trailingZeroBitCount] = packed
                break
            }
            index = next(index)
        }
        packedCount += 1
        if packedCount > growAt { grow() }
        return nil
    }

    @inline(__always)
    private mutating func removePacked(_ address: UInt64, hash: UInt64) -> LiveBlock? {
        let granule = address >> 3
        var index = home(hash)
        while true {
            let bucket = start(index)
            let match = Self.matches(bucket, granule)
            let free = Self.free(bucket)
            if match != 0 {
                let position = match.trailingZeroBitCount
                let block = bucket[position].block
                bucket[position] = .free
                packedCount -= 1
                if free == 0 { refill(index, position) }
                return block
            }
            if free != 0 { return nil }
            index = next(index)
        }
    }

    /// After an entry of a full bucket became free: moves a block there that had to go past it, and so on with the
    /// bucket it came from. Ends at the first bucket that was not full, past which none can have gone.
    @inline(never)
    private mutating func refill(_ index: Int, _ position: Int) {
        var hole = index
        var holePosition = position
        var probe = next(index)
        while true {
            let bucket = start(probe)
            let wasFull = Self.free(bucket) == 0
            for candidate in 0..<4 where bucket[candidate].key != 0 {
                let home = home(Self.hash(granule: bucket[candidate].granule))
                // Distances from the home, around the end of the table.
                let toProbe = probe >= home ? probe - home : probe - home + bucketCount
                let toHole = hole >= home ? hole - home : hole - home + bucketCount
                if toHole < toProbe {
                    start(hole)[holePosition] = bucket[candidate]
                    bucket[candidate] = .free
                    hole = probe
                    holePosition = candidate
                    break
                }
            }
            if !wasFull { return }
            probe = next(probe)
        }
    }

    @inline(never)
    private mutating func grow() {
        let old = entries
        let oldCapacity = capacity
        bucketCount = bucketCount < Self.smallBuckets ? bucketCount * 2 : (bucketCount * 7 / 5 + 63) & ~63
        growAt = bucketCount * 3
        entries = Pages.allocate(capacity)
        let stride = Pages.releaseStride
        for first in Swift.stride(from: 0, to: oldCapacity, by: stride) {
            let end = min(first + stride, oldCapacity)
            for index in first..<end {
                let entry = old[index]
                if entry.key == 0 { continue }
                var target = home(Self.hash(granule: entry.granule))
                var free = Self.free(start(target))
                while free == 0 {
                    target = next(target)
                    free = Self.free(start(target))
                }
                start(target)[free.trailingZeroBitCount] = entry
            }
            if end - first == stride { Pages.release(old + first, stride) }
        }
        Pages.free(old, oldCapacity)
    }

    // MARK: Wide blocks

    @inline(never)
    private mutating func insertSlow(_ block: LiveBlock) -> LiveBlock? {
        let old = removeSlow(block.address)
        if PackedBlock.fits(block) {
            _ = insertPacked(block, hash: Self.hash(block.address))
        } else {
            wide[block.address] = block
        }
        return old
    }

    @inline(never)
    private mutating func removeSlow(_ address: UInt64) -> LiveBlock? {
        if !wide.isEmpty, let block = wide.removeValue(forKey: address) { return block }
        guard PackedBlock.fits(address) else { return nil }
        return removePacked(address, hash: Self.hash(address))
    }
}
