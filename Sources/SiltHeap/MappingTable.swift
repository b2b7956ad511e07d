package import SiltEvents

/// The address ranges a program mapped itself: maps replace what they cover, unmaps may cut pieces out.
package struct MappingTable {
    package struct Mapping: Equatable, Sendable {
        package var start: UInt64
        package var end: UInt64
        package var stack: StackID
    }

    /// In order of address, without overlap.
    package private(set) var mappings: [Mapping] = []
    package private(set) var bytes: UInt64 = 0

    package init() {}

    package mutating func map(_ start: UInt64, _ length: UInt64, _ stack: StackID) {
        unmap(start, length)
        let end = start.addingReportingOverflow(length)
        guard length > 0, !end.overflow else { return }
        mappings.insert(Mapping(start: start, end: end.partialValue, stack: stack), at: firstIndex(endingAfter: start))
        bytes += length
    }

    package mutating func unmap(_ start: UInt64, _ length: UInt64) {
        let sum = start.addingReportingOverflow(length)
        let end = sum.overflow ? UInt64.max : sum.partialValue
        guard start < end else { return }
        let first = firstIndex(endingAfter: start)
        var last = first
        var kept: [Mapping] = []
        while last < mappings.count, mappings[last].start < end {
            let old = mappings[last]
            bytes -= min(old.end, end) - max(old.start, start)
            if old.start < start { kept.append(Mapping(start: old.start, end: start, stack: old.stack)) }
            if old.end > end { kept.append(Mapping(start: end, end: old.end, stack: old.stack)) }
            last += 1
        }
        mappings.replaceSubrange(first..<last, with: kept)
    }

    /// Binary search.
    private func firstIndex(endingAfter address: UInt64) -> Int {
        var low = 0
        var high = mappings.count
        while low < high {
            let middle = (low + high) / 2
            if mappings[middle].end > address { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
