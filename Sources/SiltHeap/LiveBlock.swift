package import SiltEvents

/// A block that is live, as the table keeps it.
package struct LiveBlock: Equatable, Sendable {
    package var address: UInt64
    package var size: UInt64
    package var stack: StackID
    /// The interval it was allocated in; 0 is before the baseline.
    package var birth: UInt32
}

/// The 8 bytes a block takes in a leaf of `LiveTable`, where its address is known except for the lowest bits.
///
///     63      44 43    22 21    2 1      0
///     | size + 1 | stack  | birth  | offset | of the address in its 32 bytes, / 8
///
/// 0 is a free slot.
struct BlockSlot {
    var word: UInt64

    /// A slot is for 32 bytes.
    static let shift: UInt64 = 5

    /// Whether a slot can hold the block: below 1 MiB, and born in the first 12 days if there is a snapshot a second.
    @inline(__always)
    static func fits(_ block: LiveBlock) -> Bool {
        block.size < 1 << 20 - 1 && block.stack.rawValue >> 22 == 0 && block.birth >> 20 == 0 && block.address & 7 == 0
    }

    @inline(__always)
    init(word: UInt64) { self.word = word }

    /// A block that fits.
    @inline(__always)
    init(_ block: LiveBlock) {
        word =
            (block.size &+ 1) << 44 | UInt64(block.stack.rawValue) << 22 | UInt64(block.birth) << 2
            | block.address >> 3 & 3
    }

    /// Whether it holds a block that begins at this address, which is one of the slot's.
    @inline(__always)
    func isBlock(at address: UInt64) -> Bool { word != 0 && (word << 3 ^ address) & 0x1F == 0 }

    @inline(__always) var stack: UInt32 { UInt32(truncatingIfNeeded: word >> 22) & 0x3F_FFFF }
    @inline(__always) var birth: UInt32 { UInt32(truncatingIfNeeded: word >> 2) & 0xF_FFFF }

    /// The block it holds, whose address is this one.
    @inline(__always)
    func block(at address: UInt64) -> LiveBlock {
        LiveBlock(address: address, size: word >> 44 &- 1, stack: StackID(rawValue: stack), birth: birth)
    }

    /// The block it holds, which begins in the 32 bytes from this address on.
    func block(near start: UInt64) -> LiveBlock { block(at: start | (word & 3) << 3) }
}

/// The 16 bytes a block takes in `BlockBuckets`.
///
///     key   63        20 19      0     meta  63   32 31     24 23     0
///          | address / 8 | stack  |         |  size | stack   | birth  |
///          |   44 bits   | low 20 |         |       | high 8  |        |
///
/// `key` 0 is a free entry; `silt_bucket_matches` knows the 20. What does not fit (odd or 48-bit addresses, 4 GiB and more) is a `BlockBuckets.wide` block.
struct PackedBlock {
    var key: UInt64
    var meta: UInt64

    /// Births are told apart up to here; later ones share it.
    @inline(__always) static var birthLimit: UInt32 { 1 << 24 - 1 }

    /// Whether an entry can hold the address: a multiple of 8 below 2^47, not 0.
    @inline(__always)
    static func fits(_ address: UInt64) -> Bool { address & 7 == 0 && address &- 1 < 1 << 47 - 1 }

    @inline(__always)
    static func fits(_ block: LiveBlock) -> Bool {
        fits(block.address) && block.size >> 32 == 0 && block.stack.rawValue >> 28 == 0
    }

    @inline(__always)
    init(key: UInt64, meta: UInt64) {
        self.key = key
        self.meta = meta
    }

    @inline(__always)
    init(granule: UInt64, size: UInt64, stack: UInt32, birth: UInt32) {
        key = granule << 20 | UInt64(stack & 0xF_FFFF)
        meta = size << 32 | UInt64(stack >> 20) << 24 | UInt64(birth)
    }

    @inline(__always) var granule: UInt64 { key >> 20 }
    @inline(__always) var size: UInt64 { meta >> 32 }
    @inline(__always) var birth: UInt32 { UInt32(truncatingIfNeeded: meta) & 0xFF_FFFF }
    @inline(__always) var stack: UInt32 {
        UInt32(truncatingIfNeeded: key) & 0xF_FFFF | (UInt32(truncatingIfNeeded: meta) >> 24) << 20
    }
    @inline(__always) var block: LiveBlock {
        LiveBlock(address: granule << 3, size: size, stack: StackID(rawValue: stack), birth: birth)
    }
}
