import SiltHeap
import Testing

@testable import SiltGrowth

struct RoundsJudgeTests {
    @Test(arguments: try GrowthCase.load(.rounds))
    func labelledCaseGetsItsVerdict(_ labelled: GrowthCase) {
        let series = labelled.intervalSeries()
        if let live = labelled.liveBytes { #expect(series.live == live, "the replay differs from the case") }
        let verdict = judgeRounds(series, labelled.hunt)
        labelled.expectation.check(verdict, rate: (verdict.slope, verdict.error), "\(verdict)")
    }

    @Test func thereAreCasesOfThisKind() throws {
        #expect(try GrowthCase.load(.rounds).isEmpty == false)
    }

    /// So many blocks of 100 bytes that stay, round by round.
    private static func staying(_ counts: [Int], requests: [Double]? = nil) -> GrowthVerdict {
        var blocks = BlockHistory(intervals: counts.count)
        for (index, count) in counts.enumerated() { blocks.add(count, size: 100, at: index + 1) }
        return judgeRounds(blocks.series(), .rounds(requests: requests ?? counts.map { _ in 50 }))
    }

    @Test(arguments: 0...2)
    func fewerThanThreeRoundsAreNotEnough(rounds: Int) {
        let verdict = Self.staying(Array(repeating: 9, count: rounds))
        #expect(verdict.verdict == .notEnoughData)
        #expect(verdict.confidence == nil)
        #expect(verdict.facts.snapshots == rounds)
    }

    /// Reasons by the survivors of each round; every block stays.
    @Test(
        arguments: [
            ([50, 50, 50], Reason.leak), ([0, 2, 0], .none), ([0, 3, 3], .leak), ([9, 0, 0, 0, 0], .none),
            ([0, 1, 0, 0, 1], .none), ([9, 2, 0, 2, 2], .sparse), ([0, 0, 1, 0, 1, 0, 1, 0], .leak),
            ([0, 0, 1, 1, 0, 1, 0, 1], .stalled),
            ([0, 0, 1, 1, 1, 0, 0, 1], .decel),
            ([0, 0, 2, 0, 0, 2, 0, 1], .sparse), ([100, 40, 10, 4, 1], .decel), ([90, 50, 30], .decel),
            ([90, 60, 30], .leak), ([9, 9, 9, 9, 0], .gap), ([1, 1, 1, 1, 0], .leak),
            ([90, 20, 20, 20, 20, 20], .leak), ([5, 5, 10, 7, 5, 5], .decel),
        ]
    )
    func survivorsByRoundGiveTheReason(counts: [Int], reason: Reason) {
        let verdict = Self.staying(counts)
        #expect(verdict.reason == reason, "\(verdict)")
        #expect(verdict.verdict.isGrowing == (reason == .leak))
    }

    @Test(
        arguments: [
            ([9, 9, 9], Confidence.low), ([9, 9, 9, 9], .medium), ([9, 9, 9, 9, 9], .high), ([3, 1, 2, 1, 2], .medium),
            ([9, 5, 9, 13, 9], .medium), ([0, 0, 2, 1, 0, 2, 2, 1], .low), ([0, 0, 2, 1, 2, 2, 2, 1], .high),
        ]
    )
    func confidenceFollowsRoundsAndRegularity(counts: [Int], confidence: Confidence) {
        #expect(Self.staying(counts).confidence == confidence)
    }

    @Test func oldBytesFreedAsFastAreTurnover() {
        var blocks = BlockHistory(intervals: 6)
        for round in 0..<6 { blocks.add(10, size: 100, at: 0, death: round + 1) }
        for round in 1...6 { blocks.add(10, size: 100, at: round) }
        let verdict = judgeRounds(blocks.series(), .rounds(requests: Array(repeating: 10, count: 6)))
        #expect(verdict.reason == .turnover)
        #expect(verdict.verdict == .stable)
    }

    @Test func oldBytesThatStoppedGrowingAreStalled() {
        var blocks = BlockHistory(intervals: 6)
        for round in 1...6 { blocks.add(10, size: 100, at: round) }
        // Freed in the last round, born before the first.
        blocks.add(8, size: 100, at: 0, death: 6)
        let verdict = judgeRounds(blocks.series(), .rounds(requests: Array(repeating: 10, count: 6)))
        #expect(verdict.reason == .stalled)
    }

    @Test func replacedContentThatEndsHigherEveryRoundGrows() {
        var blocks = BlockHistory(intervals: 8)
        for round in 1...8 { blocks.add(10 + 2 * round, size: 100, at: round, death: round + 1) }
        let requests = Array(repeating: 40.0, count: 8)
        let verdict = judgeRounds(blocks.series(), .rounds(requests: requests))
        #expect(verdict.reason == .everyRound)
        #expect(verdict.verdict == .growing)
        #expect(verdict.confidence == .medium)
        #expect(verdict.slope == 200)
        #expect(verdict.perRequest == 5)
    }

    @Test func replacedContentThatIsFreedLaterInTheHuntIsNoGrowth() {
        var blocks = BlockHistory(intervals: 12)
        for round in 1...8 { blocks.add(10 + 2 * round, size: 100, at: round, death: round < 8 ? round + 1 : 10) }
        let hunt = HuntIntervals(
            phases: Array(repeating: 1, count: 8) + [2, 2, 2, 2],
            routes: 1,
            requests: Array(repeating: 40, count: 8) + [0, 0, 0, 0]
        )
        let verdict = judgeRounds(blocks.series(), hunt, rounds: hunt.positions(ofPhase: 1))
        #expect(!verdict.verdict.isGrowing)
    }

    @Test func blockThatDoublesGrows() {
        var blocks = BlockHistory(intervals: 6)
        var size = 1000
        for (birth, death) in [(0, 2), (2, 4), (4, 6), (6, nil)] as [(Int, Int?)] {
            blocks.add(1, size: size, at: birth, death: death)
            size *= 2
        }
        let verdict = judgeRounds(blocks.series(), .rounds(requests: Array(repeating: 10, count: 6)))
        #expect(verdict.reason == .doubling)
        #expect(abs(verdict.slope - 7000 / 6) < 1e-9)
        #expect(verdict.confidence == .low)
    }

    /// CPython's type attribute cache, which keeps names by their addresses: where longer rounds reach places that shorter ones
    /// did not, it rises again, but over all by much less than what survives of each round.
    @Test func aTableInWhichKeysReplaceEachOtherAndThatRisesInLongerRoundsAgainIsNotCharged() {
        let counts: [Double] = [
            0, 0, 0, 379, 13, 8, 10, 14, 7, 9, 7, 7, 10, 6, 13, 7, 17, 17, 12, 20, 27, 26, 89, 46, 50, 48, 82, 0, 0, 0,
        ]
        let blocks: [Double] = [
            0, 0, 0, 0, 763, 760, 747, 733, 738, 749, 756, 742, 745, 743, 740, 740, 732, 730, 733, 721, 727, 729, 740,
            810, 850, 883, 905, 924, 924, 924, 924,
        ]
        let old: [Double] = [
            0, 0, 0, 0, 694, 684, 679, 670, 700, 701, 684, 671, 683, 683, 683, 679, 665, 656, 651, 642, 633, 666, 659,
            753, 782, 815, 842, 924, 924, 924,
        ]
        let series = IntervalSeries(
            counts: counts,
            bytes: counts.map { 55 * $0 },
            live: blocks.map { 55 * $0 },
            old: old.map { 55 * $0 }
        )
        let loads = [1, 2, 4, 8].flatMap { Array(repeating: 5000.0 * $0, count: $0 == 1 ? 7 : $0 == 8 ? 5 : 6) }
        let hunt = HuntIntervals(
            phases: [0, 0, 0] + loads.map { _ in 1 } + [2, 2, 2],
            routes: 1,
            requests: [0, 0, 0] + loads + [0, 0, 0],
            seconds: Array(repeating: 4, count: loads.count + 6)
        )
        let verdict = judgeHunt(series, hunt, route: 1)
        #expect(!verdict.verdict.isGrowing, "\(verdict)")
    }

    /// A runtime's table with an object for each region that it has seen: ever bigger parts come, and none is freed.
    @Test func whatComesInBiggerPartsAndStaysIsNoBlockThatDoubles() {
        var blocks = BlockHistory(intervals: 12)
        for (birth, count) in [(1, 17), (4, 9), (7, 58), (11, 138)] { blocks.add(count, size: 72, at: birth) }
        let verdict = judgeRounds(blocks.series(), .rounds(requests: Array(repeating: 10, count: 12)))
        #expect(!verdict.verdict.isGrowing, "\(verdict)")
    }

    /// 223 places after 12,000 requests are no array that each of them is appended to.
    @Test func aBlockThatDoublesButHardlyByARequestMayStillFill() {
        var blocks = BlockHistory(intervals: 12)
        var birth = 1
        for (size, death) in [(144, 4), (216, 7), (680, 10), (1784, nil)] as [(Int, Int?)] {
            blocks.add(1, size: size, at: birth, death: death)
            birth = death ?? birth
        }
        for (requests, expected) in [(1000.0, Verdict.stillFilling), (10, .growing)] {
            let hunt = HuntIntervals.rounds(requests: Array(repeating: requests, count: 12))
            #expect(judgeRounds(blocks.series(), hunt).verdict == expected)
        }
    }

    @Test func roundWithoutRequestsSaysNothingAboutTheRate() {
        let verdict = Self.staying([50, 50, 0, 50, 50], requests: [10, 10, 0, 10, 10])
        #expect(verdict.reason == .leak)
        #expect(verdict.perRequest == 500)
        #expect(verdict.facts.slices == 2)
    }

    @Test func loadThatFailedAltogetherIsJudgedByRounds() {
        let verdict = Self.staying([5, 5, 5, 5, 5], requests: [0, 0, 0, 0, 0])
        #expect(verdict.reason == .leak)
        #expect(verdict.slope == 500)
        #expect(verdict.perRequest == 0)
    }

    @Test func warmUpIsReportedBesideTheLeak() {
        let facts = Self.staying([70, 20, 20, 20, 20]).facts
        #expect(facts.warmUpBytes == 7000)
        #expect(facts.oneOffBytes == 5000)
        #expect(facts.slices == 3)
        #expect(facts.occupied == 3)
        #expect(facts.survivors == 60)
        #expect(facts.fewest == 20)
        #expect(facts.most == 20)
        #expect(facts.requests == 150)
        #expect(facts.firstJudged == 2)
        #expect(facts.lastJudged == 4)
    }

    @Test func onePhaseOfALongerHuntIsJudgedByItself() {
        var blocks = BlockHistory(intervals: 12)
        for round in 1...6 { blocks.add(100 + round, size: 64, at: round, death: round + 1) }
        for round in 7...12 { blocks.add(20, size: 64, at: round) }
        let hunt = HuntIntervals(
            phases: Array(repeating: 1, count: 6) + Array(repeating: 2, count: 6),
            routes: 2,
            requests: Array(repeating: 10, count: 12)
        )
        let series = blocks.series()
        #expect(!judgeRounds(series, hunt, rounds: hunt.positions(ofPhase: 1)).verdict.isGrowing)
        let verdict = judgeRounds(series, hunt, rounds: hunt.positions(ofPhase: 2))
        #expect(verdict.reason == .leak)
        #expect(verdict.perRequest == 128)
        #expect(verdict.facts.firstJudged == 9)
    }

    /// 60 workers of 50 requests each, by eight parts of their lives; each loses a block at those requests.
    private static func workers(losing requests: [Int]) -> GrowthVerdict {
        var counts = [Double](repeating: 0, count: 8)
        for request in requests { counts[min(7, (request - 1) * 8 / 50)] += 60 }
        let bytes = counts.map { 1500 * $0 }
        let live = bytes.reduce(into: [0.0]) { $0.append(($0.last ?? 0) + $1) }
        let series = IntervalSeries(counts: counts, bytes: bytes, live: live, old: Array(live.dropLast()))
        let parts = HuntIntervals.rounds(
            requests: Array(repeating: 375, count: 8),
            seconds: Array(repeating: 0.2, count: 8)
        )
        let verdict = judgeRounds(series, parts)
        return verdict.verdict.isGrowing ? verdict : judgeBursts(series, parts) ?? verdict
    }

    @Test(arguments: 1...10)
    func whatEachWorkerLosesAtTheSameAgesIsALeak(first: Int) {
        let verdict = Self.workers(losing: Array(stride(from: first, through: 50, by: 10)))
        #expect(verdict.verdict == .growing, "\(verdict)")
        #expect(abs(verdict.perRequest / 150 - 1) < 0.4, "\(verdict.perRequest)")
    }

    @Test(
        arguments: [
            [25], [5, 6, 7], [1, 25], [20, 21, 22, 23, 24], [49, 50], [1, 2, 3, 20], Array(1...30), Array(1...43),
        ]
    )
    func whatEachWorkerLoadsOnceIsNone(requests: [Int]) {
        let verdict = Self.workers(losing: requests)
        #expect(!verdict.verdict.isGrowing, "\(verdict)")
    }
}
