internal import SiltEvents
internal import SiltGrowth
internal import SiltHeap
internal import SiltRecording

/// A leak spread so thin over call sites that none of them says anything: an interpreter's objects, generated code.
///
/// Takes the stacks of all sites of a process that are too thin to be judged, or only just, judges them as one, and names the innermost
/// function through which most of their survivors were allocated.
enum ThinSites {
    struct Finding {
        /// Row and frame of the function.
        var blame: (row: Int, frame: FrameID)
        /// Part and member, as in `CallSites.parts[part].stacks[member]`.
        var members: [(part: Int, member: Int)]
        var verdict: GrowthVerdict
        /// That of its members together.
        var history: SiteHistory
        /// The member with most survivors.
        var stack: StackID
        /// Blamed functions and lines it was spread over.
        var siteCount: Int
    }

    private static let share = 0.8
    /// With fewer survivors a growing site is not sure (`FreeRunningJudge`, confidence), and may be part of something bigger.
    static let fewSurvivors: UInt64 = 12
    /// One site with more than this share of the survivors is not thin.
    private static let maximumShare = 0.34

    /// `candidates`: parts of one process, with those of their stacks that belong to nothing that surely grows.
    static func find(
        _ candidates: [(part: Int, members: [Int])],
        _ sites: CallSites,
        _ recording: Recording,
        _ names: FrameNames,
        _ judge: SiteJudge,
        _ clock: ProcessClock
    ) -> Finding? {
        struct Thin {
            var part: Int
            var member: Int
            var stack: StackID
            var history: SiteHistory
            var bytes: UInt64
        }
        var thin: [Thin] = []
        for (part, members) in candidates {
            for member in members {
                let stack = sites.parts[part].stacks[member]
                guard let history = stack.history.flatMap(judge.history) else { continue }
                let survivors = judge.survivors(history)
                guard survivors.count > 0 else { continue }
                thin.append(
                    Thin(part: part, member: member, stack: stack.stack, history: history, bytes: survivors.bytes)
                )
            }
        }
        guard thin.count > 1, grows(thin.map(\.history), judge, clock) != nil else { return nil }

        var byPart: [Int: Double] = [:]
        for item in thin { byPart[item.part, default: 0] += Double(item.bytes) }
        guard (byPart.values.max() ?? 0) <= maximumShare * byPart.values.reduce(0, +) else { return nil }

        // Bytes through each function, and how far out it is: the innermost with enough of them is the one.
        struct Passing {
            var weight = 0.0
            var distance = 0.0
            var heaviest: UInt64 = 0
            var place = (row: 0, frame: FrameID.none)
        }
        var passing: [UInt64: Passing] = [:]
        var total = 0.0
        for item in thin {
            let bytes = item.bytes
            total += Double(bytes)
            var distance = 0.0
            var seen = Set<UInt64>()
            walk(item.stack, recording, names) { row, frame in
                distance += 1
                let key = names.functionKey(ofRow: row, frame: frame, in: recording)
                guard seen.insert(key).inserted else { return }
                var entry = passing[key] ?? Passing()
                entry.weight += Double(bytes)
                entry.distance += Double(bytes) * distance
                if entry.place.frame == .none || bytes > entry.heaviest {
                    entry.heaviest = bytes
                    entry.place = (row, frame)
                }
                passing[key] = entry
            }
        }
        let best = passing.filter { $0.value.weight >= share * total }.min {
            ($0.value.distance / $0.value.weight, $0.key) < ($1.value.distance / $1.value.weight, $1.key)
        }
        guard let best else { return nil }
        let inside = thin.filter { item in
            var passes = false
            walk(item.stack, recording, names) { row, frame in
                passes = passes || names.functionKey(ofRow: row, frame: frame, in: recording) == best.key
            }
            return passes
        }
        guard let found = grows(inside.map(\.history), judge, clock),
            let heaviest = inside.max(by: { $0.bytes < $1.bytes })
        else { return nil }
        return Finding(
            blame: best.value.place,
            members: inside.map { ($0.part, $0.member) },
            verdict: found.verdict,
            history: found.history,
            stack: heaviest.stack,
            siteCount: Set(inside.map { sites.parts[$0.part].site }).count
        )
    }

    /// Only a sure verdict counts: everything that was acquitted alone is asked again here.
    private static func grows(
        _ histories: [SiteHistory],
        _ judge: SiteJudge,
        _ clock: ProcessClock
    ) -> (verdict: GrowthVerdict, history: SiteHistory)? {
        guard let sum = SiteJudge.sum(histories) else { return nil }
        let verdict = judge.verdict(sum, clock)
        return verdict.verdict == .growing && verdict.confidence == .high ? (verdict, sum) : nil
    }

    /// From the blame frame outward, wrappers left out.
    private static func walk(
        _ stack: StackID,
        _ recording: Recording,
        _ names: FrameNames,
        _ body: (_ row: Int, _ frame: FrameID) -> Void
    ) {
        let (start, blameRow) = names.blame(ofStack: stack)
        for step in names.walk(from: start, in: recording) {
            let isBlame = step.node == start
            for row in (isBlame ? blameRow : step.rows.lowerBound)..<step.rows.upperBound
            where isBlame && row == blameRow || names.rows[row].kind == .program && !names.rows[row].isLoop {
                body(row, step.frame)
            }
        }
    }
}
