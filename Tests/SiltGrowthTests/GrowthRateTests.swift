import SiltTestNumbers
import Testing

@testable import SiltGrowth
@testable import SiltHeap

/// Recall and false calls on simulated sites, so that a change of the judge is seen even where no labelled case is.
///
/// They print what they find: the figures of Sources/SiltGrowth/docs/growth.md.
struct GrowthRateTests {
    private static let lengths = [8, 12, 20, 40, 80, 160, 320]
    private static let repeats: UInt64 = 20

    /// Share of runs of a pattern that are called growing.
    private static func calls(_ pattern: Pattern, intervals: Int) -> Double {
        let called = (0..<repeats).count { number in
            judge(pattern.series(intervals: intervals, seed: number * 7919 + UInt64(intervals))).verdict.isGrowing
        }
        return Double(called) / Double(repeats)
    }

    private static func rate(_ patterns: [Pattern], intervals: [Int]) -> Double {
        let all = patterns.flatMap { pattern in intervals.map { calls(pattern, intervals: $0) } }
        return all.reduce(0, +) / Double(all.count)
    }

    @Test func nineOfTenLeaksAreFound() {
        let rate = Self.rate(Pattern.allCases.filter(\.grows), intervals: Self.lengths)
        print("free runs of \(Self.lengths) snapshots: recall \(rate)")
        #expect(rate >= 0.9, "recall \(rate)")
    }

    @Test(arguments: [(8, 0.75), (20, 0.85), (80, 0.95), (320, 0.95)])
    func recallHasAFloorAtEachLength(intervals: Int, least: Double) {
        let rate = Self.rate(Pattern.allCases.filter(\.grows), intervals: [intervals])
        print("free runs of \(intervals) snapshots: recall \(rate)")
        #expect(rate >= least, "recall \(rate) at \(intervals) snapshots")
    }

    @Test func onlyOneInTwoHundredCleanSitesIsCalledGrowing() {
        let rate = Self.rate(Pattern.allCases.filter { !$0.grows && !$0.fills }, intervals: Self.lengths)
        print("free runs of \(Self.lengths) snapshots: false calls \(rate)")
        #expect(rate <= 0.005, "false calls \(rate)")
    }

    @Test(arguments: Pattern.allCases.filter { !$0.grows && !$0.fills })
    func noCleanPatternIsOftenCalledGrowing(_ pattern: Pattern) {
        for intervals in Self.lengths {
            let rate = Self.calls(pattern, intervals: intervals)
            #expect(rate <= 0.15, "\(pattern) over \(intervals) snapshots: \(rate)")
        }
    }

    @Test(arguments: [(20, 0.4), (80, 0.1), (320, 0.05)])
    func whatFillsByEverLessIsSeldomCalledGrowing(intervals: Int, most: Double) {
        for pattern in Pattern.allCases.filter(\.fills) {
            let rate = Self.calls(pattern, intervals: intervals)
            print("free runs of \(intervals) snapshots: \(pattern) is called growing \(rate)")
            #expect(rate <= most, "\(pattern): \(rate)")
        }
    }

    @Test func aSteadyLeakIsMeasuredWithinTwiceItsError() {
        for intervals in [20, 80] {
            let within = (0..<Self.repeats).count { number in
                let seed = number * 5 * 7919
                var generator = SeededGenerator(seed: seed)
                let truth = generator.uniform(1, 12) * 32
                let verdict = judge(Pattern.steadyLeak.series(intervals: intervals, seed: seed))
                return abs(verdict.slope - truth) <= 2 * verdict.error
            }
            #expect(within >= Int(Self.repeats) * 8 / 10, "\(within) of \(Self.repeats) at \(intervals)")
        }
    }
}
