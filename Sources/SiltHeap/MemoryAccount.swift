internal import SiltEvents

/// A range of a process's address space and what of it is in memory, as proc_pid_smaps(5) lists them.
package struct MemoryArea: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// Neither a file nor named by the kernel.
        case anonymous
        /// What brk(2) moves.
        case programBreak
        /// The first thread's stack.
        case stack
        /// Files, shared memory, and what the kernel maps.
        case file
        /// The preload library and the file it shares with the analyzer.
        case own
    }

    package var start: UInt64
    package var end: UInt64
    package var residentBytes: UInt64
    package var kind: Kind
    /// Nothing in it may be touched: a guard, or a reserve.
    package var isForbidden = false
    /// Mapped with MAP_NORESERVE.
    package var isUnreserved = false
    /// Without a file, but other processes may have it too: a fork child has what its parent mapped so.
    package var isShared = false
    /// Anonymous memory in huge pages.
    package var hugeBytes: UInt64 = 0
    /// Of a file's private mapping: pages that were written, which are no longer the file's.
    package var writtenBytes: UInt64 = 0

    package init(start: UInt64, end: UInt64, residentBytes: UInt64, kind: Kind) {
        self.start = start
        self.end = end
        self.residentBytes = residentBytes
        self.kind = kind
    }

    package var bytes: UInt64 { end - start }
}

/// Says what the resident memory of one process is for, from its areas, its live blocks and its own mappings.
///
/// Where blocks have been, at an earlier look or between two, is what the allocator keeps when all of them are gone.
package struct MemoryAccount {
    /// The rules of the allocator whose blocks they are.
    package enum Layout: Sendable {
        /// glibc: blocks from the break, from arenas, and large ones in mappings of their own, which go when they are freed.
        case glibc
        /// Another: what lies in a mapping with live blocks is the allocator's.
        case whole
    }

    /// Blocks from this size on may be live and not in memory; smaller ones are taken to be touched as a whole.
    private static let large: UInt64 = 1 << 17
    /// Where glibc's arenas begin: at a multiple of HEAP_MAX_SIZE (malloc/arena.c).
    private static let arenaAlignment: UInt64 = 64 << 20
    /// The largest guard that is taken for that of a stack.
    private static let maximumGuard: UInt64 = 1 << 16
    private static let maximumKnown = 4096
    /// Sparse pages are worth a look at who pins them when there are so many bytes of them; the first stacks of those.
    private static let (notableSparse, maximumPins) = (UInt64(4 << 20), 64)

    private let layout: Layout
    /// Areas with live blocks at an earlier look, in order.
    private var known: [Range<UInt64>] = []

    package init(_ layout: Layout) { self.layout = layout }

    private struct Occupancy {
        var smallBytes: UInt64 = 0
        /// Resident bytes of large blocks.
        var largeResident: UInt64 = 0
        var largeCount = 0
    }

    /// Says what the resident bytes of areas, which are in the order of their addresses, are for.
    ///
    /// `ownBytes`: what the preload library says it has mapped. `residentBytes`: how much of a range is in memory; asked for
    /// large blocks, and where an area is shared by several.
    package mutating func shares(
        _ areas: [MemoryArea],
        of heap: borrowing ProcessHeap,
        ownBytes: UInt64,
        residentBytes: (Range<UInt64>) -> UInt64
    ) -> MemoryLook {
        var fill = PageFill(areas: areas.count)
        var blocks = [Occupancy](repeating: Occupancy(), count: areas.count)
        var last = 0
        heap.forEachLive { block in
            let isThere = last < areas.count && areas[last].start <= block.address && block.address < areas[last].end
            if !isThere {
                guard let index = Self.index(of: block.address, in: areas) else { return }
                last = index
            }
            guard block.size >= Self.large else {
                blocks[last].smallBytes += block.size
                fill.add(block, at: last, in: areas[last])
                return
            }
            let end = block.address.addingReportingOverflow(block.size)
            guard !end.overflow else { return }
            blocks[last].largeCount += 1
            // A block of its own mapping needs no look at pages.
            let isAlone = block.size + Self.maximumGuard >= areas[last].bytes
            let resident = isAlone ? areas[last].residentBytes : residentBytes(block.address..<end.partialValue)
            blocks[last].largeResident += min(block.size, resident)
        }
        var pieces = [[Range<UInt64>]](repeating: [], count: areas.count)
        heap.forEachMapping { range, _ in
            var index = Self.firstIndex(endingAfter: range.lowerBound, in: areas)
            while index < areas.count, areas[index].start < range.upperBound {
                Self.add(range.clamped(to: areas[index].start..<areas[index].end), to: &pieces[index])
                index += 1
            }
        }
        var look = MemoryLook()
        var shares = MemoryUses<UInt64>()
        // The library's own pages are mapped without a reserve, but it is not alone in that: allocators' may be, too.
        var (unreserved, heldUnreserved) = (UInt64(0), UInt64(0))
        var (ownFile, all) = (UInt64(0), UInt64(0))
        /// Where blocks have been between two looks.
        var freed: UInt64 = 0
        var found: [Range<UInt64>] = []
        for (index, area) in areas.enumerated() {
            all += area.residentBytes
            look.details[.hugePages] += area.hugeBytes
            switch area.kind {
            case .own:
                shares[.own] += area.residentBytes
                ownFile += area.bytes
                continue
            case .file:
                // What the program wrote to its own private mapping of a file is memory that nothing else keeps.
                let written = min(area.writtenBytes, area.residentBytes)
                if pieces[index].isEmpty {
                    shares[.files] += area.residentBytes
                    look.details[.variables] += written
                } else {
                    shares[.mapped] += written
                    shares[.files] += area.residentBytes - written
                }
                continue
            case .stack:
                shares[.stacks] += area.residentBytes
                continue
            case .anonymous, .programBreak: break
            }
            let mapped = Self.resident(pieces[index], in: area, residentBytes)
            shares[.mapped] += mapped
            let rest = area.residentBytes - mapped
            let held = blocks[index]
            if area.isShared {
                shares[.files] += rest
            } else if held.largeCount > 0, held.smallBytes == 0, layout == .glibc, !isArena(area) {
                shares[.live] += min(rest, held.largeResident)
            } else if held.largeCount > 0 || held.smallBytes > 0 || isAllocators(area) {
                let live = min(rest, held.smallBytes + held.largeResident)
                shares[.live] += live
                shares[.allocator] += rest - live
                if held.smallBytes == 0 || fill.knows(index) {
                    addPages(fill.pages(index), largeResident: held.largeResident, of: rest, to: &look.details)
                }
                if area.kind != .programBreak, layout == .glibc, isArena(area) {
                    look.details[.arenas] += max(1, area.bytes / Self.arenaAlignment)
                    look.details[.arenaFree] += rest - live
                }
                if held.largeCount > 0 || held.smallBytes > 0 { found.append(area.start..<area.end) }
            } else if index > 0, areas[index - 1].kind == .file, areas[index - 1].end == area.start {
                // Variables of the file before it that have no place in it.
                shares[.files] += rest
                look.details[.variables] += rest
            } else if isThreadStack(area, behind: index > 0 ? areas[index - 1] : nil) {
                shares[.stacks] += rest
            } else if layout == .whole, rest > 0, heap.hasHeldBlock(near: area.start..<area.end) {
                if area.isUnreserved { heldUnreserved += rest } else { freed += rest }
            } else if area.isUnreserved {
                unreserved += rest
            }
        }
        let own = min(unreserved + heldUnreserved, ownBytes > ownFile ? ownBytes - ownFile : 0)
        freed += heldUnreserved - min(heldUnreserved, own - min(unreserved, own))
        shares[.own] += own
        shares[.allocator] += freed
        look.details[.emptyPages] += freed
        let explained = shares.sum
        shares[.other] = all > explained ? all - explained : 0
        if layout == .whole { remember(found) }
        look.uses = shares
        if look.details[.sparsePages] >= Self.notableSparse { look.pins = Self.pins(fill, areas, heap) }
        return look
    }

    /// Adds the resident bytes of an area of the allocator on which no live block lies, or hardly any.
    private func addPages(
        _ pages: (taken: UInt64, sparse: UInt64, sparseLive: UInt64),
        largeResident: UInt64,
        of resident: UInt64,
        to details: inout MemoryDetails
    ) {
        let taken = pages.taken + largeResident
        details[.emptyPages] += resident > taken ? resident - taken : 0
        // Blocks that were swapped out pin nothing.
        details[.sparsePages] += min(resident, pages.sparse)
        details[.sparseLive] += min(resident, pages.sparseLive)
    }

    private static func pins(
        _ fill: PageFill,
        _ areas: [MemoryArea],
        _ heap: borrowing ProcessHeap
    ) -> [MemoryLook.Pin] {
        var bytes: [StackID: Double] = [:]
        heap.forEachLive { block in
            guard block.size < large, let index = index(of: block.address, in: areas) else { return }
            fill.forEachPinned(by: block, at: index, in: areas[index]) { bytes[block.stack, default: 0] += $0 }
        }
        let all = bytes.map { MemoryLook.Pin(stack: $0.key, bytes: UInt64($0.value)) }
        return Array(all.sorted { ($1.bytes, $0.stack.rawValue) < ($0.bytes, $1.stack.rawValue) }.prefix(maximumPins))
    }

    /// Ranges that meet are one: the program break may be moved by small steps.
    private static func add(_ range: Range<UInt64>, to pieces: inout [Range<UInt64>]) {
        if let last = pieces.last, last.upperBound == range.lowerBound {
            pieces[pieces.count - 1] = last.lowerBound..<range.upperBound
        } else {
            pieces.append(range)
        }
    }

    private static func resident(
        _ pieces: [Range<UInt64>],
        in area: MemoryArea,
        _ residentBytes: (Range<UInt64>) -> UInt64
    ) -> UInt64 {
        guard !pieces.isEmpty, area.residentBytes > 0 else { return 0 }
        let covered = pieces.reduce(UInt64(0)) { $0 + UInt64($1.count) }
        if covered >= area.bytes { return area.residentBytes }
        return min(area.residentBytes, pieces.reduce(0) { $0 + residentBytes($1) })
    }

    private func isArena(_ area: MemoryArea) -> Bool {
        area.kind == .programBreak || area.start % Self.arenaAlignment == 0
    }

    /// True where the allocator's free memory is, though no block lives there now.
    private func isAllocators(_ area: MemoryArea) -> Bool {
        switch layout {
        case .glibc: return isArena(area)
        case .whole:
            guard area.kind != .programBreak else { return true }
            let index = Self.index(of: area.start, in: known)
            return index.map { known[$0].contains(area.start) } ?? false
        }
    }

    /// True behind a guard: glibc and musl make stacks so (pthread_create(3)).
    private func isThreadStack(_ area: MemoryArea, behind guardArea: MemoryArea?) -> Bool {
        guard let guardArea, guardArea.isForbidden, guardArea.end == area.start, !area.isForbidden else { return false }
        return guardArea.bytes <= Self.maximumGuard
    }

    private mutating func remember(_ found: [Range<UInt64>]) {
        var merged: [Range<UInt64>] = []
        for range in (known + found).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound {
                merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        known = merged.count > Self.maximumKnown ? found : merged
    }

    // MARK: Binary searches

    private static func firstIndex(endingAfter address: UInt64, in areas: [MemoryArea]) -> Int {
        var (low, high) = (0, areas.count)
        while low < high {
            let middle = (low + high) / 2
            if areas[middle].end > address { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private static func index(of address: UInt64, in areas: [MemoryArea]) -> Int? {
        let index = firstIndex(endingAfter: address, in: areas)
        return index < areas.count && areas[index].start <= address ? index : nil
    }

    /// The index of the last range that begins at or before the address.
    private static func index(of address: UInt64, in ranges: [Range<UInt64>]) -> Int? {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].lowerBound <= address { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? low - 1 : nil
    }
}
