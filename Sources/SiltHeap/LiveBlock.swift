package import SiltEvents

/// A block that is live, as the table keeps it.
package struct LiveBlock: Equatable, Sendable {
    package var address: UInt64
    package var size: UInt64
    package var stack: StackID
    /// The interval it was allocated in; 0 is before the baseline.
    package var birth: UInt32

    package init(address: UInt64, size: UInt64, stack: StackID, birth: UInt32) {
        self.address = address
        self.size = size
        self.stack = stack
        self.birth = birth
    }
}

/// The 16 bytes a block takes in `LiveTable`.
///
///     key   63        20 19      0     meta  63   32 31     24 23     0
///          | address / 8 | stack  |         |  size | stack   | birth  |
///          |   44 bits   | low 20 |         |       | high 8  |        |
///
/// `key` 0 is a free entry. What does not fit (odd or 48-bit addresses, 4 GiB and more) is a `LiveTable.wide` block.
struct PackedBlock {
    var key: UInt64
    var meta: UInt64

    static let free = PackedBlock(key: 0, meta: 0)
    static let sizeLimit: UInt64 = 1 << 32
    /// Births are told apart up to here; later ones share it.
    static let birthLimit: UInt32 = 1 << 24 - 1

    @inline(__always)
    static func fits(_ address: UInt64) -> Bool { address & 7 == 0 && address &- 1 < 1 << 47 - 1 }

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
