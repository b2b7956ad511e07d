import Foundation
import SiltTestNumbers

@testable import SiltGrowth
@testable import SiltHeap

/// What real programs hold beside what they leak: content that fills, is replaced or expires, and stays when load ends.
///
/// A phase's worth of behavior is drawn for six intervals; the same is then watched for as many as a hunt has.
enum Population: String, CaseIterable {
    /// A ring turned over 0.3 to 3 times an interval, with a leak beside it, and alone.
    case ringAndLeak, ring
    /// So many slots, asked for at random: 5 to 60 % of them in an interval.
    case slots
    /// Every block lives for 0.5 to 3 phases.
    case timeToLive
    /// Ever less comes, by half in 0.1 to 0.6 phases.
    case warmUp
    /// An entry for each key, asked for by a Zipf distribution: keys of the route, and of all routes.
    case keys, sharedKeys
    /// The same in a table of fixed size without chains, as interpreters have: a key takes the place of another.
    case addresses

    var grows: Bool { self == .ringAndLeak }
    /// Fills for so long that nobody can tell before it has: "still filling?" is right.
    var fills: Bool { self != .ringAndLeak && self != .ring }
}

/// A hunt of one phase, or three, between two idle ones that watches a population.
struct SimulatedPopulation {
    let hunt: HuntIntervals
    let series: IntervalSeries
    /// Bytes a request leaks in route `leaking`.
    let truth: Double
    let leaking: Int

    static let idleSlices = 5
    private static let secondsAnInterval = 2.0

    /// `rounds`: of each route that has been loaded by now; the last idle phase comes after all `routes`.
    ///
    /// `repeats`: how often round 1, 2 … of a phase runs its load.
    init(
        _ population: Population,
        rounds: [Int],
        of routes: Int,
        seed: UInt64,
        isOver: Bool = true,
        repeats: (Int) -> Int = { _ in 1 }
    ) {
        let kind = UInt64(Population.allCases.firstIndex(of: population) ?? 0)
        var generator = SeededGenerator(seed: seed &* 2_654_435_761 &+ kind &* 40_503 &+ UInt64(routes))
        leaking = min(2, routes)
        let lengths = [Self.idleSlices] + rounds + (isOver ? [Self.idleSlices] : [])
        let phases = lengths.enumerated().flatMap { Array(repeating: $0.offset, count: $0.element) }
        let requests = Int(generator.uniform(200, 500))
        let times = lengths.enumerated().flatMap { phase, length in
            (1...length).map { phase == 0 || phase > rounds.count ? 1 : repeats($0) }
        }
        hunt = HuntIntervals(
            phases: phases,
            routes: rounds.count,
            requests: zip(phases, times).map { $0 == 0 || $0 > rounds.count ? 0 : Double($1 * requests) },
            seconds: times.map { Double($0) * Self.secondsAnInterval }
        )
        let size = [32, 48, 100, 256, 1009][Int(seed % 5)]
        let perRequest = exp(generator.uniform(log(0.05), log(2)))
        var run = Run(asks: Double(requests) * perRequest, times: times, generator: generator)
        let leak = run.act(population, hunt, leaking: leaking)
        truth = leak * Double(size) / Double(requests)
        var history = BlockHistory(intervals: phases.count)
        for (span, count) in run.blocks { history.add(count, size: size, at: span.birth, death: span.death) }
        series = history.series()
    }
}

/// The requests of a hunt, and what they leave.
private struct Run {
    struct Span: Hashable {
        var birth: Int
        var death: Int?
    }

    /// Requests of one run of the load that come to the site.
    let asks: Double
    /// How often each interval runs it.
    let times: [Int]
    var generator: SeededGenerator
    var blocks: [Span: Int] = [:]

    /// Returns the blocks that the leaking route leaks in an interval.
    mutating func act(_ population: Population, _ hunt: HuntIntervals, leaking: Int) -> Double {
        let loaded = (0..<hunt.count).filter { hunt.requests[$0] > 0 }
        switch population {
        case .ring, .ringAndLeak:
            ring(loaded, entries: max(1, Int(asks / exp(generator.uniform(log(0.3), log(3))))))
            guard population == .ringAndLeak else { return 0 }
            let rate = exp(generator.uniform(log(2), log(max(4, asks / 2)))).rounded()
            let isExact = generator.uniform(0, 1) < 0.5
            for position in loaded where hunt.phases[position] == leaking {
                let left = rate * Double(times[position])
                stay(isExact ? Int(left) : generator.poisson(left), at: position + 1)
            }
            return rate
        case .slots:
            let share = exp(generator.uniform(log(0.05), log(0.6)))
            slots(loaded, count: max(1, Int(asks / -log(1 - share))))
        case .timeToLive:
            let life = Int((6 * generator.uniform(0.5, 3)).rounded())
            for position in loaded {
                // In runs of the load, each of which takes one unit of time.
                var (end, left) = (position + 1, life)
                while left > 0 {
                    left -= end < times.count ? times[end] : 1
                    end += 1
                }
                let count = generator.poisson(asks * Double(times[position]))
                blocks[Span(birth: position + 1, death: end), default: 0] += count
            }
        case .warmUp:
            let half = 6 * generator.uniform(0.1, 0.6)
            var left = asks
            for position in loaded {
                for _ in 0..<times[position] {
                    stay(generator.poisson(left), at: position + 1)
                    left *= exp2(-1 / half)
                }
            }
        case .keys, .sharedKeys: keys(loaded, hunt, areShared: population == .sharedKeys)
        case .addresses: addresses(loaded)
        }
        return 0
    }

    private mutating func stay(_ count: Int, at interval: Int) {
        if count > 0 { blocks[Span(birth: interval), default: 0] += count }
    }

    private mutating func ring(_ loaded: [Int], entries: Int) {
        var births: [Int] = []
        var next = 0
        for position in loaded {
            for _ in 0..<times[position] * Int(asks.rounded()) {
                if births.count < entries {
                    births.append(position + 1)
                } else {
                    blocks[Span(birth: births[next], death: position + 1), default: 0] += 1
                    births[next] = position + 1
                    next = (next + 1) % entries
                }
            }
        }
        for birth in births { stay(1, at: birth) }
    }

    private mutating func slots(_ loaded: [Int], count: Int) {
        var isTaken = Array(repeating: false, count: count)
        for position in loaded {
            for _ in 0..<generator.poisson(asks * Double(times[position])) {
                let slot = min(count - 1, Int(generator.uniform(0, Double(count))))
                if !isTaken[slot] { stay(1, at: position + 1) }
                isTaken[slot] = true
            }
        }
    }

    private mutating func addresses(_ loaded: [Int]) {
        let slots = 1 << Int(generator.uniform(6, 13))
        let sums = zipf(Int(Double(slots) * generator.uniform(2, 20)), exponent: generator.uniform(0.8, 1.2))
        var taken: [Int: (key: Int, birth: Int)] = [:]
        for position in loaded {
            for _ in 0..<generator.poisson(asks * Double(times[position])) {
                let key = draw(sums)
                let slot = key &* 2_654_435_761 % slots
                guard taken[slot]?.key != key else { continue }
                if let old = taken[slot] { blocks[Span(birth: old.birth, death: position + 1), default: 0] += 1 }
                taken[slot] = (key, position + 1)
            }
        }
        for entry in taken.values { stay(1, at: entry.birth) }
    }

    private func zipf(_ count: Int, exponent: Double) -> [Double] {
        var sum = 0.0
        return (1...count).map { key in
            sum += pow(Double(key), -exponent)
            return sum
        }
    }

    /// An index, as likely as its part of the last sum.
    private mutating func draw(_ sums: [Double]) -> Int {
        let at = generator.uniform(0, sums.last ?? 0)
        var (low, high) = (0, sums.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] < at { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func keys(_ loaded: [Int], _ hunt: HuntIntervals, areShared: Bool) {
        let count = Int(exp(generator.uniform(log(300), log(20_000))))
        let exponent = generator.uniform(0.8, 1.2)
        let sums = zipf(count, exponent: exponent)
        var isKnown = Array(repeating: false, count: count)
        for position in loaded {
            let isFirst = position == hunt.positions(ofPhase: hunt.phases[position]).lowerBound
            if isFirst, !areShared { isKnown = Array(repeating: false, count: count) }
            for _ in 0..<generator.poisson(asks * Double(times[position])) {
                let key = draw(sums)
                if !isKnown[key] { stay(1, at: position + 1) }
                isKnown[key] = true
            }
        }
    }
}
