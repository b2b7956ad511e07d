internal import SiltGrowth
internal import SiltHeap

/// Finds callers of an acquitted function that each enlarge an array of their own, beside others that empty theirs.
///
/// An array is one block that is replaced by a larger one: it leaves no survivors to weigh, and the blocks of an array that is
/// emptied again and again hide it in the sum.
struct GrowingArrays {
    /// What a caller enlarges.
    struct Found {
        var step: CallerWays.Step
        var paths: [SitePath]
        var verdict: GrowthVerdict
    }

    let judge: SiteJudge
    let budget: CallerSearch.Budget

    /// Smaller arrays are not looked for.
    private static let minimumBytes: UInt64 = 4096
    /// Callers that are judged.
    private static let maximumAsked = 8
    /// With more stacks, few of them are an array's.
    private static let maximumStacks = 64

    /// By callers that have no stack in common, those with the fewest first.
    func found(among paths: [SitePath], _ clock: ProcessClock) -> [Found] {
        // Tables double while a program starts.
        if case .freeRunning = judge.question, clock.seconds < GrowthLimits.startSeconds { return [] }
        guard paths.count > 1, paths.count <= Self.maximumStacks else { return [] }
        var found: [Found] = []
        var taken: Set<Int> = []
        for candidate in candidates(paths).prefix(Self.maximumAsked) where budget.left > 0 {
            let members = candidate.members.map { paths[$0] }
            guard taken.isDisjoint(with: candidate.members),
                let history = SiteJudge.sum(members.lazy.compactMap(\.history)),
                judge.survivors(history).bytes >= Self.minimumBytes
            else { continue }
            budget.left -= 1
            let verdict = judge.verdict(history, clock)
            guard verdict.verdict.isGrowing, verdict.reason == .doubling, verdict.confidence != .low else { continue }
            found.append(Found(step: candidate.step, paths: members, verdict: verdict))
            taken.formUnion(candidate.members)
        }
        return found
    }

    /// For each distinct part of the stacks the innermost function that has it; the smallest first.
    private func candidates(_ paths: [SitePath]) -> [(step: CallerWays.Step, members: [Int])] {
        var byFunction: [UInt64: (step: CallerWays.Step, members: [Int], distance: Int)] = [:]
        for (index, path) in paths.enumerated() {
            for (distance, step) in path.steps.enumerated() where step.isNamed {
                byFunction[step.function, default: (step, [], 0)].members.append(index)
                byFunction[step.function]?.distance += distance
            }
        }
        var bySet: [[Int]: (step: CallerWays.Step, distance: Int)] = [:]
        for one in byFunction.values where one.members.count < paths.count {
            if let known = bySet[one.members],
                (known.distance, known.step.function) <= (one.distance, one.step.function)
            {
                continue
            }
            bySet[one.members] = (one.step, one.distance)
        }
        return bySet.map { ($0.value.step, $0.key) }
            .sorted { ($0.members.count, $0.step.function) < ($1.members.count, $1.step.function) }
    }
}
