/// What resident memory of a process is for.
package enum MemoryUse: Int, CaseIterable, Sendable {
    /// Live blocks.
    case live
    /// What the allocator holds in the mappings of live blocks, beside them.
    case allocator
    /// What the program mapped itself.
    case mapped
    case stacks
    /// Files, variables and shared memory.
    case files
    /// silt's part.
    case own
    /// What none of these explains.
    case other

    /// As recordings and JSON have it.
    package var name: String { "\(self)" }

    /// Memory that is neither the allocator's nor of a file.
    package static let outsideMalloc: [MemoryUse] = [.mapped, .stacks, .other]
}

/// An amount for each use of memory.
package struct MemoryUses<Amount: Numeric & Comparable & Sendable>: Equatable, Sendable {
    private var amounts = [Amount](repeating: 0, count: MemoryUse.allCases.count)

    package init() {}

    package subscript(use: MemoryUse) -> Amount {
        get { amounts[use.rawValue] }
        set { amounts[use.rawValue] = newValue }
    }

    /// Without malloc's memory, files, and uses that shrank.
    package var outsideMalloc: Amount { MemoryUse.outsideMalloc.reduce(0) { $0 + max(0, self[$1]) } }

    /// The largest of them.
    package var foremostOutsideMalloc: MemoryUse {
        MemoryUse.outsideMalloc.max { self[$0] < self[$1] } ?? .other
    }

    package static func += (sums: inout MemoryUses, more: MemoryUses) {
        for use in MemoryUse.allCases { sums[use] += more[use] }
    }
}

extension MemoryUses<UInt64> {
    /// Damaged recordings have any numbers.
    package var sum: UInt64 { amounts.reduce(0, &+) }

    /// What each use rose by; negative for those that shrank.
    package func rise(since start: MemoryUses) -> MemoryUses<Double> {
        var rise = MemoryUses<Double>()
        for use in MemoryUse.allCases { rise[use] = Double(self[use]) - Double(start[use]) }
        return rise
    }

    /// What is outside malloc some time after a look at which this was so, from what RSS and the live heap have changed by.
    ///
    /// Blocks that came or went since explain as much of RSS.
    package func outsideMalloc(residentChange: Double, liveChange: Double) -> Double {
        let change =
            residentChange > 0
            ? max(0, residentChange - max(0, liveChange)) : min(0, residentChange - min(0, liveChange))
        return Double(outsideMalloc) + change
    }
}
