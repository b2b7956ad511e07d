import Foundation
import SiltTestNumbers
import Testing

@testable import SiltGrowth
@testable import SiltHeap

/// Recall and false calls beside content that fills, is replaced or expires; the table of Sources/SiltGrowth/docs/growth.md.
///
/// SILT_GROWTH_SEEDS=120 makes it of so many seeds a kind; the rules were chosen by seeds from 0 on, these begin at 1000.
struct PopulationRateTests {
    private static let seeds = UInt64(ProcessInfo.processInfo.environment["SILT_GROWTH_SEEDS"] ?? "") ?? 8
    private static let isWhole = seeds >= 60
    private static let firstSeed: UInt64 = 1000

    /// A hunt of so many rounds in every phase.
    private static func fixed(_ population: Population, rounds: Int, routes: Int) -> HuntTally {
        var tally = HuntTally()
        for seed in firstSeed..<firstSeed + seeds {
            let rounds = Array(repeating: rounds, count: routes)
            let site = SimulatedPopulation(population, rounds: rounds, of: routes, seed: seed)
            judge(site, population, &tally)
        }
        return tally
    }

    /// As a hunt runs the load in round 1, 2 …: the six that are planned once, six that are added twice, then four, eight times.
    private static func repeats(_ round: Int) -> Int { 1 << min(3, (round - 1) / 6) }

    /// A hunt that adds rounds from 6 up to 24 while a site is in doubt; and how many a phase had.
    private static func asked(_ population: Population, routes: Int) -> (tally: HuntTally, rounds: Double) {
        var tally = HuntTally()
        var all = 0
        for seed in firstSeed..<firstSeed + seeds {
            var rounds: [Int] = []
            for route in 1...routes {
                rounds.append(6)
                while rounds[route - 1] < 24, isInDoubt(population, rounds, routes, seed) { rounds[route - 1] += 1 }
            }
            all += rounds.reduce(0, +)
            let site = SimulatedPopulation(population, rounds: rounds, of: routes, seed: seed, repeats: repeats)
            judge(site, population, &tally)
        }
        return (tally, Double(all) / Double(seeds) / Double(routes))
    }

    private static func isInDoubt(_ population: Population, _ rounds: [Int], _ routes: Int, _ seed: UInt64) -> Bool {
        let site = SimulatedPopulation(
            population,
            rounds: rounds,
            of: routes,
            seed: seed,
            isOver: false,
            repeats: repeats
        )
        let verdict = judgeHunt(site.series, site.hunt, route: rounds.count)
        return verdict.verdict == .stillFilling || verdict.verdict.isGrowing && verdict.confidence != .high
    }

    private static func judge(_ site: SimulatedPopulation, _ population: Population, _ tally: inout HuntTally) {
        for (index, verdict) in judgeHunt(site.series, site.hunt).routes.enumerated() {
            let isLeak = population.grows && index + 1 == site.leaking
            tally.add(verdict, isLeak: isLeak, truth: isLeak ? site.truth : nil)
        }
    }

    private static func old(_ count: Int) -> HuntTally {
        var tally = HuntTally()
        for pattern in HuntPattern.allCases {
            for seed in firstSeed..<firstSeed + seeds {
                for routes in pattern.needsIdle ? [3] : [1, 3] {
                    let site = SimulatedHunt(pattern, intervals: count, routes: routes, seed: seed)
                    let verdicts = judgeHunt(site.series(), site.hunt)
                    if routes == 3 { tally.add(verdicts.idle, isLeak: pattern.charges(phase: 0, routes: routes)) }
                    for (index, verdict) in verdicts.routes.enumerated() {
                        tally.add(verdict, isLeak: pattern.charges(phase: index + 1, routes: routes))
                    }
                }
            }
        }
        return tally
    }

    private static func line(_ name: String, _ tally: HuntTally) -> String {
        func percent(_ part: Int, _ all: Int) -> String {
            all == 0 ? "-" : "\((1000 * Double(part) / Double(all)).rounded() / 10)"
        }
        return
            "\(name): recall \(percent(tally.found, tally.leaks)) %, rate off \(percent(tally.farOff, tally.found)) %, "
            + "false \(percent(tally.blamed, tally.clean)) %, still filling "
            + "\(percent(tally.open, tally.leaks + tally.clean)) %, high \(tally.high), wrong \(tally.highBlamed)"
    }

    private static func sum(_ populations: [Population], _ tally: (Population, Int) -> HuntTally) -> HuntTally {
        populations.flatMap { one in [1, 3].map { tally(one, $0) } }.reduce(HuntTally(), +)
    }

    @Test(arguments: isWhole ? [8, 12, 24] : [12])
    func knownPatternsAreJudgedAsBefore(rounds: Int) {
        let tally = Self.old(rounds)
        print(Self.line("old kinds, \(rounds) rounds", tally))
        #expect(tally.recall >= 0.94, "\(tally)")
        #expect(tally.falseRate <= 0.005, "\(tally)")
    }

    @Test(arguments: isWhole ? [8, 12, 24] : [12])
    func aLeakBesideARingIsFoundAtItsRate(rounds: Int) {
        let tally = Self.sum([.ringAndLeak]) { Self.fixed($0, rounds: rounds, routes: $1) }
        print(Self.line("ring and leak, \(rounds) rounds", tally))
        #expect(tally.recall >= 0.9, "\(tally)")
        #expect(tally.falseRate <= 0.01, "\(tally)")
        #expect(tally.farOff <= max(1, tally.found / 50), "\(tally.farOff) of \(tally.found)")
    }

    @Test(arguments: isWhole ? [6, 12, 24] : [12])
    func roundsAloneTellWhatFills(rounds: Int) {
        // A table of which few rounds take a hundredth looks like a leak, until there are more of them.
        let others = Population.allCases.filter { !$0.grows && $0 != .addresses }
        let tally = Self.sum(others) { Self.fixed($0, rounds: rounds, routes: $1) }
        print(Self.line("new kinds, \(rounds) rounds", tally))
        #expect(tally.falseRate <= [6: 0.28, 12: 0.12, 24: 0.04][rounds] ?? 0, "\(tally)")
    }

    @Test(arguments: Population.allCases)
    func roundsThatAreAddedInDoubtTellWhatFills(_ population: Population) {
        var tally = HuntTally()
        for routes in [1, 3] {
            let asked = Self.asked(population, routes: routes)
            tally = tally + asked.tally
            let name = "\(population), \(routes) routes, \(asked.rounds.rounded()) rounds"
            print(Self.line(name, asked.tally))
        }
        #expect(!population.grows || tally.recall >= 0.85, "\(tally)")
        #expect(tally.highBlamed == 0, "\(tally)")
        // Keys that hardly ever come again, a few in a round, are a leak as far as 24 rounds show.
        let part = population == .addresses ? 20 : population == .keys ? 50 : 100
        let most = tally.clean / part
        #expect(tally.blamed <= max(population == .addresses ? 2 : 1, most), "\(tally)")
    }
}
