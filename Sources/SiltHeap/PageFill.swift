package import SiltEvents

/// How full of live blocks the pages of a process's areas are.
///
/// Two bytes for each page of an area with small blocks.
struct PageFill {
    private static let page: UInt64 = 4096
    /// An area of 64 GiB; of a larger one nothing is said.
    private static let maximumPages: UInt64 = 1 << 24
    /// Pages of which live blocks take one part in so many at most are sparse.
    private static let sparsePart: UInt64 = 4

    /// Live bytes by page, for each area with small blocks.
    private var live: [[UInt16]]

    init(areas: Int) { live = Array(repeating: [], count: areas) }

    /// Adds a block that begins in that area.
    mutating func add(_ block: LiveBlock, at index: Int, in area: MemoryArea) {
        let pages = (area.bytes + Self.page - 1) / Self.page
        guard pages <= Self.maximumPages else { return }
        if live[index].isEmpty { live[index] = Array(repeating: 0, count: Int(pages)) }
        Self.forEachPart(of: block, in: area) { live[index][$0] &+= $1 }
    }

    /// False for an area that is too large, if it has small blocks.
    func knows(_ index: Int) -> Bool { !live[index].isEmpty }

    /// The pages of an area that live blocks lie on, those of them that are sparse, and the live bytes on the latter.
    func pages(_ index: Int) -> (taken: UInt64, sparse: UInt64, sparseLive: UInt64) {
        var (taken, sparse, sparseLive) = (UInt64(0), UInt64(0), UInt64(0))
        for bytes in live[index] where bytes > 0 {
            taken += 1
            guard Self.isSparse(bytes) else { continue }
            sparse += 1
            sparseLive += UInt64(bytes)
        }
        return (taken * Self.page, sparse * Self.page, sparseLive)
    }

    /// Calls back with the part of sparse pages that a block is the reason for: by its share of their live bytes.
    func forEachPinned(by block: LiveBlock, at index: Int, in area: MemoryArea, _ body: (Double) -> Void) {
        guard !live[index].isEmpty else { return }
        Self.forEachPart(of: block, in: area) { page, bytes in
            let all = live[index][page]
            if Self.isSparse(all) { body(Double(Self.page) * Double(bytes) / Double(all)) }
        }
    }

    private static func isSparse(_ bytes: UInt16) -> Bool { bytes > 0 && UInt64(bytes) * sparsePart <= page }

    /// The pages of a small block, counted from the start of its area, with its bytes on each.
    private static func forEachPart(of block: LiveBlock, in area: MemoryArea, _ body: (Int, UInt16) -> Void) {
        var start = block.address - area.start
        // Nothing is freed of a block of no bytes either.
        let end = min(start + max(1, block.size), area.bytes)
        while start < end {
            let next = min(end, (start / page + 1) * page)
            body(Int(start / page), UInt16(next - start))
            start = next
        }
    }
}

/// What a look at the memory of a process found.
package struct MemoryLook: Equatable, Sendable {
    package var uses = MemoryUses<UInt64>()
    package var details = MemoryDetails()
    /// Bytes of sparse pages by the stack of the blocks that pin them, the most first; empty where they are few.
    package var pins: [Pin] = []

    package struct Pin: Equatable, Sendable {
        package var stack: StackID
        package var bytes: UInt64
    }
}
