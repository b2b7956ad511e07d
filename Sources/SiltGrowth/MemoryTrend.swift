/// Whether memory that no allocation explains still rises in the rounds of one phase of a hunt, or in parts of a free run.
///
/// Heaps that runtimes map themselves rise in jumps, and fall when they are collected. So it is the highest value that
/// counts: while the newer rounds reach a new one, the rise is not over.
package struct MemoryTrend: Equatable, Sendable {
    private typealias Rules = GrowthRules.Memory

    package enum State: Equatable, Sendable {
        /// There is hardly any rise, or it is over.
        case none
        /// It rises, by too little or in too few rounds for a verdict: more rounds tell.
        case open
        /// It rises in each round by little, as small objects do that lie in a heap of the program's own: more rounds tell,
        /// where nothing else is charged, since blocks that an allocator hands out take more than their size.
        case creeping
        case rising
    }

    package private(set) var state = State.none
    /// Each round rose by a good part of what a round of so many requests rises by.
    package private(set) var isSteady = false
    /// From the end of the first round to that of the last.
    package let risen: Double

    /// `bytes`: at the end of the phase's first round, in which things warm up, and of each later one; `loads`: requests of
    /// these later ones, 0 where nobody counted them; `resident`: all that is in memory at the end.
    package init(_ bytes: [Double], loads: [Double], resident: Double) {
        precondition(bytes.count == loads.count + 1, "memory is given for other rounds than loads")
        risen = (bytes.last ?? 0) - (bytes.first ?? 0)
        guard loads.count >= Rules.minimumRounds else { return }
        guard !rises(inNewest: Rules.creepingRounds, by: Rules.clear, bytes, loads, resident) else {
            state = .rising
            return
        }
        if rises(inNewest: Rules.steadyRounds, by: Rules.slight, bytes, loads, resident) { state = .creeping }
        guard isWorth(Rules.open, resident) else { return }
        let newest = max(1, loads.count / 2)
        let before = bytes.dropLast(newest).max() ?? 0
        let gain = (bytes.suffix(newest).max() ?? 0) - before
        let isOver =
            gain <= max(Rules.overBytes, resident * Rules.overShareOfResident) || gain <= Rules.overShare * risen
        isSteady =
            loads.count >= Rules.steadyRounds && rises(inNewest: loads.count, by: Rules.small, bytes, loads, resident)
        if isSteady {
            state = .rising
        } else if !isOver {
            let isPlain = isWorth(Rules.notable, resident) || isCarriedOn(bytes, loads, resident, gain: gain)
            state = isPlain ? .rising : .open
        }
    }

    /// Each of so many newest rounds rose by a good part of what its requests would bring.
    private func rises(
        inNewest rounds: Int,
        by limit: (bytes: Double, share: Double),
        _ bytes: [Double],
        _ loads: [Double],
        _ resident: Double
    ) -> Bool {
        guard loads.count >= rounds else { return false }
        let (newest, asked) = (bytes.suffix(rounds + 1), Array(loads.suffix(rounds)))
        let rise = (newest.last ?? 0) - (newest.first ?? 0)
        guard rise >= max(limit.bytes, resident * limit.share) else { return false }
        return zip(zip(newest, newest.dropFirst()), shares(asked)).allSatisfy { ends, share in
            ends.1 - ends.0 >= Rules.steadyShare * rise * share
        }
    }

    private func isWorth(_ limit: (bytes: Double, share: Double), _ resident: Double) -> Bool {
        risen >= max(limit.bytes, resident * limit.share)
    }

    /// It rises by jumps, but in the newer half of the rounds as fast as in the older, and by many.
    private func isCarriedOn(_ bytes: [Double], _ loads: [Double], _ resident: Double, gain: Double) -> Bool {
        guard loads.count >= Rules.jumpRounds, isWorth(Rules.small, resident) else { return false }
        let newest = loads.count / 2
        var top = bytes.dropLast(newest).max() ?? 0
        let older = top - (bytes.first ?? 0)
        var highs = 0
        for value in bytes.suffix(newest) where value > top { (top, highs) = (value, highs + 1) }
        let share = shares(loads).suffix(newest).reduce(0, +)
        return highs >= Rules.jumps && gain >= Rules.carriedShare * risen * share
            && older >= Rules.carriedShare * risen * (1 - share)
    }

    /// Each round's share of the requests, or of the rounds.
    private func shares(_ loads: [Double]) -> [Double] {
        let all = loads.reduce(0, +)
        return loads.map { all > 0 ? $0 / all : 1 / Double(loads.count) }
    }
}
