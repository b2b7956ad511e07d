import SiltTestNumbers
import Testing

@testable import SiltGrowth
@testable import SiltHeap

struct FreeRunningJudgeTests {
    @Test(arguments: try GrowthCase.load(.freeRun))
    func labelledCaseGetsItsVerdict(_ labelled: GrowthCase) throws {
        let series = labelled.replay().series(atSnapshot: UInt32(labelled.snapshots ?? 0))
        let verdict = labelled.ages == false ? judgeWithoutBirths(series) : judge(series)
        #expect(verdict.verdict.rawValue == labelled.expectation.verdict, "\(verdict)")
        if let slope = labelled.expectation.slope, let tolerance = labelled.expectation.tol {
            #expect(abs(verdict.slope - slope) <= max(tolerance, 1e-9 * abs(slope)), "\(verdict)")
        }
        if let confidence = labelled.expectation.confidence, !confidence.isEmpty {
            #expect(verdict.confidence?.rawValue == confidence, "\(verdict)")
        }
        if let reason = labelled.expectation.reason, !reason.isEmpty {
            #expect(verdict.reason.rawValue == reason, "\(verdict)")
        }
    }

    /// 500 files in so many bursts within 7 s, looked at every quarter of a second, and a rest as long as between two.
    @Test(arguments: [5, 7, 10, 14, 20, 28])
    func aLeakThatRestsAfterABurstIsNoPlateau(number: Int) {
        var site = SimulatedSite(intervals: 28, generator: SeededGenerator(seed: 1))
        for burst in 0..<number { site.add(500 / number, size: 472, at: 1 + burst * 28 / number) }
        let verdict = judge(site.series())
        #expect(verdict.verdict == .growing, "\(number) bursts: \(verdict.reason)")
    }

    /// With a rest at the end that is longer than the others, but not twice as long.
    @Test(arguments: [(bursts: 5, gap: 5), (6, 4), (7, 4), (9, 5)])
    func fewBurstsAfterEqualRestsAreALeak(_ load: (bursts: Int, gap: Int)) {
        let length = load.bursts * load.gap + load.gap * 3 / 4
        var site = SimulatedSite(intervals: length, generator: SeededGenerator(seed: 1))
        for burst in 0..<load.bursts { site.add(50, size: 472, at: 1 + burst * load.gap) }
        let verdict = judge(site.series())
        #expect(verdict.verdict == .growing, "\(verdict.reason)")
    }

    /// A pool that doubles when it is full, after ever longer rests.
    @Test func whatComesAfterEverLongerRestsIsNoneOfTheseBursts() {
        var site = SimulatedSite(intervals: 28, generator: SeededGenerator(seed: 1))
        for at in [1, 2, 4, 8, 16] { site.add(50, size: 472, at: at) }
        let verdict = judge(site.series())
        #expect(!verdict.verdict.isGrowing, "\(verdict.reason)")
    }

    /// Cycles that wait for an interpreter's collector: a dozen small blocks, one more from time to time.
    @Test func aDozenSmallBlocksThatComeOneByOneAreNoQueue() {
        for (size, isGrowing) in [(184, false), (2048, false), (16_384, true)] {
            var site = SimulatedSite(intervals: 28, generator: SeededGenerator(seed: 1))
            for i in 1...28 { site.add(1, size: size, at: i, lifetime: max(1, i / 2)) }
            #expect(judge(site.series()).verdict.isGrowing == isGrowing, "\(size)")
        }
    }

    @Test func burstsThatHaveStoppedForTwiceTheirRestAreOver() {
        var site = SimulatedSite(intervals: 28, generator: SeededGenerator(seed: 1))
        for burst in 0..<7 { site.add(50, size: 472, at: 1 + burst * 3) }
        let verdict = judge(site.series())
        #expect(verdict.verdict == .plateauing, "\(verdict.reason)")
    }

    /// A load that ended, or pauses, before the program does.
    @Test(
        arguments: [
            (bursts: 7, gap: 3, rest: 8, isOpen: true), (6, 2, 4, true), (7, 3, 16, false), (10, 1, 9, false),
        ]
    )
    func regularBurstsThatMayComeAgainAreNotOver(_ load: (bursts: Int, gap: Int, rest: Int, isOpen: Bool)) {
        let length = (load.bursts - 1) * load.gap + load.rest + 1
        var site = SimulatedSite(intervals: length, generator: SeededGenerator(seed: 1))
        for burst in 0..<load.bursts { site.add(90, size: 716, at: 1 + burst * load.gap) }
        let verdict = judge(site.series())
        #expect(!verdict.verdict.isGrowing && (verdict.verdict == .stillFilling) == load.isOpen, "\(verdict)")
    }

    /// A collector's own records, of which few came in three bursts late in the run.
    @Test func aRateWhoseRangeReachesZeroIsNone() {
        var site = SimulatedSite(intervals: 24, generator: SeededGenerator(seed: 1))
        site.add(17, size: 80, at: 1)
        for (at, count) in [(15, 5), (18, 1), (21, 8)] { site.add(count, size: 80, at: at) }
        let verdict = judge(site.series())
        #expect(!verdict.verdict.isGrowing, "\(verdict)")
    }

    @Test func thereAreCasesOfThisKind() throws {
        #expect(try GrowthCase.load(.freeRun).isEmpty == false)
    }
}
