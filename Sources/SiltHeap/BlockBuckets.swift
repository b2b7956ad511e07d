internal import CSiltSystem
internal import SiltEvents

/// Blocks by address: an open hash table of buckets of 8 entries.
///
/// A bucket is 8 keys, one cache line, and then their 8 metas, another. A block lies in its home bucket, or if that is
/// full in the first one after it that has room; a byte per bucket counts the blocks that went past it, so that a
/// look-up knows where to end and nothing has to move when a block is removed. The home is `hash * buckets / 2^64`: the
/// table is sorted by hash except for short displacements. Growing therefore moves the blocks in one sequential pass, which
/// for a big table runs backwards in the memory it has, extended: no second table is needed and no page is cleared
/// twice. Load is at most 0.69, beyond which a tenth of the buckets is full and searches go on too often, and tables
/// above 16 MiB grow by 1.3, so a block takes 23.5 to 31 bytes.
struct BlockBuckets: ~Copyable {
    /// `bucketCount * 16` words, all initialized, aligned to a page.
    private var words: UnsafeMutablePointer<UInt64>
    /// Blocks that are not in this bucket because it was full when they came; `sticky` stays.
    ///
    /// One per bucket.
    private var passed: UnsafeMutablePointer<UInt8>
    private var bucketCount: Int
    private var packedCount = 0
    private var growAt: Int
    /// Blocks that 16 bytes cannot hold, by address.
    ///
    /// Usually empty.
    private var wide: [UInt64: LiveBlock] = [:]

    private static let minimumBuckets = 128
    /// Below this many buckets tables double: 16 MiB.
    private static let doubledBuckets = 1 << 17
    /// Buckets in a huge page.
    private static let hugeBuckets = 1 << 14
    private static let sticky = UInt8.max

    init() {
        bucketCount = Self.minimumBuckets
        words = Pages.words(bucketCount * 16)
        passed = Pages.counts(bucketCount)
        growAt = bucketCount * 11 / 2
    }

    deinit {
        Pages.free(words, bucketCount * 16)
        Pages.free(passed, bucketCount)
    }

    var count: Int { packedCount + wide.count }

    /// Bytes of memory the table takes.
    var bytes: Int { bucketCount * (16 * 8 + 1) }

    /// The hash that the operations take; of any address.
    @inline(__always)
    static func hash(_ address: UInt64) -> UInt64 { hash(granule: address >> 3) }

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

    /// The 8 keys of a bucket, followed by their metas.
    @inline(__always)
    private func keys(_ bucket: Int) -> UnsafeMutablePointer<UInt64> { words + bucket &* 16 }

    /// The first of the entries in a result of `silt_bucket_matches` or `silt_bucket_free` that is not 0.
    @inline(__always)
    private func first(_ found: UInt32) -> Int { found.trailingZeroBitCount / 2 }

    @inline(__always)
    private func entry(_ keys: UnsafeMutablePointer<UInt64>, _ index: Int) -> PackedBlock {
        PackedBlock(key: keys[index], meta: keys[index + 8])
    }

    /// Asks for the bucket's cache lines some events ahead of their use.
    @inline(__always)
    func prefetch(hash: UInt64) {
        let bucket = home(hash)
        silt_prefetch(keys(bucket))
        silt_prefetch(keys(bucket) + 8)
        silt_prefetch(passed + bucket)
    }

    /// Adds a block; returns the one that was live at its address, if any.
    @inline(__always)
    mutating func insert(_ block: LiveBlock, hash: UInt64) -> LiveBlock? {
        guard PackedBlock.fits(block), wide.isEmpty else { return insertSlow(block) }
        return insertPacked(block, hash: hash)
    }

    /// Takes the block at `address` out; nil if none is live there.
    @inline(__always)
    mutating func remove(_ address: UInt64, hash: UInt64) -> LiveBlock? {
        guard PackedBlock.fits(address), wide.isEmpty else { return removeSlow(address) }
        return removePacked(address, hash: hash)
    }

    /// Puts a block into the place of the one that is live at its address, and returns that; nil, and nothing done, if
    /// there is none.
    @inline(__always)
    mutating func replace(with block: LiveBlock, hash: UInt64) -> LiveBlock? {
        guard PackedBlock.fits(block), wide.isEmpty, let (bucket, index) = find(block.address >> 3, home(hash))
        else { return nil }
        let old = entry(keys(bucket), index).block
        put(pack(block), bucket, index)
        return old
    }

    /// Whether no block is live at `address`; false too when the table cannot tell at a glance.
    @inline(__always)
    func isFree(_ address: UInt64, hash: UInt64) -> Bool {
        PackedBlock.fits(address) && wide.isEmpty && find(address >> 3, home(hash)) == nil
    }

    /// The block that is live at `address`.
    func block(at address: UInt64) -> LiveBlock? {
        if let block = wide[address] { return block }
        guard PackedBlock.fits(address), let (bucket, index) = find(address >> 3, home(Self.hash(address)))
        else { return nil }
        return entry(keys(bucket), index).block
    }

    /// Every live block, in no order.
    func visit(_ body: (LiveBlock) -> Void) {
        for bucket in 0..<bucketCount {
            for index in 0..<8 where keys(bucket)[index] != 0 { body(entry(keys(bucket), index).block) }
        }
        for block in wide.values { body(block) }
    }

    // MARK: Packed blocks

    /// Where the block at `granule` is; the search begins at its home bucket.
    @inline(__always)
    private func find(_ granule: UInt64, _ home: Int) -> (bucket: Int, index: Int)? {
        var bucket = home
        while true {
            let match = silt_bucket_matches(keys(bucket), granule)
            if match != 0 { return (bucket, first(match)) }
            if passed[bucket] == 0 { return nil }
            bucket = next(bucket)
            // Only when every count is sticky.
            if bucket == home { return nil }
        }
    }

    @inline(__always)
    private mutating func insertPacked(_ block: LiveBlock, hash: UInt64) -> LiveBlock? {
        let packed = pack(block)
        let home = home(hash)
        if let (bucket, index) = find(block.address >> 3, home) {
            let old = entry(keys(bucket), index).block
            put(packed, bucket, index)
            return old
        }
        place(packed, home)
        packedCount += 1
        if packedCount > growAt { grow() }
        return nil
    }

    @inline(__always)
    private func pack(_ block: LiveBlock) -> PackedBlock {
        PackedBlock(
            granule: block.address >> 3,
            size: block.size,
            stack: block.stack.rawValue,
            birth: min(block.birth, PackedBlock.birthLimit)
        )
    }

    /// Puts a block into the first bucket from its home on that has room; one has, the load being below 1.
    @inline(__always)
    private func place(_ packed: PackedBlock, _ home: Int) {
        var bucket = home
        var free = silt_bucket_free(keys(bucket))
        while free == 0 {
            if passed[bucket] != Self.sticky { passed[bucket] += 1 }
            bucket = next(bucket)
            free = silt_bucket_free(keys(bucket))
        }
        put(packed, bucket, first(free))
    }

    @inline(__always)
    private func put(_ packed: PackedBlock, _ bucket: Int, _ index: Int) {
        keys(bucket)[index] = packed.key
        keys(bucket)[index + 8] = packed.meta
    }

    @inline(__always)
    private mutating func removePacked(_ address: UInt64, hash: UInt64) -> LiveBlock? {
        let home = home(hash)
        guard let (bucket, index) = find(address >> 3, home) else { return nil }
        let block = entry(keys(bucket), index).block
        keys(bucket)[index] = 0
        packedCount -= 1
        var over = home
        while over != bucket {
            if passed[over] != Self.sticky { passed[over] -= 1 }
            over = next(over)
        }
        return block
    }

    @inline(never)
    private mutating func grow() {
        let old = words
        let oldCount = bucketCount
        Pages.free(passed, bucketCount)
        bucketCount = Self.grown(bucketCount)
        growAt = bucketCount * 11 / 2
        passed = Pages.counts(bucketCount)
        let filled = Pages.counts(bucketCount)
        if let moved = Pages.extend(old, from: oldCount * 16, to: bucketCount * 16) {
            words = moved
            spread(moved, oldCount, filled)
        } else {
            words = Pages.words(bucketCount * 16)
            spread(old, oldCount, filled)
            Pages.free(old, oldCount * 16)
        }
        Pages.free(filled, bucketCount)
    }

    private static func grown(_ count: Int) -> Int {
        if count < doubledBuckets { return count * 2 }
        // Whole huge pages.
        return (count * 13 / 10 + hugeBuckets / 2) / hugeBuckets * hugeBuckets
    }

    /// Moves the blocks of `count` old buckets, which may lie at the beginning of the new ones, to where they belong now.
    ///
    /// The last come first: the buckets from the one at hand on, of which a block usually gets one, are done with by
    /// then. `filled` counts the entries of each, which is quicker than looking for room in what was just written.
    private mutating func spread(
        _ old: UnsafeMutablePointer<UInt64>,
        _ count: Int,
        _ filled: UnsafeMutablePointer<UInt8>
    ) {
        var late: [PackedBlock] = []
        withUnsafeTemporaryAllocation(of: PackedBlock.self, capacity: 8) { taken in
            for bucket in stride(from: count - 1, through: 0, by: -1) {
                let keys = old + bucket &* 16
                var found = 0
                for index in 0..<8 {
                    taken[found] = PackedBlock(key: keys[index], meta: keys[index + 8])
                    found &+= keys[index] == 0 ? 0 : 1
                    keys[index] = 0
                }
                for index in 0..<found {
                    let home = home(Self.hash(granule: taken[index].granule))
                    // Its place may not be free yet: pushed far from its home near the beginning, or around the end.
                    if home < bucket || !place(taken[index], home, filled, around: false) { late.append(taken[index]) }
                }
            }
        }
        for block in late { _ = place(block, home(Self.hash(granule: block.granule)), filled, around: true) }
    }

    /// As the other one; false, and nothing done, when it would go around the table's end and may not.
    @inline(__always)
    private func place(
        _ packed: PackedBlock,
        _ home: Int,
        _ filled: UnsafeMutablePointer<UInt8>,
        around: Bool
    ) -> Bool {
        var bucket = home
        while filled[bucket] == 8 { bucket = next(bucket) }
        guard around || bucket >= home else { return false }
        var full = home
        while full != bucket {
            if passed[full] != Self.sticky { passed[full] += 1 }
            full = next(full)
        }
        put(packed, bucket, Int(filled[bucket]))
        filled[bucket] += 1
        return true
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
