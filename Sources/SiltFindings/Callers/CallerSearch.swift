internal import SiltEvents
internal import SiltGrowth
internal import SiltHeap
internal import SiltRecording

/// Which callers of a blamed function its growing blocks have in common (docs/groups.md).
///
/// Every function on the way outward stands for the stacks that pass through it, however they get there. If the blamed
/// function grows, the caller is looked for that has the growth and leaves behind what is acquitted: first one for at least
/// 80 % of the growth (50 % when it surely grows), the one with the fewest innocent blocks, and of those on the same
/// stacks the innermost; else up to four, each of which grows. A function that as a whole is acquitted, because clean
/// callers replace what they hold all the time, is searched for callers that grow by themselves with at least medium
/// confidence, since many are asked; where no caller does, for what it calls to allocate: a line that appends to a vector
/// makes the content, which stays, and the vector's memory, which is replaced; at last for `GrowingArrays`.
///
/// What is left behind counts only if it allocates enough to be compared: one lone early block acquits nobody. Recursion
/// counts once. An interpreter's loop is nobody's caller, and code without a name only where there is nothing else.
struct CallerSearch {
    /// Stacks of a site that share the callers up to a distinguishing one, or what the blamed function allocates through.
    struct Group {
        enum Way {
            case caller(row: Int, frame: FrameID)
            /// The functions that the blamed one allocates through (`CallerWays.inside`).
            case inside(UInt64)
        }

        var way: Way
        /// In `Part.stacks`.
        var members: [Int]
        var verdict: GrowthVerdict
        /// That of its members together.
        var history: SiteHistory
        /// The member that grew most, and how many grew.
        var stack: StackID
        var grownStacks: Int
    }

    /// What is said of a site's callers.
    struct Answer {
        /// Those that grow and are not the whole site; none when the site is best seen as one.
        var groups: [Group] = []
        /// The stack that grew most of a site that grows as one, and how many grew; nil when none did.
        var grown: (stack: StackID, count: Int)?
    }

    /// A few callers stand out that have this share of the growth.
    private static let outstandingShare = 0.8
    /// The same when each of them surely grows.
    private static let shareOfSure = 0.5
    /// Callers that are still "a few".
    private static let maximumCallers = 4
    /// A few of them has at least this share of the growth.
    private static let minimumShare = 0.05
    /// Fewer survivors are never of medium confidence (`FreeRunningJudge`, confidence).
    private static let minimumSurvivors = 6.0
    /// More growth is worth innocent blocks up to twice its own share of them.
    private static let worthwhile = 0.5
    /// Callers this close to the purest are as pure: the weightiest of them is taken.
    private static let nearlyPure = 0.9
    /// Callers that are judged for each one found, and ways inward.
    private static let maximumAsked = 8
    /// Partings outward of a caller that is found, at which it is told apart further.
    private static let partings = 3

    private let ways: CallerWays
    private let judge: SiteJudge
    private let budget: Budget

    /// Groups that may still be judged, for the whole report: 700,000 stacks must not take minutes.
    final class Budget {
        var left = 20_000
    }

    init(_ ways: CallerWays, _ judge: SiteJudge, _ budget: Budget) {
        self.ways = ways
        self.judge = judge
        self.budget = budget
    }

    private struct Found {
        var candidate: CallerCandidate
        var paths: [SitePath]
        var verdict: GrowthVerdict
    }

    /// `verdict`: of all stacks together, with what the group knows beyond its stacks' histories.
    func answer(of part: CallSites.Part, verdict: GrowthVerdict, clock: ProcessClock) -> Answer {
        let isGrowing = verdict.verdict.isGrowing
        guard isGrowing || part.stacks.count > 1 else { return Answer() }
        let paths = paths(of: part)
        // Most sites keep next to nothing: whether what they keep is steady need not be asked.
        let survivors = paths.reduce(0) { $0 + ($1.history.map { judge.survivors($0).count } ?? 0) }
        guard isGrowing || Double(survivors) >= Self.minimumSurvivors else {
            return Answer(groups: arrays(among: paths, clock))
        }
        for path in paths {
            guard let history = path.history else { continue }
            (path.weight, path.count) = judge.steadySurvivors(history, clock)
        }
        let groups = groups(among: paths, verdict, clock)
        return groups.isEmpty && isGrowing ? Answer(grown: growth(paths)) : Answer(groups: groups)
    }

    private func groups(among paths: [SitePath], _ verdict: GrowthVerdict, _ clock: ProcessClock) -> [Group] {
        guard paths.count > 1, paths.reduce(0, { $0 + $1.count }) >= Self.minimumSurvivors else { return [] }
        var found: [Found] = []
        if verdict.verdict.isGrowing {
            if let one = single(paths, verdict, clock) {
                let narrow = narrowed(one, clock)
                // What has all of the growth may have several causes beside innocent blocks.
                let few = several(narrow.paths, narrow.verdict, clock)
                found = few.isEmpty ? split(narrow, of: paths, clock) : few
            } else {
                found = several(paths, verdict, clock)
            }
        } else {
            found = hidden(paths, clock)
            if found.isEmpty {
                let inside = inward(paths, clock)
                return inside.isEmpty ? arrays(among: paths, clock) : inside
            }
        }
        return found.compactMap { one in
            group(one.paths, one.verdict, .caller(row: one.candidate.step.row, frame: one.candidate.step.frame))
        }
    }

    /// Arrays that callers of a function that is acquitted as a whole enlarge.
    private func arrays(among paths: [SitePath], _ clock: ProcessClock) -> [Group] {
        GrowingArrays(judge: judge, budget: budget).found(among: paths, clock).compactMap {
            group($0.paths, $0.verdict, .caller(row: $0.step.row, frame: $0.step.frame))
        }
    }

    private func group(_ paths: [SitePath], _ verdict: GrowthVerdict, _ way: Group.Way) -> Group? {
        guard let history = sum(paths), let most = paths.max(by: { $0.weight < $1.weight }) else { return nil }
        return Group(
            way: way,
            members: paths.map(\.member).sorted(),
            verdict: verdict,
            history: history,
            stack: most.stack,
            grownStacks: paths.count { $0.count > 0 }
        )
    }

    private func growth(_ paths: [SitePath]) -> (stack: StackID, count: Int)? {
        var most = (weight: 0.0, stack: StackID.none)
        var count = 0
        for path in paths where path.count > 0 {
            count += 1
            if path.weight > most.weight { most = (path.weight, path.stack) }
        }
        return count == 0 ? nil : (most.stack, count)
    }

    private func paths(of part: CallSites.Part) -> [SitePath] {
        part.stacks.enumerated().map { index, stack in
            SitePath(
                member: index,
                stack: stack.stack,
                ways.recording.counters[stack.row],
                stack.history.flatMap(judge.history),
                ways
            )
        }
    }

    // MARK: Looking for callers

    /// One caller that has the growth and leaves innocent blocks behind.
    private func single(_ paths: [SitePath], _ verdict: GrowthVerdict, _ clock: ProcessClock) -> Found? {
        let all = PathSums(paths)
        let candidates = paths.candidates { $0.weight >= Self.shareOfSure * all.weight }
            .filter { all.leavesMuch(besides: $0) }
        for isNamed in [true, false] {
            let asked = candidates.filter { $0.step.isNamed == isNamed }.sorted { $0.isPurer(than: $1) }
            var best: Found?
            for candidate in asked.prefix(Self.maximumAsked) {
                if let found = best {
                    // One that has more of the growth and hardly more innocent blocks is no less pure.
                    let more = candidate.count - found.candidate.count
                    let cost = candidate.allocated - found.candidate.allocated
                    guard more > 0, more * found.candidate.allocated >= Self.worthwhile * cost * found.candidate.count
                    else {
                        continue
                    }
                }
                if let found = has(candidate, in: paths, verdict, clock) { best = found }
            }
            if let best { return best }
        }
        return nil
    }

    private func has(
        _ candidate: CallerCandidate,
        in paths: [SitePath],
        _ verdict: GrowthVerdict,
        _ clock: ProcessClock
    ) -> Found? {
        let (inside, rest) = paths.parted(by: candidate)
        guard PathSums(rest).isMuch(besides: PathSums(inside)), let grown = grows(inside, clock),
            grows(rest, clock) == nil
        else {
            return nil
        }
        guard isMost([(inside, grown)], of: paths, verdict) else { return nil }
        return Found(candidate: candidate, paths: inside, verdict: grown)
    }

    /// Whether those have most of what grows.
    private func isMost(
        _ found: [(paths: [SitePath], verdict: GrowthVerdict)],
        of paths: [SitePath],
        _ verdict: GrowthVerdict
    ) -> Bool {
        let weight = found.reduce(0) { $0 + PathSums($1.paths).weight } / max(1, PathSums(paths).weight)
        // A cache that filled early is among what stayed too.
        let slope = found.reduce(0) { $0 + $1.verdict.slope } / max(verdict.slope, .leastNonzeroMagnitude)
        let areSure = found.allSatisfy { $0.verdict.confidence == .high }
        return max(weight, slope) >= (areSure ? Self.shareOfSure : Self.outstandingShare)
    }

    /// The same, told apart further outward.
    private func narrowed(_ first: Found, _ clock: ProcessClock) -> Found {
        var found = first
        for _ in 0..<Self.partings {
            guard found.paths.count > 1, let next = single(found.paths, found.verdict, clock) else { break }
            found = next
        }
        return found
    }

    /// Several callers of a function that only passes on what they ask for, each of which grows: several repairs.
    ///
    /// Only where the blamed function has been found innocent: else what every caller shares is the repair. So it is where
    /// one of them uses the blamed function on other ways too and keeps nothing of that: the way that they share does.
    private func split(_ found: Found, of all: [SitePath], _ clock: ProcessClock) -> [Found] {
        guard found.paths.count > 1 else { return [found] }
        func isAt(_ step: CallerWays.Step) -> Bool {
            found.candidate.isLine ? step.line == found.candidate.key : step.function == found.candidate.key
        }
        let outward = found.paths.map { path in
            Array(path.steps.drop { !isAt($0) }.dropFirst().filter(\.isNamed))
        }
        let shared = outward.map(\.count).min() ?? 0
        guard
            let parting = (0..<shared).first(where: { level in
                outward.contains { $0[level].line != outward[0][level].line }
            })
        else { return [found] }
        let children = Dictionary(grouping: found.paths.indices) { outward[$0][parting].function }
        guard children.count > 1, children.count <= Self.maximumCallers else { return [found] }
        let others = all.parted(by: found.candidate).rest
        var parts: [Found] = []
        for (function, members) in children {
            let paths = members.map { found.paths[$0] }
            let beside = others.filter { path in path.steps.contains { $0.function == function } }
            if PathSums(beside).isMuch(besides: PathSums(paths)) { return [found] }
            guard let verdict = grows(paths, clock), rank(verdict) >= rank(found.verdict),
                PathSums(paths).weight >= 2 * Self.minimumShare * PathSums(found.paths).weight,
                let most = members.max(by: { found.paths[$0].weight < found.paths[$1].weight })
            else { return [found] }
            let step = outward[most][parting]
            parts.append(
                Found(
                    candidate: CallerCandidate(step, isLine: false, number: ways.number(ofFunction: step)),
                    paths: paths,
                    verdict: verdict
                )
            )
        }
        return parts.sorted { ($0.verdict.slope, $1.candidate.key) > ($1.verdict.slope, $0.candidate.key) }
    }

    /// A few callers that each grow; none when what they leave behind is nothing, or grows as well.
    private func several(_ paths: [SitePath], _ verdict: GrowthVerdict, _ clock: ProcessClock) -> [Found] {
        var rest = paths
        var found: [Found] = []
        let least = PathSums(paths).share(Self.minimumShare)
        while found.count < Self.maximumCallers,
            let next = purest(rest, least: least, clock, isEnough: { self.rank($0) >= min(1, self.rank(verdict)) })
        {
            found.append(next)
            rest = rest.parted(by: next.candidate).rest
            guard PathSums(rest).isMuch(besides: PathSums(found.flatMap(\.paths))) else { return [] }
            if grows(rest, clock) == nil {
                return isMost(found.map { ($0.paths, $0.verdict) }, of: paths, verdict) ? found : []
            }
        }
        return []
    }

    /// Callers that grow under others that replace all they hold.
    private func hidden(_ paths: [SitePath], _ clock: ProcessClock) -> [Found] {
        var rest = paths
        var found: [Found] = []
        while found.count < Self.maximumCallers,
            let next = purest(rest, least: PathSums([]), clock, isEnough: { $0.confidence != .low })
        {
            found.append(next)
            rest = rest.parted(by: next.candidate).rest
        }
        // Where all of it is found, the blamed function was acquitted by chance.
        return rest.isEmpty ? [] : found
    }

    /// What the blamed function allocates in one way, where that grows under what it allocates in others.
    private func inward(_ paths: [SitePath], _ clock: ProcessClock) -> [Group] {
        let parts = Dictionary(grouping: paths) { ways.inside(of: $0.stack) }
        guard parts.count > 1 else { return [] }
        let asked = parts.map { (inside: $0.key, paths: $0.value, sums: PathSums($0.value)) }
            .filter { $0.sums.count >= Self.minimumSurvivors }
            .sorted { ($0.sums.weight, $1.inside) > ($1.sums.weight, $0.inside) }
        return asked.prefix(Self.maximumAsked).compactMap { part in
            guard let verdict = grows(part.paths, clock), verdict.confidence != .low else { return nil }
            return group(part.paths, verdict, .inside(part.inside))
        }
    }

    /// The caller that keeps most of what it allocates, among those that grow.
    private func purest(
        _ paths: [SitePath],
        least: PathSums,
        _ clock: ProcessClock,
        isEnough: (GrowthVerdict) -> Bool
    ) -> Found? {
        let all = PathSums(paths)
        func purity(_ candidate: CallerCandidate) -> Double { candidate.count / max(1, candidate.allocated) }
        let candidates = paths.candidates {
            $0.count >= Self.minimumSurvivors && $0.weight > 0
                && ($0.weight >= least.weight || $0.count >= least.count)
        }
        for isNamed in [true, false] {
            var left = candidates.filter { $0.step.isNamed == isNamed && all.leavesMuch(besides: $0) }
            for _ in 0..<Self.maximumAsked {
                let purest = left.map(purity).max() ?? 0
                let pure = left.indices.filter { purity(left[$0]) >= Self.nearlyPure * purest }
                let next = pure.max { one, other in
                    left[one].weight != left[other].weight
                        ? left[one].weight < left[other].weight : left[other].isPurer(than: left[one])
                }
                guard let next else { break }
                let candidate = left.remove(at: next)
                let inside = paths.parted(by: candidate).inside
                if let verdict = grows(inside, clock), isEnough(verdict) {
                    return Found(candidate: candidate, paths: inside, verdict: verdict)
                }
            }
        }
        return nil
    }

    // MARK: Judging

    private func rank(_ verdict: GrowthVerdict) -> Int { verdict.confidence?.rank ?? 0 }

    /// The verdict on those stacks together when it is growing.
    private func grows(_ paths: [SitePath], _ clock: ProcessClock) -> GrowthVerdict? {
        guard paths.contains(where: { $0.count > 0 }), budget.left > 0, let history = sum(paths) else { return nil }
        budget.left -= 1
        let verdict = judge.verdict(history, clock)
        return verdict.verdict.isGrowing ? verdict : nil
    }

    private func sum(_ paths: [SitePath]) -> SiteHistory? { SiteJudge.sum(paths.lazy.compactMap(\.history)) }
}
