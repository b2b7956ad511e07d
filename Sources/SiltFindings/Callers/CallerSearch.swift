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
/// makes the content, which stays, and the vector's memory, which is replaced.
///
/// What is left behind counts only if it allocates enough to be compared: one lone early block acquits nobody. Recursion
/// counts once. An interpreter's loop is nobody's caller, and code without a name only where there is nothing else.
struct CallerSearch {
    /// Stacks of a site that share the callers up to a distinguishing one, or what the blamed function allocates through.
    struct Group {
        enum Way {
            case caller(row: Int, frame: UInt32)
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
        var stack: UInt32
        var grownStacks: Int
    }

    /// What is said of a site's callers.
    struct Answer {
        /// Those that grow and are not the whole site; none when the site is best seen as one.
        var groups: [Group] = []
        /// Of a site that grows as one: the stack that grew most, and how many grew; nil when none did.
        var grown: (stack: UInt32, count: Int)?
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
    /// What is left behind has this share of the blocks, or at least of the bytes in a few blocks.
    private static let (substantialBlocks, substantialBytes) = (0.05, 0.25)
    /// Fewer blocks than these are chance, whatever share they are; of large ones one more is asked for.
    private static let (minimumBlocks, minimumLarge) = (2.0, 3.0)
    /// More growth is worth innocent blocks up to twice its own share of them.
    private static let worthwhile = 0.5
    /// Callers this close to the purest are as pure: the weightiest of them is taken.
    private static let nearlyPure = 0.9
    /// Callers that are judged for each one found, and ways inward.
    private static let maximumAsked = 8
    /// Partings outward of a caller that is found, at which it is told apart further.
    private static let partings = 3
    /// Stacks that callers are looked for in: those that grew or allocated most.
    private static let sampled = 2048

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

    /// One stack of the site; a class, because lists of them are made anew for each candidate.
    private final class Path {
        /// In `Part.stacks`.
        let member: Int
        let stack: UInt32
        let allocatedBytes: Double
        let allocatedCount: Double
        let history: SiteHistory?
        /// Bytes and blocks that stayed while the judge looked.
        var weight = 0.0
        var count = 0.0
        /// The way outward, once it has been asked for.
        private var known: [CallerWays.Step]?

        func steps(_ ways: CallerWays) -> [CallerWays.Step] {
            if let known { return known }
            let steps = ways.steps(of: stack)
            known = steps
            return steps
        }

        init(member: Int, stack: UInt32, _ counters: RecordedCounters, _ history: SiteHistory?) {
            (self.member, self.stack, self.history) = (member, stack, history)
            (allocatedBytes, allocatedCount) = (Double(counters.allocatedBytes), Double(counters.allocatedCount))
        }
    }

    /// A function, or a line of it, and the stacks that pass through it.
    private struct Candidate {
        var key: UInt64
        var isLine: Bool
        var step: CallerWays.Step
        var heaviest = -1.0
        var weight = 0.0
        var count = 0.0
        var allocated = 0.0
        var distance = 0.0
        var members = 0
        /// Equal for equal sets of stacks.
        var fingerprint: UInt64 = 0

        mutating func add(_ path: Path, _ step: CallerWays.Step, _ distance: Int) {
            if path.weight > heaviest { (self.step, heaviest) = (step, path.weight) }
            weight += path.weight
            count += path.count
            allocated += path.allocatedCount
            self.distance += Double(distance)
            members += 1
            fingerprint &+= (UInt64(path.member) &+ 1) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(path.member) << 20
        }
    }

    private struct Found {
        var candidate: Candidate
        var paths: [Path]
        var verdict: GrowthVerdict
    }

    /// `verdict`: of all stacks together, with what the group knows beyond its stacks' histories.
    func answer(of part: CallSites.Part, verdict: GrowthVerdict, clock: ProcessClock) -> Answer {
        let isGrowing = verdict.verdict.isGrowing
        guard isGrowing || part.stacks.count > 1 else { return Answer() }
        let paths = paths(of: part)
        // Most sites keep next to nothing: whether what they keep is steady need not be asked.
        let survivors = paths.reduce(0) { $0 + ($1.history.map { judge.survivors($0).count } ?? 0) }
        guard isGrowing || Double(survivors) >= Self.minimumSurvivors else { return Answer() }
        for path in paths {
            guard let history = path.history else { continue }
            (path.weight, path.count) = judge.steadySurvivors(history, clock)
        }
        let groups = groups(among: paths, verdict, clock)
        return groups.isEmpty && isGrowing ? Answer(grown: growth(paths)) : Answer(groups: groups)
    }

    private func groups(among paths: [Path], _ verdict: GrowthVerdict, _ clock: ProcessClock) -> [Group] {
        guard paths.count > 1, paths.reduce(0, { $0 + $1.count }) >= Self.minimumSurvivors else { return [] }
        ways.forget()
        var found: [Found] = []
        if verdict.verdict.isGrowing {
            if let one = single(paths, verdict, clock) {
                let narrow = narrowed(one, clock)
                // What has all of the growth may have several causes beside innocent blocks.
                let few = several(narrow.paths, narrow.verdict, clock)
                found = few.isEmpty ? split(narrow, clock) : few
            } else {
                found = several(paths, verdict, clock)
            }
        } else {
            found = hidden(paths, clock)
            if found.isEmpty { return inward(paths, clock) }
        }
        return found.compactMap { one in
            group(one.paths, one.verdict, .caller(row: one.candidate.step.row, frame: one.candidate.step.frame))
        }
    }

    private func group(_ paths: [Path], _ verdict: GrowthVerdict, _ way: Group.Way) -> Group? {
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

    private func growth(_ paths: [Path]) -> (stack: UInt32, count: Int)? {
        var most = (weight: 0.0, stack: UInt32(0))
        var count = 0
        for path in paths where path.count > 0 {
            count += 1
            if path.weight > most.weight { most = (path.weight, path.stack) }
        }
        return count == 0 ? nil : (most.stack, count)
    }

    private func paths(of part: CallSites.Part) -> [Path] {
        part.stacks.enumerated().map { index, stack in
            Path(
                member: index,
                stack: stack.stack,
                ways.recording.counters[stack.row],
                stack.history.flatMap(judge.history)
            )
        }
    }

    // MARK: Looking for callers

    /// One caller that has the growth and leaves innocent blocks behind.
    private func single(_ paths: [Path], _ verdict: GrowthVerdict, _ clock: ProcessClock) -> Found? {
        let all = Sums(paths)
        let candidates = candidates(in: paths) { $0.weight >= Self.shareOfSure * all.weight }
            .filter { all.leavesMuch(besides: $0) }
        for isNamed in [true, false] {
            let asked = candidates.filter { $0.step.isNamed == isNamed }.sorted(by: isPurer)
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
        _ candidate: Candidate,
        in paths: [Path],
        _ verdict: GrowthVerdict,
        _ clock: ProcessClock
    ) -> Found? {
        let (inside, rest) = parted(paths, by: candidate)
        guard leavesMuch(rest, besides: inside), let grown = grows(inside, clock), grows(rest, clock) == nil else {
            return nil
        }
        guard isMost([(inside, grown)], of: paths, verdict) else { return nil }
        return Found(candidate: candidate, paths: inside, verdict: grown)
    }

    /// Whether those have most of what grows.
    private func isMost(
        _ found: [(paths: [Path], verdict: GrowthVerdict)],
        of paths: [Path],
        _ verdict: GrowthVerdict
    ) -> Bool {
        let weight = found.reduce(0) { $0 + Sums($1.paths).weight } / max(1, Sums(paths).weight)
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
    /// Only where the blamed function has been found innocent: else what every caller shares is the repair.
    private func split(_ found: Found, _ clock: ProcessClock) -> [Found] {
        guard found.paths.count > 1 else { return [found] }
        func isAt(_ step: CallerWays.Step) -> Bool {
            found.candidate.isLine ? step.line == found.candidate.key : step.function == found.candidate.key
        }
        let outward = found.paths.map { path in
            Array(path.steps(ways).drop { !isAt($0) }.dropFirst().filter(\.isNamed))
        }
        let shared = outward.map(\.count).min() ?? 0
        guard
            let parting = (0..<shared).first(where: { level in
                outward.contains { $0[level].line != outward[0][level].line }
            })
        else { return [found] }
        let children = Dictionary(grouping: found.paths.indices) { outward[$0][parting].function }
        guard children.count > 1, children.count <= Self.maximumCallers else { return [found] }
        var parts: [Found] = []
        for members in children.values {
            let paths = members.map { found.paths[$0] }
            guard let verdict = grows(paths, clock), rank(verdict) >= rank(found.verdict),
                Sums(paths).weight >= 2 * Self.minimumShare * Sums(found.paths).weight,
                let most = members.max(by: { found.paths[$0].weight < found.paths[$1].weight })
            else { return [found] }
            let step = outward[most][parting]
            parts.append(
                Found(
                    candidate: Candidate(key: step.function, isLine: false, step: step),
                    paths: paths,
                    verdict: verdict
                )
            )
        }
        return parts.sorted { ($0.verdict.slope, $1.candidate.key) > ($1.verdict.slope, $0.candidate.key) }
    }

    /// A few callers that each grow; none when what they leave behind is nothing, or grows as well.
    private func several(_ paths: [Path], _ verdict: GrowthVerdict, _ clock: ProcessClock) -> [Found] {
        var rest = paths
        var found: [Found] = []
        let least = Sums(paths).share(Self.minimumShare)
        while found.count < Self.maximumCallers,
            let next = purest(rest, least: least, clock, isEnough: { self.rank($0) >= min(1, self.rank(verdict)) })
        {
            found.append(next)
            rest = parted(rest, by: next.candidate).rest
            guard leavesMuch(rest, besides: found.flatMap(\.paths)) else { return [] }
            if grows(rest, clock) == nil {
                return isMost(found.map { ($0.paths, $0.verdict) }, of: paths, verdict) ? found : []
            }
        }
        return []
    }

    /// Callers that grow under others that replace all they hold.
    private func hidden(_ paths: [Path], _ clock: ProcessClock) -> [Found] {
        var rest = paths
        var found: [Found] = []
        while found.count < Self.maximumCallers,
            let next = purest(rest, least: Sums([]), clock, isEnough: { $0.confidence != .low })
        {
            found.append(next)
            rest = parted(rest, by: next.candidate).rest
        }
        // Where all of it is found, the blamed function was acquitted by chance.
        return rest.isEmpty ? [] : found
    }

    /// What the blamed function allocates in one way, where that grows under what it allocates in others.
    private func inward(_ paths: [Path], _ clock: ProcessClock) -> [Group] {
        let parts = Dictionary(grouping: paths) { ways.inside(of: $0.stack) }
        guard parts.count > 1 else { return [] }
        let asked = parts.map { (inside: $0.key, paths: $0.value, sums: Sums($0.value)) }
            .filter { $0.sums.count >= Self.minimumSurvivors }
            .sorted { ($0.sums.weight, $1.inside) > ($1.sums.weight, $0.inside) }
        return asked.prefix(Self.maximumAsked).compactMap { part in
            guard let verdict = grows(part.paths, clock), verdict.confidence != .low else { return nil }
            return group(part.paths, verdict, .inside(part.inside))
        }
    }

    /// Of the callers that grow the one that keeps most of what it allocates.
    private func purest(
        _ paths: [Path],
        least: Sums,
        _ clock: ProcessClock,
        isEnough: (GrowthVerdict) -> Bool
    ) -> Found? {
        let all = Sums(paths)
        func purity(_ candidate: Candidate) -> Double { candidate.count / max(1, candidate.allocated) }
        let candidates = candidates(in: paths) {
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
                        ? left[one].weight < left[other].weight : isPurer(left[other], left[one])
                }
                guard let next else { break }
                let candidate = left.remove(at: next)
                let inside = parted(paths, by: candidate).inside
                if let verdict = grows(inside, clock), isEnough(verdict) {
                    return Found(candidate: candidate, paths: inside, verdict: verdict)
                }
            }
        }
        return nil
    }

    // MARK: Candidates

    /// One for each distinct set of stacks: the innermost function that has it, one with a name before one without.
    ///
    /// Of those that `isEnough` accepts by what grew in them.
    private func candidates(in paths: [Path], where isEnough: (Candidate) -> Bool) -> [Candidate] {
        let grown = most(paths.filter { $0.count > 0 }) { $0.weight }
        var byKey: [UInt64: Candidate] = [:]
        for path in grown {
            for (distance, step) in path.steps(ways).enumerated() {
                for (key, isLine) in [(step.function, false), (step.line, true)] {
                    byKey[key, default: Candidate(key: key, isLine: isLine, step: step)].add(path, step, distance)
                }
            }
        }
        byKey = byKey.filter { isEnough($0.value) }
        guard !byKey.isEmpty else { return [] }
        let others = most(paths.filter { $0.count == 0 }) { $0.allocatedCount }
        for path in others {
            for (distance, step) in path.steps(ways).enumerated() {
                byKey[step.function]?.add(path, step, distance)
                byKey[step.line]?.add(path, step, distance)
            }
        }
        var bySet: [UInt64: Candidate] = [:]
        for candidate in byKey.values where candidate.members < grown.count + others.count {
            if let known = bySet[candidate.fingerprint], !isNearer(candidate, known) { continue }
            bySet[candidate.fingerprint] = candidate
        }
        return Array(bySet.values)
    }

    /// Those that have most of something, where there are too many to look at.
    private func most(_ paths: [Path], _ value: (Path) -> Double) -> [Path] {
        paths.count <= Self.sampled ? paths : Array(paths.sorted { value($0) > value($1) }.prefix(Self.sampled))
    }

    private func isNearer(_ one: Candidate, _ other: Candidate) -> Bool {
        if one.step.isNamed != other.step.isNamed { return one.step.isNamed }
        // A repair goes where there is source.
        if one.step.hasLine != other.step.hasLine { return one.step.hasLine }
        if one.distance != other.distance { return one.distance < other.distance }
        if one.isLine != other.isLine { return !one.isLine }
        return one.key < other.key
    }

    /// Fewer blocks that do not stay come first.
    private func isPurer(_ one: Candidate, _ other: Candidate) -> Bool {
        if one.allocated != other.allocated { return one.allocated < other.allocated }
        if one.members != other.members { return one.members < other.members }
        return one.key < other.key
    }

    private func parted(_ paths: [Path], by candidate: Candidate) -> (inside: [Path], rest: [Path]) {
        var (inside, rest): ([Path], [Path]) = ([], [])
        let (key, isLine) = (candidate.key, candidate.isLine)
        for path in paths {
            let passes = path.steps(ways).contains { (isLine ? $0.line : $0.function) == key }
            if passes { inside.append(path) } else { rest.append(path) }
        }
        return (inside, rest)
    }

    // MARK: Judging

    private struct Sums {
        var weight = 0.0
        var count = 0.0
        var allocatedCount = 0.0
        var allocatedBytes = 0.0

        init(_ paths: [Path]) {
            for path in paths {
                weight += path.weight
                count += path.count
                allocatedCount += path.allocatedCount
                allocatedBytes += path.allocatedBytes
            }
        }

        /// What stayed, times a share.
        func share(_ share: Double) -> Sums {
            var part = self
            part.weight *= share
            part.count *= share
            return part
        }

        /// A first look, without the bytes.
        func leavesMuch(besides candidate: Candidate) -> Bool {
            allocatedCount - candidate.allocated
                >= min(CallerSearch.minimumLarge, CallerSearch.substantialBlocks * candidate.allocated)
        }
    }

    /// Whether what is left behind is enough to be compared.
    private func leavesMuch(_ rest: [Path], besides inside: [Path]) -> Bool {
        let (left, taken) = (Sums(rest), Sums(inside))
        return left.allocatedCount >= max(Self.minimumBlocks, Self.substantialBlocks * taken.allocatedCount)
            || left.allocatedCount >= Self.minimumLarge
                && left.allocatedBytes >= Self.substantialBytes * taken.allocatedBytes
    }

    private func rank(_ verdict: GrowthVerdict) -> Int { verdict.confidence?.rank ?? 0 }

    /// The verdict on those stacks together when it is growing.
    private func grows(_ paths: [Path], _ clock: ProcessClock) -> GrowthVerdict? {
        guard paths.contains(where: { $0.count > 0 }), budget.left > 0, let history = sum(paths) else { return nil }
        budget.left -= 1
        let verdict = judge.verdict(history, clock)
        return verdict.verdict.isGrowing ? verdict : nil
    }

    private func sum(_ paths: [Path]) -> SiteHistory? { SiteJudge.sum(paths.lazy.compactMap(\.history)) }
}
