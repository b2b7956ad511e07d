internal import SiltEvents
internal import SiltGrowth
internal import SiltRecording
internal import SiltSymbols

/// Tells what an interpreter may keep of its own accord (`ObjectKeeper`): caches and lists of free objects, which are bounded
/// and fill as evenly as a leak, and what waits for its collector.
///
/// Whatever a script allocates through its loop, by functions of the interpreter itself, may be those. Where all of it
/// together is more than they hold, it is charged.
struct InterpreterCaches {
    private struct Place: Hashable {
        var keeper: ObjectKeeper
        var process: Int?
        var phase: Int?
    }

    private let recording: Recording
    private let names: FrameNames
    /// Of all sites that may be of caches.
    private var sums: [Place: (blocks: Double, bytes: Double)] = [:]

    /// `shares`: those of all processes and phases; what is charged no longer is of no cache either.
    init(_ recording: Recording, _ names: FrameNames, shares: [SiteShare]) {
        (self.recording, self.names) = (recording, names)
        for share in shares {
            guard let place = place(share), let facts = share.opinion.evidence.verdict?.facts else { continue }
            sums[place, default: (0, 0)].blocks += facts.survivors
            sums[place, default: (0, 0)].bytes += facts.survivorBytes
        }
    }

    /// The opinion on a share, which is charged only where it is more than caches hold.
    func checked(_ share: SiteShare) -> SiteOpinion {
        guard let place = place(share), let sum = sums[place],
            place.keeper.mayKeep(blocks: sum.blocks, bytes: sum.bytes, processes: processes(of: share))
        else { return share.opinion }
        return share.opinion.leftOpen(.inCaches(blocks: sum.blocks, share.opinion.evidence.phase))
    }

    private func processes(of share: SiteShare) -> Int {
        Set(share.rows.lazy.map { recording.counters[$0].process }).count
    }

    /// Whose it may be; nil for a share that is charged otherwise, or not at all.
    private func place(_ share: SiteShare) -> Place? {
        guard share.resource == .heap, share.opinion.isGrowing, let keeper = recording.keeper(of: share.blame),
            let verdict = share.opinion.evidence.verdict, verdict.mayBeKept(inBlocksOf: keeper.blockBytes),
            isOfScript(share)
        else { return nil }
        return Place(keeper: keeper, process: share.phase == nil ? share.process : nil, phase: share.phase)
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
    /// The interpreter that a place is in.
    func keeper(of place: FrameNames.Place) -> ObjectKeeper? {
        ObjectKeeper(file: path(ofModule: frames[place.frame].module))
    }
}
