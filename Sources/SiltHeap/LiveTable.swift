internal import CSiltSystem
internal import SiltEvents

/// The live blocks of one process by address.
///
/// A block's place follows from its address: each page of 4 KiB has a leaf, a slot of 8 bytes for each 32 bytes of it,
/// since malloc(3) of glibc never begins two blocks there. Blocks that are made and freed together lie together, and so
/// do their slots, and no key has to be kept or compared.
///
/// What has no slot is in `buckets`: blocks beyond `BlockSlot`'s bits, the second of two that begin in the same 32 bytes
/// (allocators with classes of 8 and 16 bytes), and the blocks of pages that hold too few to pay for a leaf. A page's
/// word counts them, so that a look-up knows whether to go there:
///
///     63                 48 47                        0
///     | blocks in buckets  | address of its leaf or 0  |
///
/// A page gets a leaf while all leaves take at most 31 bytes for each block in them, and 1 MiB; else when as many of its
/// own blocks have come together as pay for one. Leaves stay when blocks go.
package struct LiveTable: ~Copyable {
    /// Where to look for an address, as `place` says; stays right while blocks come and go.
    package typealias Place = UnsafeMutablePointer<UInt64>?

    private static let leafSlots = 1 << 7
    private static let leafBytes = leafSlots * 8
    /// Blocks that pay for a leaf.
    private static let leafPaid = 33
    private static let freeLeaves = 1 << 10
    private static let oneElsewhere: UInt64 = 1 << 48

    private var pages = PageTable()
    /// In small pages: 80 MiB of them take 25 ms of CPU, huge ones 4 ms, but 40 to 180 ms in a virtual machine whose host
    /// has taken that memory back.
    private var arena = Arena(biggestChunk: 2 << 20)
    private var buckets = BlockBuckets()
    private var leafCount = 0
    /// Blocks in slots.
    private var slotted = 0

    package init() {}

    package var count: Int { slotted + buckets.count }

    /// Bytes of memory the table takes.
    package var bytes: Int { arena.bytes + pages.bytes + buckets.bytes }

    /// The place of an address; nil if the table has none, which may change with the next insertion.
    @inline(__always)
    func place(of address: UInt64) -> Place { pages.place(of: address) }

    /// The place of an address, and asks for the cache lines of its entry some events ahead of their use.
    @inline(__always)
    package func prefetchedPlace(of address: UInt64) -> Place {
        guard let place = pages.place(of: address) else { return nil }
        if let slot = slot(address, place.pointee) {
            silt_prefetch(slot)
        } else if place.pointee != 0 {
            buckets.prefetch(hash: BlockBuckets.hash(address))
        }
        return place
    }

    /// Adds a block; returns the one that was live at its address, if any.
    @inline(__always)
    package mutating func insert(_ block: LiveBlock, at place: Place) -> LiveBlock? {
        guard let place else { return insertSlow(block) }
        guard let slot = slot(block.address, place.pointee) else { return insert(block, without: place) }
        guard place.pointee < Self.oneElsewhere, slot.pointee == 0, BlockSlot.fits(block) else {
            return insertSlow(block)
        }
        fill(slot, with: block)
        return nil
    }

    /// Takes the block at `address` out; nil if none is live there.
    @inline(__always)
    package mutating func remove(_ address: UInt64, at place: Place) -> LiveBlock? {
        guard let place else { return removeSlow(address) }
        return empty(address, at: place) ?? removeElsewhere(address, place)
    }

    /// Puts a block into the place of the one that is live at its address, and returns that; nil, and nothing done, if
    /// there is none or the table cannot tell at a glance.
    @inline(__always)
    package mutating func replace(with block: LiveBlock, at place: Place) -> LiveBlock? {
        guard let place else { return nil }
        if let slot = slot(block.address, place.pointee) {
            let found = BlockSlot(word: slot.pointee)
            guard found.isBlock(at: block.address), BlockSlot.fits(block) else { return nil }
            slot.pointee = BlockSlot(block).word
            return found.block(at: block.address)
        }
        if place.pointee == 0 { return nil }
        return buckets.replace(with: block, hash: BlockBuckets.hash(block.address))
    }

    /// Whether no block is live at `address`; false too when the table cannot tell at a glance.
    @inline(__always)
    func isFree(_ address: UInt64, at place: Place) -> Bool {
        guard let place else { return false }
        if let slot = slot(address, place.pointee), BlockSlot(word: slot.pointee).isBlock(at: address) { return false }
        return place.pointee < Self.oneElsewhere || buckets.isFree(address, hash: BlockBuckets.hash(address))
    }

    /// The block that is live at `address`.
    package func block(at address: UInt64) -> LiveBlock? {
        if let place = place(of: address), let slot = slot(address, place.pointee) {
            let found = BlockSlot(word: slot.pointee)
            if found.isBlock(at: address) { return found.block(at: address) }
        }
        return buckets.block(at: address)
    }

    /// Whether blocks have lain in a range, or within 2 MiB of it.
    func hasHeldBlock(near range: Range<UInt64>) -> Bool { pages.hasHeldBlock(near: range) }

    /// Every live block, in no order.
    package func visit(_ body: (LiveBlock) -> Void) {
        pages.visit { page, word in
            guard let leaf = leaf(word) else { return }
            for index in 0..<Self.leafSlots where leaf[index] != 0 {
                body(BlockSlot(word: leaf[index]).block(near: page | UInt64(index) << BlockSlot.shift))
            }
        }
        buckets.visit(body)
    }

    // MARK: Leaves

    @inline(__always)
    private func leaf(_ word: UInt64) -> UnsafeMutablePointer<UInt64>? {
        UnsafeMutablePointer(bitPattern: UInt(truncatingIfNeeded: word & (Self.oneElsewhere &- 1)))
    }

    /// The slot of an address, of its page's word.
    @inline(__always)
    private func slot(_ address: UInt64, _ word: UInt64) -> UnsafeMutablePointer<UInt64>? {
        guard let leaf = leaf(word) else { return nil }
        return leaf + Int(truncatingIfNeeded: address >> BlockSlot.shift) & (Self.leafSlots &- 1)
    }

    @inline(__always)
    private mutating func fill(_ slot: UnsafeMutablePointer<UInt64>, with block: LiveBlock) {
        slot.pointee = BlockSlot(block).word
        slotted += 1
    }

    /// Takes a block out of its slot; nil if none has this address.
    @inline(__always)
    private mutating func empty(_ address: UInt64, at place: PageTable.Place) -> LiveBlock? {
        guard let slot = slot(address, place.pointee) else { return nil }
        let found = BlockSlot(word: slot.pointee)
        guard found.isBlock(at: address) else { return nil }
        slot.pointee = 0
        slotted -= 1
        return found.block(at: address)
    }

    /// Gives a page without a leaf one, and its blocks slots.
    private mutating func makeLeaf(_ page: UInt64, at place: PageTable.Place) {
        let leaf = arena.take(Self.leafBytes).bindMemory(to: UInt64.self, capacity: Self.leafSlots)
        leafCount += 1
        place.pointee |= UInt64(UInt(bitPattern: leaf))
        var address = page
        while place.pointee >= Self.oneElsewhere, address &- page < 1 << PageTable.pageShift {
            if let block = buckets.block(at: address), let slot = slot(address, place.pointee), slot.pointee == 0,
                BlockSlot.fits(block)
            {
                _ = buckets.remove(address, hash: BlockBuckets.hash(address))
                place.pointee -= Self.oneElsewhere
                fill(slot, with: block)
            }
            address &+= 8
        }
    }

    /// Adds a block whose page has no leaf.
    @inline(never)
    private mutating func insert(_ block: LiveBlock, without place: PageTable.Place) -> LiveBlock? {
        // With none or one less than pays for a leaf it may get one.
        guard 1..<UInt64(Self.leafPaid - 1) ~= place.pointee >> 48 else { return insertSlow(block) }
        let old = buckets.insert(block, hash: BlockBuckets.hash(block.address))
        if old == nil { place.pointee += Self.oneElsewhere }
        return old
    }

    @inline(never)
    private mutating func insertSlow(_ block: LiveBlock) -> LiveBlock? {
        let address = block.address
        let old = removeSlow(address)
        guard let place = pages.makePlace(of: address, blocks: count, from: &arena) else {
            _ = buckets.insert(block, hash: BlockBuckets.hash(address))
            return old
        }
        let page = address & ~(1 << PageTable.pageShift - 1)
        let isPaid = (leafCount - Self.freeLeaves) * Self.leafPaid <= slotted
        if place.pointee == 0, isPaid, BlockSlot.fits(block) { makeLeaf(page, at: place) }
        if let slot = slot(address, place.pointee), slot.pointee == 0, BlockSlot.fits(block) {
            fill(slot, with: block)
            return old
        }
        _ = buckets.insert(block, hash: BlockBuckets.hash(address))
        place.pointee += Self.oneElsewhere
        if leaf(place.pointee) == nil, place.pointee >> 48 == Self.leafPaid { makeLeaf(page, at: place) }
        return old
    }

    /// For an address whose place was not known when it was looked up.
    @inline(never)
    private mutating func removeSlow(_ address: UInt64) -> LiveBlock? {
        if let place = place(of: address) { return remove(address, at: place) }
        return pages.isFull ? buckets.remove(address, hash: BlockBuckets.hash(address)) : nil
    }

    @inline(never)
    private mutating func removeElsewhere(_ address: UInt64, _ place: PageTable.Place) -> LiveBlock? {
        guard place.pointee >= Self.oneElsewhere else { return nil }
        let block = buckets.remove(address, hash: BlockBuckets.hash(address))
        if block != nil { place.pointee -= Self.oneElsewhere }
        return block
    }
}
