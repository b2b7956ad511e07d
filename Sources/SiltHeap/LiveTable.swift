internal import CSiltSystem
internal import SiltEvents

/// The live blocks of one process by address: open addressing, linear probing, backward-shift deletion.
///
/// An entry's home is `hash * capacity / 2^64`, so the table is sorted by hash but for short displacements. Growing
/// therefore reads the old table and writes the new one in one sequential pass, and gives back the old pages behind
/// it: the two together never hold much more memory than the new table alone. Load is at most 0.75 and grows by 1.4,
/// so a block takes 21 to 30 bytes.
package struct LiveTable: ~Copyable {
    /// `capacity` entries, all initialized.
    private var entries: UnsafeMutablePointer<PackedBlock>
    private(set) package var capacity: Int
    private var packedCount = 0
    private var growAt: Int
    /// Blocks that 16 bytes cannot hold, by address. Usually empty.
    private var wide: [UInt64: LiveBlock] = [:]

    private static let minimumCapacity = 1024

    package init() {
        capacity = Self.minimumCapacity
        entries = Pages.allocate(capacity)
        growAt = capacity / 4 * 3
    }

    deinit { Pages.free(entries, capacity) }

    package var count: Int { packedCount + wide.count }

    /// Bytes of memory the entries take.
    package var bytes: Int { capacity * MemoryLayout<PackedBlock>.stride }

    /// The hash that `prefetch` and the other operations take; of any address.
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
        Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(UInt(bitPattern: capacity))).high)
    }

    @inline(__always)
    private func next(_ index: Int) -> Int { index + 1 == capacity ? 0 : index + 1 }

    /// Asks for the entry's cache line some events ahead of its use.
    @inline(__always)
    package func prefetch(hash: UInt64) { silt_prefetch(entries + home(hash)) }

    /// The stack of the block at `address`, if its entry is where one look finds it. A hint, for prefetching.
    @inline(__always)
    func stackHint(_ address: UInt64, hash: UInt64) -> UInt32? {
        var index = home(hash)
        for _ in 0..<4 {
            let entry = entries[index]
            if entry.granule == address >> 3 { return entry.stack }
            index = next(index)
        }
        return nil
    }

    /// Adds a block; returns the one that was live at its address, if any.
    @inline(__always)
    package mutating func insert(_ block: LiveBlock, hash: UInt64) -> LiveBlock? {
        guard PackedBlock.fits(block.address), block.size < PackedBlock.sizeLimit, wide.isEmpty,
            block.stack.rawValue <= StackTable.stackLimit
        else { return insertSlow(block) }
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
        let granule = address >> 3
        var index = home(Self.hash(granule: granule))
        while entries[index].key != 0 {
            if entries[index].granule == granule { return entries[index].block }
            index = next(index)
        }
        return nil
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
            let entry = entries[index]
            if entry.key == 0 { break }
            if entry.granule == granule {
                entries[index] = packed
                return entry.block
            }
            index = next(index)
        }
        entries[index] = packed
        packedCount += 1
        if packedCount > growAt { grow() }
        return nil
    }

    @inline(__always)
    private mutating func removePacked(_ address: UInt64, hash: UInt64) -> LiveBlock? {
        let granule = address >> 3
        var index = home(hash)
        while true {
            let entry = entries[index]
            if entry.granule == granule {
                close(index)
                packedCount -= 1
                return entry.block
            }
            if entry.key == 0 { return nil }
            index = next(index)
        }
    }

    /// Frees entry `index`, moving later ones of its cluster back so that none is cut off from its home.
    @inline(__always)
    private mutating func close(_ index: Int) {
        var hole = index
        var probe = next(index)
        while true {
            let entry = entries[probe]
            if entry.key == 0 { break }
            let home = home(Self.hash(granule: entry.granule))
            // Distances from the home, around the end of the table.
            let toProbe = probe >= home ? probe - home : probe - home + capacity
            let toHole = hole >= home ? hole - home : hole - home + capacity
            if toHole < toProbe {
                entries[hole] = entry
                hole = probe
            }
            probe = next(probe)
        }
        entries[hole] = .free
    }

    @inline(never)
    private mutating func grow() {
        let old = entries
        let oldCapacity = capacity
        // 1.4 times, in whole pages.
        capacity = (oldCapacity * 7 / 5 + 255) & ~255
        growAt = capacity / 4 * 3
        entries = Pages.allocate(capacity)
        let stride = Pages.releaseStride
        for start in Swift.stride(from: 0, to: oldCapacity, by: stride) {
            let end = min(start + stride, oldCapacity)
            for index in start..<end {
                let entry = old[index]
                if entry.key == 0 { continue }
                var target = home(Self.hash(granule: entry.granule))
                while entries[target].key != 0 { target = next(target) }
                entries[target] = entry
            }
            if end - start == stride { Pages.release(old + start, stride) }
        }
        Pages.free(old, oldCapacity)
    }

    // MARK: Wide blocks

    @inline(never)
    private mutating func insertSlow(_ block: LiveBlock) -> LiveBlock? {
        let old = removeSlow(block.address)
        if PackedBlock.fits(block.address), block.size < PackedBlock.sizeLimit,
            block.stack.rawValue <= StackTable.stackLimit
        {
            _ = insertPacked(block, hash: Self.hash(block.address))
        } else {
            wide[block.address] = block
        }
        return old
    }

    @inline(never)
    private mutating func removeSlow(_ address: UInt64) -> LiveBlock? {
        if !wide.isEmpty, let block = wide.removeValue(forKey: address) { return block }
        guard PackedBlock.fits(address), address != 0 else { return nil }
        return removePacked(address, hash: Self.hash(address))
    }
}
