import SiltTestNumbers
import Testing

@testable import SiltGrowth

/// Recall and false calls of the judges of hunts on simulated sites, printed as in `GrowthRateTests`.
struct HuntRateTests {
    private static let repeats: UInt64 = 40

    private static func rounds(_ patterns: [HuntPattern], _ count: Int) -> HuntTally {
        var tally = HuntTally()
        for pattern in patterns {
            for seed in 0..<repeats {
                let site = SimulatedHunt(pattern, intervals: count, routes: 1, seed: seed)
                let verdict = judgeRounds(site.series(), site.hunt)
                tally.add(verdict, isLeak: pattern.charges(phase: 1, routes: 1))
            }
        }
        return tally
    }

    private static func routes(_ patterns: [HuntPattern], _ count: Int) -> HuntTally {
        var tally = HuntTally()
        for pattern in patterns {
            for seed in 0..<repeats {
                let site = SimulatedHunt(pattern, intervals: count, routes: 3, seed: seed)
                let verdicts = judgeHunt(site.series(), site.hunt)
                for (phase, verdict) in ([verdicts.idle] + verdicts.routes).enumerated() {
                    tally.add(verdict, isLeak: pattern.charges(phase: phase, routes: 3))
                }
            }
        }
        return tally
    }

    @Test(arguments: [(3, 0.9, 0.03), (5, 0.94, 0.015), (8, 0.96, 0.01), (12, 0.95, 0.005)])
    func leaksAreFoundByRounds(rounds: Int, recall: Double, falseRate: Double) {
        // A list must have grown four times to be seen.
        let patterns = HuntPattern.allCases.filter { !$0.needsIdle && (rounds >= 6 || $0 != .growingList) }
        let tally = Self.rounds(patterns, rounds)
        print("hunts of \(rounds) rounds: \(tally)")
        #expect(tally.recall >= recall, "recall \(tally.recall) of \(rounds) rounds")
        #expect(tally.falseRate <= falseRate, "false calls \(tally.falseRate) of \(rounds) rounds")
        #expect(Double(tally.highBlamed) <= 0.01 * Double(tally.high))
    }

    @Test(arguments: [(4, 0.92, 0.01), (6, 0.96, 0.005), (8, 0.96, 0.003), (12, 0.98, 0.003)])
    func leakingRoutesAreFound(intervals: Int, recall: Double, falseRate: Double) {
        let patterns = HuntPattern.allCases.filter { intervals >= 6 || $0 != .growingList }
        let tally = Self.routes(patterns, intervals)
        print("hunts of \(intervals) intervals a phase: \(tally)")
        #expect(tally.recall >= recall, "recall \(tally.recall) of \(intervals) intervals a phase")
        #expect(tally.falseRate <= falseRate, "false calls \(tally.falseRate) of \(intervals) intervals a phase")
        #expect(Double(tally.highBlamed) <= 0.005 * Double(tally.high))
    }

    @Test(arguments: HuntPattern.allCases.filter { !$0.needsIdle && !$0.charges(phase: 1, routes: 1) })
    func noCleanPatternIsOftenBlamed(_ pattern: HuntPattern) {
        let (five, eight) = (Self.rounds([pattern], 5), Self.rounds([pattern], 8))
        #expect(five.falseRate <= 0.1 && eight.falseRate <= 0.05, "\(five.falseRate), \(eight.falseRate)")
        let routes = Self.routes([pattern], 6)
        #expect(routes.falseRate <= 0.02, "\(routes.falseRate)")
    }

    @Test func leakOverATimerIsMeasuredPerRequest() {
        var within = 0
        for seed in 0..<Self.repeats {
            let site = SimulatedHunt(.timerAndLeak, intervals: 8, routes: 3, seed: seed)
            let verdict = judgeRoute(site.series(), site.hunt, route: 2)
            let truth = Double([32, 48, 100, 256, 1009][Int(seed % 5)]) / 4
            within += abs(verdict.perRequest - truth) <= 0.15 * truth ? 1 : 0
        }
        #expect(within >= Int(Self.repeats) * 9 / 10, "\(within) of \(Self.repeats)")
    }

    /// Whatever the numbers, no verdict has a rate that is not one.
    @Test func randomSeriesGiveFiniteFigures() {
        var generator = SeededGenerator(seed: 20_260_101)
        for _ in 0..<400 {
            let lengths = (0..<4).map { _ in Int(generator.uniform(0, 9)) }
            let phases = lengths.enumerated().flatMap { Array(repeating: $0.offset, count: $0.element) }
            var blocks = BlockHistory(intervals: phases.count)
            for birth in 0...phases.count where generator.uniform(0, 1) < 0.6 {
                let death = generator.uniform(0, 1) < 0.3 ? birth + Int(generator.uniform(1, 9)) : nil
                blocks.add(generator.poisson(4), size: Int(generator.uniform(0, 500)), at: birth, death: death)
            }
            let hunt = HuntIntervals(
                phases: phases,
                routes: 2,
                requests: phases.map { _ in generator.uniform(0, 1) < 0.3 ? 0 : generator.uniform(1, 50).rounded() },
                seconds: generator.uniform(0, 1) < 0.5 ? [] : phases.map { _ in generator.uniform(0.1, 60) }
            )
            let series = blocks.series()
            let known = judgeHunt(series, hunt)
            let unknown = judgeHuntWithoutBirths(series.live, hunt)
            let others = (1...2).flatMap { route in
                [
                    judgeRoute(series, hunt, route: route),
                    judgeRounds(series, hunt, rounds: hunt.positions(ofPhase: route)),
                ]
            }
            for verdict in known.routes + [known.idle] + unknown.routes + [unknown.idle] + others {
                let facts = verdict.facts
                let figures = [
                    verdict.slope, verdict.error, verdict.perRequest, verdict.perRequestError, facts.older,
                    facts.newer, facts.idleBytes, facts.idleCount, facts.oneOffBytes, facts.wobble, facts.settledAt,
                    facts.aboveIdle ?? 0,
                ]
                let areFinite = figures.allSatisfy { $0.isFinite }
                #expect(areFinite, "\(verdict)")
                #expect(verdict.verdict.isGrowing == (verdict.confidence != nil), "\(verdict)")
                #expect(!verdict.verdict.isGrowing || verdict.slope > 0, "\(verdict)")
            }
        }
    }
}
