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
        guard loads.count >= Rules.minimumRounds, isWorth(Rules.open, resident) else { return }
        let newest = max(1, loads.count / 2)
        let before = bytes.dropLast(newest).max() ?? 0
        let gain = (bytes.suffix(newest).max() ?? 0) - before
        let isOver =
            gain <= max(Rules.overBytes, resident * Rules.overShareOfResident) || gain <= Rules.overShare * risen
        isSteady = risesSteadily(bytes, loads, resident)
        if isSteady {
            state = .rising
        } else if !isOver {
            let isPlain = isWorth(Rules.notable, resident) || isCarriedOn(bytes, loads, resident, gain: gain)
            state = isPlain ? .rising : .open
        }
    }

    private func isWorth(_ limit: (bytes: Double, share: Double), _ resident: Double) -> Bool {
        risen >= max(limit.bytes, resident * limit.share)
    }

    private func risesSteadily(_ bytes: [Double], _ loads: [Double], _ resident: Double) -> Bool {
        guard loads.count >= Rules.steadyRounds, isWorth(Rules.small, resident) else { return false }
        return zip(zip(bytes, bytes.dropFirst()), shares(loads)).allSatisfy { ends, share in
            ends.1 - ends.0 >= Rules.steadyShare * risen * share
        }
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
