internal import SiltGrowth
internal import SiltHeap
internal import SiltRecording

/// Which callers of a blamed function its growing blocks have in common (docs/groups.md).
///
/// Goes outward from the blame frame, one function at a time. Where the ways part, callers are judged apart: while a few
/// of them carry at least 80 % of the survivors, or of the growth (50 % when they surely grow), and the rest would be
/// acquitted together, the search goes on in those alone; the outermost caller at which something innocent was left behind distinguishes. Where every caller grows, or
/// none does by itself (an interpreter, a parser), the blamed function says it all.
///
/// Two callers that leak on their own are two groups, each with its own rate. A function that as a whole is acquitted,
/// because clean callers replace what they hold all the time, is searched for a caller that grows by itself; that one
/// must be at least of medium confidence, since many are asked. Recursion counts once: a function that is already on
/// the way is stepped over, so that the same call chain at ten depths is one.
struct CallerSearch {
    /// Stacks of a site that share the callers up to a distinguishing one.
    struct Group {
        /// Row and frame of the distinguishing caller.
        var caller: (row: Int, frame: UInt32)
        /// In `Part.stacks`.
        var members: [Int]
        var verdict: GrowthVerdict
        /// That of its members together.
        var history: SiteHistory
        /// The member with most survivors.
        var stack: UInt32
    }

    private static let share = 0.8
    /// The same when each of them surely grows.
    private static let shareOfSure = 0.5
    /// Callers that are still "a few".
    private static let few = 4
    /// Functions followed outward.
    private static let levels = 64
    /// Callers judged at a parting, those with most survivors.
    private static let judgedChildren = 8
    /// Partings at which a function that does not grow is searched further.
    private static let partings = 3
    /// Fewer survivors are never of medium confidence (`FreeRunningJudge`, confidence).
    private static let leastSurvivors: UInt64 = 6

    private let recording: Recording
    private let names: FrameNames
    private let judge: SiteJudge
    private let budget: Budget

    /// Groups that may still be judged, for the whole report: 700,000 stacks must not take minutes.
    final class Budget {
        var left = 20_000
    }

    init(_ recording: Recording, _ names: FrameNames, _ judge: SiteJudge, _ budget: Budget) {
        self.recording = recording
        self.names = names
        self.judge = judge
        self.budget = budget
    }

    /// One stack on its way outward.
    private struct Path {
        /// In `Part.stacks`.
        var member: Int
        /// The node of the trie it has been followed to, and the row of its frame.
        var node: UInt32
        var row: Int
        var weight: UInt64
        var count: UInt64
        var history: SiteHistory?
    }

    /// Groups that grow and are not the whole site; none when the site is best seen as one.
    ///
    /// `verdict`: of all stacks together, with what the group knows beyond its stacks' histories.
    func groups(of part: CallSites.Part, verdict: GrowthVerdict, clock: ProcessClock) -> [Group] {
        guard part.stacks.count > 1, part.stacks.contains(where: { $0.history != nil }) else { return [] }
        let paths = part.stacks.enumerated().map { index, stack -> Path in
            let (node, row) = names.blame(ofStack: stack.stack, in: recording)
            let history = stack.history.flatMap(judge.history)
            let survivors = history.map(judge.survivors) ?? (bytes: 0, count: 0)
            return Path(
                member: index,
                node: node,
                row: row,
                weight: survivors.bytes,
                count: survivors.count,
                history: history
            )
        }
        guard paths.reduce(0, { $0 + $1.count }) >= Self.leastSurvivors else { return [] }
        var search = Search(part: part, clock: clock)
        follow(paths, verdict: verdict, seen: [functionKey(paths[0])], caller: nil, partings: 0, &search)
        return search.found
    }

    private struct Search {
        var part: CallSites.Part
        var clock: ProcessClock
        var found: [Group] = []
    }

    private func follow(
        _ start: [Path],
        verdict: GrowthVerdict,
        seen visited: Set<UInt64>,
        caller first: (row: Int, frame: UInt32)?,
        partings: Int,
        _ search: inout Search
    ) {
        var paths = start
        var seen = visited
        var caller = first
        var verdict = verdict
        for _ in 0..<Self.levels where paths.count > 1 && budget.left > 0 {
            for index in paths.indices { advance(&paths[index], past: seen) }
            let key = lineKey(paths[0])
            if paths.allSatisfy({ lineKey($0) == key }) {
                guard paths[0].node != 0 else { break }
                seen.insert(functionKey(paths[0]))
                // A caller without a name says little: the next one that all of them have serves as well.
                if let known = caller, !isNamed(known.row) { caller = (paths[0].row, frame(paths[0])) }
                continue
            }
            let children = Dictionary(grouping: paths, by: lineKey).values.sorted { weight($0) > weight($1) }
            let growing = children.prefix(Self.judgedChildren).compactMap { child in
                grows(child, search.clock).map { (paths: child, verdict: $0) }
            }
            if !verdict.verdict.isGrowing {
                for child in growing where child.verdict.confidence != .low && child.paths[0].node != 0 {
                    descend(child, seen, partings, &search)
                }
                guard partings < Self.partings else { return }
                let charged = Set(growing.map { lineKey($0.paths[0]) })
                for child in children.prefix(Self.judgedChildren) where !charged.contains(lineKey(child[0])) {
                    let count = child.reduce(0) { $0 + $1.count }
                    guard child.count > 1, count >= Self.leastSurvivors, child[0].node != 0 else { continue }
                    let next = seen.union([functionKey(child[0])])
                    follow(child, verdict: verdict, seen: next, caller: nil, partings: partings + 1, &search)
                }
                return
            }
            let charged = Set(growing.map { lineKey($0.paths[0]) })
            let rest = paths.filter { !charged.contains(lineKey($0)) }
            // Of what grows: a cache that filled early is among the survivors too.
            let slopes = growing.reduce(0) { $0 + $1.verdict.slope }
            let share = max(
                weight(growing.flatMap(\.paths)) / max(1, weight(paths)),
                slopes / max(verdict.slope, .leastNonzeroMagnitude)
            )
            let areSure = growing.allSatisfy { $0.verdict.confidence == .high }
            let least = areSure ? Self.shareOfSure : Self.share
            guard !growing.isEmpty, growing.count <= Self.few, share >= least, !rest.isEmpty,
                growing.allSatisfy({ $0.paths[0].node != 0 }), grows(rest, search.clock) == nil,
                growing.count == 1 || isInnocent(rest, beside: growing.flatMap(\.paths), search.part)
            else { break }
            if growing.count > 1 {
                for child in growing { descend(child, seen, partings, &search) }
                return
            }
            paths = growing[0].paths
            verdict = growing[0].verdict
            caller = (paths[0].row, frame(paths[0]))
            seen.insert(functionKey(paths[0]))
        }
        guard let caller, verdict.verdict.isGrowing, let history = sum(paths) else { return }
        search.found.append(
            Group(
                caller: caller,
                members: paths.map(\.member),
                verdict: verdict,
                history: history,
                stack: search.part.stacks[paths.max { $0.weight < $1.weight }?.member ?? 0].stack
            )
        )
    }

    private func descend(
        _ child: (paths: [Path], verdict: GrowthVerdict),
        _ seen: Set<UInt64>,
        _ partings: Int,
        _ search: inout Search
    ) {
        let first = child.paths[0]
        var caller = (row: first.row, frame: frame(first))
        let next = seen.union([functionKey(first)])
        guard child.paths.count > 1 else {
            guard let history = child.paths.first?.history else { return }
            var outward = first
            while outward.node != 0, !isNamed(outward.row) { advance(&outward, past: seen) }
            if outward.node != 0 { caller = (outward.row, frame(outward)) }
            search.found.append(
                Group(
                    caller: caller,
                    members: [first.member],
                    verdict: child.verdict,
                    history: history,
                    stack: search.part.stacks[first.member].stack
                )
            )
            return
        }
        follow(child.paths, verdict: child.verdict, seen: next, caller: caller, partings: partings, &search)
    }

    /// Several growing callers are told apart only from callers that allocate as well and keep little of it.
    private func isInnocent(_ rest: [Path], beside growing: [Path], _ part: CallSites.Part) -> Bool {
        func allocated(_ paths: [Path]) -> Double {
            paths.reduce(0) { $0 + Double(recording.counters[part.stacks[$1.member].row].allocatedCount) }
        }
        return allocated(rest) >= 0.1 * allocated(growing)
    }

    // MARK: Judging

    private func weight(_ paths: some Sequence<Path>) -> Double { paths.reduce(0) { $0 + Double($1.weight) } }

    /// The verdict on those stacks together when it is growing.
    private func grows(_ paths: [Path], _ clock: ProcessClock) -> GrowthVerdict? {
        guard paths.reduce(0, { $0 + $1.count }) > 0, budget.left > 0, let history = sum(paths) else { return nil }
        budget.left -= 1
        let verdict = judge.verdict(history, clock)
        return verdict.verdict.isGrowing ? verdict : nil
    }

    private func sum(_ paths: [Path]) -> SiteHistory? { SiteJudge.sum(paths.lazy.compactMap(\.history)) }

    // MARK: Walking

    /// To the next function outward that is no wrapper and not yet on the way; node 0 past the outermost.
    private func advance(_ path: inout Path, past seen: Set<UInt64>) {
        while path.node != 0 {
            let frame = frame(path)
            if frame != 0, path.row + 1 < names.ranges[Int(frame) - 1].upperBound {
                path.row += 1
            } else {
                path.node = recording.stacks[Int(path.node) - 1].parent
                guard path.node != 0 else { return }
                let next = self.frame(path)
                guard next != 0 else { continue }
                path.row = names.ranges[Int(next) - 1].lowerBound
            }
            if names.rows[path.row].kind == .program, !seen.contains(functionKey(path)) { return }
        }
    }

    private func frame(_ path: Path) -> UInt32 { path.node == 0 ? 0 : recording.stacks[Int(path.node) - 1].frame }

    private func isNamed(_ row: Int) -> Bool { names.rows[row].function != 0 }

    /// The function a path is at.
    private func functionKey(_ path: Path) -> UInt64 {
        names.functionKey(ofRow: path.row, frame: frame(path), in: recording)
    }

    /// The function and line a path is at; 0 past the outermost.
    private func lineKey(_ path: Path) -> UInt64 {
        guard path.node != 0 else { return 0 }
        return functionKey(path) &* 1_000_003 &+ UInt64(names.rows[path.row].line) &+ 1
    }
}

extension FrameNames {
    /// Tells functions apart; frames without a name by their address.
    func functionKey(ofRow row: Int, frame: UInt32, in recording: Recording) -> UInt64 {
        let function = rows[row].function
        return function == 0 ? UInt64(frame) << 32 : UInt64(function)
    }
}
