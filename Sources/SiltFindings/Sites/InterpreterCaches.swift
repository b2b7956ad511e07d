internal import SiltEvents
internal import SiltGrowth
internal import SiltRecording
internal import SiltSymbols

/// Tells what may be an interpreter's own caches and lists of free objects, which are bounded and fill as evenly as a leak.
///
/// CPython keeps up to 4,096 names of attributes, and 2,000 tuples of each length: whatever a script allocates through its
/// loop, by functions of the interpreter itself and in small blocks, may be those. Where all of it together is more than
/// they hold, it is charged.
struct InterpreterCaches {
    private struct Place: Hashable {
        var process: Int?
        var phase: Int?
    }

    private let recording: Recording
    private let names: FrameNames
    /// Blocks of all sites that may be of caches.
    private var sums: [Place: Double] = [:]

    /// `shares`: those of all processes and phases; what is charged no longer is of no cache either.
    init(_ recording: Recording, _ names: FrameNames, shares: [SiteShare]) {
        (self.recording, self.names) = (recording, names)
        for share in shares {
            if let blocks = blocks(share) { sums[place(share), default: 0] += blocks }
        }
    }

    /// The opinion on a share, which is charged only where it is more than caches hold.
    func checked(_ share: SiteShare) -> SiteOpinion {
        guard blocks(share) != nil, let sum = sums[place(share)],
            sum < GrowthLimits.cacheBlocks * Double(processes(of: share))
        else { return share.opinion }
        return share.opinion.leftOpen(.inCaches(blocks: sum, share.opinion.evidence.phase))
    }

    private func place(_ share: SiteShare) -> Place {
        share.phase == nil ? Place(process: share.process) : Place(phase: share.phase)
    }

    private func processes(of share: SiteShare) -> Int {
        Set(share.rows.lazy.map { recording.counters[$0].process }).count
    }

    /// What stayed of a share that may be of caches; nil for others.
    private func blocks(_ share: SiteShare) -> Double? {
        guard share.resource == .heap, share.opinion.isGrowing,
            let blocks = share.opinion.evidence.verdict?.blocksOfCaches, recording.isOfPython(share.blame),
            isOfScript(share)
        else { return nil }
        return blocks
    }

    /// Whether some of it is allocated through an interpreter's loop.
    func isOfScript(_ share: SiteShare) -> Bool {
        share.rows.contains { row in
            names.walk(from: recording.counters[row].stack, in: recording)
                .contains { $0.rows.contains { names.rows[$0].isLoop } }
        }
    }
}

extension Recording {
    /// Whether a place is in CPython itself.
    func isOfPython(_ place: FrameNames.Place) -> Bool {
        Interpreter(file: path(ofModule: frames[place.frame].module)) == .python
    }
}
