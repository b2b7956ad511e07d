import Foundation
import SiltTestNumbers
import Testing

@testable import SiltGrowth

struct RoundTrendTests {
    private static func trend(_ counts: [Double]) -> RoundTrend {
        RoundTrend(counts: counts, loads: counts.map { _ in 1 }, times: counts.indices.map(Double.init))
    }

    @Test func aConstantRateHasNoTrend() {
        let trend = Self.trend(Array(repeating: 100, count: 10))
        #expect(abs(trend.score) < 1e-9 && abs(trend.slope) < 1e-9)
        #expect(!trend.declines && trend.excludesDecline)
    }

    @Test func theFallIsFitted() {
        let trend = Self.trend((0..<10).map { 1000 * pow(2, -Double($0) / 4) })
        #expect(abs(trend.slope + 0.6931 / 4) < 1e-3, "\(trend.slope)")
        #expect(trend.declines && !trend.excludesDecline)
    }

    @Test func fewBlocksExcludeNoDecline() {
        let trend = Self.trend([2, 2, 2, 2, 2, 2])
        #expect(!trend.declines && !trend.excludesDecline)
    }

    @Test func unequalLoadsAreNoTrend() {
        let loads = [2.0, 1.5, 1.2, 0.8, 0.5, 0.3]
        let trend = RoundTrend(counts: loads.map { 200 * $0 }, loads: loads, times: loads.indices.map(Double.init))
        #expect(abs(trend.score) < 1e-9)
    }

    @Test(arguments: [[], [5], [5, 3], [0, 0, 0, 0]])
    func tooLittleSaysNothing(counts: [Double]) {
        let trend = Self.trend(counts)
        #expect(!trend.declines && !trend.excludesDecline)
    }

    /// As often as its limit says: one-sided 2.3 %.
    @Test func countsThatComeByChanceSeldomDecline() {
        var generator = SeededGenerator(seed: 5)
        let calls = (0..<2000).count { _ in Self.trend((0..<8).map { _ in Double(generator.poisson(20)) }).declines }
        #expect(calls <= 80, "\(calls) of 2000")
    }
}

/// What a ring, a pool or a cache holds when the load has stopped.
struct LeakReviewTests {
    private static func once(_ round: Int) -> Int { 1 }

    /// Between idle phases: blocks of 100 bytes, with the interval they die in, and 100 requests a round of 3 s.
    private static func judged(
        rounds: Int,
        repeats: (Int) -> Int = once,
        _ add: (inout BlockHistory, _ round: Int, _ interval: Int) -> Void
    )
        -> GrowthVerdict
    {
        let phases = [0, 0, 0, 0, 0] + Array(repeating: 1, count: rounds) + [2, 2, 2, 2, 2]
        var blocks = BlockHistory(intervals: phases.count)
        for round in 1...rounds { add(&blocks, round, 5 + round) }
        let hunt = HuntIntervals(
            phases: phases,
            routes: 1,
            requests: phases.enumerated().map { $1 == 1 ? Double(100 * repeats($0 - 4)) : 0 },
            seconds: phases.enumerated().map { $1 == 1 ? Double(3 * repeats($0 - 4)) : 3 }
        )
        return judgeHunt(blocks.series(), hunt, route: 1)
    }

    @Test func whatTheLastRoundLeftInARingIsNoLeak() {
        let verdict = Self.judged(rounds: 8) { blocks, round, interval in
            blocks.add(4800, size: 100, at: interval, death: round < 8 ? interval + 1 : nil)
        }
        #expect(!verdict.verdict.isGrowing && verdict.verdict != .stillFilling, "\(verdict)")
    }

    @Test func twoBlocksARoundBesideARingAreTheLeak() {
        let verdict = Self.judged(rounds: 8) { blocks, round, interval in
            blocks.add(4800, size: 100, at: interval, death: round < 8 ? interval + 1 : nil)
            blocks.add(2, size: 100, at: interval)
        }
        #expect(verdict.verdict == .growing)
        #expect(abs(verdict.perRequest - 2) < 1e-9, "\(verdict)")
        #expect(verdict.perRequest - verdict.perRequestError > 0)
    }

    /// After a heavier round less of the ring is old: that is no fall of what leaks.
    @Test(arguments: [7, 8, 12])
    func aLeakBesideARingIsSeenWhateverTheLoad(rounds: Int) {
        let entries = 300
        let twice = { (round: Int) in round > 6 ? 2 : 1 }
        let verdict = Self.judged(rounds: rounds, repeats: twice) { blocks, round, interval in
            // 200 a run of the load: the newest 300 live at any time.
            let new = round > 6 ? 400 : 200
            let next = round == rounds ? 0 : round + 1 > 6 ? 400 : 200
            let kept = max(0, min(new, entries) - next)
            blocks.add(min(new, entries) - kept, size: 100, at: interval, death: next > 0 ? interval + 1 : nil)
            blocks.add(kept, size: 100, at: interval, death: round + 1 < rounds ? interval + 2 : nil)
            blocks.add(round > 6 ? 20 : 10, size: 100, at: interval)
        }
        #expect(verdict.verdict == .growing, "\(verdict)")
        #expect(abs(verdict.perRequest - 10) < 1, "\(verdict.perRequest)")
    }

    /// New keys become fewer as a slow power of what was asked: only many more requests tell that from a constant rate.
    @Test func newKeysAreToldFromALeakByMoreRequests() {
        func left(_ repeats: (Int) -> Int, _ power: Double) -> GrowthVerdict {
            var asked = 0.0
            return Self.judged(rounds: 24, repeats: repeats) { blocks, round, interval in
                let before = asked
                asked += Double(repeats(round))
                blocks.add(Int(20 * (pow(asked, power) - pow(before, power))), size: 100, at: interval)
            }
        }
        let doubled = { (round: Int) in 1 << min(3, (round - 1) / 6) }
        #expect(left(Self.once, 0.9).verdict == .growing, "they are too few to tell")
        #expect(left(doubled, 0.9).verdict == .stillFilling)
        #expect(left(doubled, 1).verdict == .growing)
    }

    /// Values of 2,000 keys, 200 of which a round sets at random: an old value dies with the next, and new keys become fewer.
    private static func keysSetAtRandom(seed: UInt64) -> GrowthVerdict {
        let rounds = 18
        var numbers = SeededGenerator(seed: seed)
        var deaths = Array(repeating: [Int?](), count: rounds + 1)
        var holder: [Int: (round: Int, place: Int)] = [:]
        for round in 1...rounds {
            for _ in 0..<200 {
                let key = Int.random(in: 0..<2000, using: &numbers)
                if let old = holder[key] { deaths[old.round][old.place] = 5 + round }
                holder[key] = (round, deaths[round].count)
                deaths[round].append(nil)
            }
        }
        return judged(rounds: rounds) { blocks, round, interval in
            for death in deaths[round] { blocks.add(1, size: 24, at: interval, death: death) }
        }
    }

    @Test func aStoreWhoseKeysAreSetAtRandomSeldomLooksLikeALeak() {
        let verdicts = (0..<100).map { Self.keysSetAtRandom(seed: $0).verdict }
        let (charged, filling) = (verdicts.count { $0 == .growing }, verdicts.count { $0 == .stillFilling })
        #expect(charged <= 3, "\(charged) of 100 are charged")
        #expect(charged + filling == 100, "\(100 - charged - filling) of 100 are acquitted though they still rise")
    }

    /// What the older rounds left is gone, and the newer left hundreds: a store that drops what is old.
    @Test func whatOnlyTheNewestRoundsLeftIsNoLeak() {
        let verdict = Self.judged(rounds: 9) { blocks, round, interval in
            blocks.add(400, size: 200, at: interval, death: round < 5 ? 11 + round / 2 : nil)
        }
        #expect(!verdict.verdict.isGrowing, "\(verdict)")
    }

    @Test func aPoolThatFillsIsNotChargedAndNotAcquitted() {
        let counts = [60, 45, 33, 27, 20, 16, 12, 9]
        let verdict = Self.judged(rounds: 8) { blocks, round, interval in
            blocks.add(counts[round - 1], size: 100, at: interval)
        }
        #expect(verdict.verdict == .stillFilling, "\(verdict)")
        #expect(verdict.confidence == nil)
    }

    @Test func aPoolThatIsFullIsAcquitted() {
        let counts = [60, 45, 33, 27, 20, 10, 3, 0, 1, 0, 0, 0]
        let verdict = Self.judged(rounds: 12) { blocks, round, interval in
            blocks.add(counts[round - 1], size: 100, at: interval)
        }
        #expect(verdict.verdict == .plateauing, "\(verdict)")
    }

    @Test(arguments: [(6, Confidence.medium), (20, .high)])
    func certaintyTakesHalfAMinute(rounds: Int, confidence: Confidence) {
        let verdict = Self.judged(rounds: rounds) { blocks, _, interval in blocks.add(200, size: 100, at: interval) }
        #expect(verdict.verdict == .growing)
        #expect(verdict.confidence == confidence, "\(verdict.facts.keptSeconds) s")
    }
}
