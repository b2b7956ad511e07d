internal import SiltEvents

/// The address ranges a program mapped itself: maps replace what they cover, unmaps may cut pieces out.
///
/// A mapping that is cut stays one mapping until its last piece is gone.
struct MappingTable {
    private struct Piece {
        var start: UInt64
        var end: UInt64
        /// In `mappings`.
        var mapping: UInt64
    }

    private struct Mapping {
        var stack: StackID
        var birth: UInt32
        var pieces = 1
    }

    /// In order of address, without overlap.
    private var pieces: [Piece] = []
    private var mappings: [UInt64: Mapping] = [:]
    /// Mappings ever made: the newest one's number.
    private var made: UInt64 = 0

    init() {}

    /// Adds a mapping where none is; false, and nothing done, when there is no such range.
    mutating func map(_ block: LiveBlock) -> Bool {
        let end = block.address.addingReportingOverflow(block.size)
        guard block.size > 0, !end.overflow else { return false }
        made += 1
        mappings[made] = Mapping(stack: block.stack, birth: block.birth)
        let piece = Piece(start: block.address, end: end.partialValue, mapping: made)
        pieces.insert(piece, at: firstIndex(endingAfter: block.address))
        return true
    }

    /// Takes a range out; `removed` is told of each part of a mapping that was in it, and whether nothing else is left.
    mutating func unmap(_ start: UInt64, _ length: UInt64, _ removed: (_ part: LiveBlock, _ isLast: Bool) -> Void) {
        let sum = start.addingReportingOverflow(length)
        let end = sum.overflow ? UInt64.max : sum.partialValue
        guard start < end else { return }
        let first = firstIndex(endingAfter: start)
        var last = first
        var kept: [Piece] = []
        while last < pieces.count, pieces[last].start < end {
            let old = pieces[last]
            last += 1
            let before = kept.count
            if old.start < start { kept.append(Piece(start: old.start, end: start, mapping: old.mapping)) }
            if old.end > end { kept.append(Piece(start: end, end: old.end, mapping: old.mapping)) }
            guard var mapping = mappings[old.mapping] else { continue }
            mapping.pieces += kept.count - before - 1
            mappings[old.mapping] = mapping.pieces > 0 ? mapping : nil
            let from = max(old.start, start)
            let part = LiveBlock(
                address: from,
                size: min(old.end, end) - from,
                stack: mapping.stack,
                birth: mapping.birth
            )
            removed(part, mapping.pieces == 0)
        }
        pieces.replaceSubrange(first..<last, with: kept)
    }

    /// Every piece, by address.
    func visit(_ body: (_ range: Range<UInt64>, _ stack: StackID) -> Void) {
        for piece in pieces {
            if let mapping = mappings[piece.mapping] { body(piece.start..<piece.end, mapping.stack) }
        }
    }

    /// Binary search.
    private func firstIndex(endingAfter address: UInt64) -> Int {
        var low = 0
        var high = pieces.count
        while low < high {
            let middle = (low + high) / 2
            if pieces[middle].end > address { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
