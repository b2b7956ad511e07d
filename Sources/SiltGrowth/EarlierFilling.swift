internal import Glibc
internal import SiltHeap

/// Whether an earlier route filled a cache, and live bytes rise by no more in this one than in that one at its end.
///
/// Each route brings what the others left out of a cache that all of them use.
struct EarlierFilling {
    private typealias Rules = GrowthRules.Decline

    private let series: IntervalSeries
    private let hunt: HuntIntervals
    private let rounds: Range<Int>
    /// Mean size of a block.
    private let blockBytes: Double
    private let meanLoad: Double

    init(_ series: IntervalSeries, _ hunt: HuntIntervals, _ rounds: Range<Int>) {
        self.series = series
        self.hunt = hunt
        self.rounds = rounds
        meanLoad = hunt.meanLoad(rounds)
        let count = series.counts.reduce(0, +)
        blockBytes = count > 0 ? max(1, series.bytes.reduce(0, +) / count) : 1
    }

    var explainsRise: Bool {
        guard let route = rounds.first.map({ hunt.phases[$0] }), route > 1 else { return false }
        let own = judged(rounds)
        guard !own.isEmpty else { return false }
        let usual = rate(own)
        return (1..<route).contains { earlier in
            let positions = hunt.positions(ofPhase: earlier)
            let past = judged(positions)
            guard past.count > 2 else { return false }
            let end = past.suffix(max(1, past.count / Rules.lastPart))
            let last = rate(end)
            let load = end.reduce(0) { $0 + hunt.load($1, meanLoad) }
            return usual <= Rules.burst * last + Rules.chance * (last / load).squareRoot() && fills(positions, past)
        }
    }

    /// Live bytes clearly rose by ever less.
    private func fills(_ rounds: Range<Int>, _ judged: [Int]) -> Bool {
        let trend = RoundTrend(
            counts: judged.map(gain),
            loads: judged.map { hunt.load($0, meanLoad) },
            times: judged.map { log(hunt.asked(in: rounds, by: $0, meanLoad)) },
            score: Rules.scoreOfGains
        )
        return trend.declines && trend.score < Rules.clearScore
    }

    /// The rounds after the warm-up.
    private func judged(_ rounds: Range<Int>) -> [Int] {
        hunt.loaded(rounds.dropFirst(max(1, rounds.count / Rules.warmUpPart)), meanLoad: meanLoad)
    }

    /// Blocks by which live bytes rose.
    private func gain(_ position: Int) -> Double {
        max(0, series.live[position + 1] - series.live[position]) / blockBytes
    }

    /// The same by mean load.
    private func rate(_ positions: some Collection<Int>) -> Double {
        positions.reduce(0) { $0 + gain($1) } / positions.reduce(0) { $0 + hunt.load($1, meanLoad) }
    }
}
