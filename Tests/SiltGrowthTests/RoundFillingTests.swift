import SiltTestNumbers
import Testing

@testable import SiltGrowth

/// A cache whose new entries become fewer as a power of what was asked.
struct RoundFillingTests {
    /// Rounds that are added run the load two, four and eight times.
    private static let loads = (0..<19).map { $0 < 7 ? 1.0 : $0 < 13 ? 2 : 4 }

    private static func filling(_ counts: [Double], _ loads: [Double], warmUp: Int) -> RoundFilling {
        RoundFilling(counts: counts, loads: loads, warmUp: warmUp)
    }

    /// Seen of CPython's type attribute cache, and of what HotSpot compiles.
    @Test(
        arguments: [
            ([82, 20, 13, 7, 5, 2, 1, 3, 4, 13, 4, 16, 4, 5, 2, 3, 3, 10, 13], 4),
            ([62, 16, 8, 4, 2, 2, 2, 1, 5, 7, 10, 12, 12, 3, 2, 6, 3, 9, 3], 4),
            ([73, 16, 6, 4, 3, 3, 1, 6, 6, 2, 1, 1, 2, 7, 4, 8, 5, 8, 6], 4),
            ([140, 120, 36, 51, 27, 12, 19, 19, 37, 18, 21, 16, 18, 50, 16, 2, 5, 2, 1], 2),
        ] as [([Double], Int)]
    )
    func cachesOfInterpretersMayBeFilling(counts: [Double], warmUp: Int) {
        let filling = Self.filling(counts, Self.loads, warmUp: warmUp)
        #expect(filling.isPossible, "score \(filling.score), power \(filling.power)")
    }

    @Test func whatIsCompiledMayBeFilling() {
        let counts: [Double] = [1031, 35, 77, 47, 20, 14, 1, 1, 2, 0, 0, 1, 8, 1, 1, 8]
        #expect(Self.filling(counts, counts.map { _ in 1 }, warmUp: 4).isPossible)
    }

    /// 160,000 requests after its start HotSpot compiled more than in the 100,000 before.
    @Test func whatIsCompiledInBurstsMayBeFillingHoweverLate() {
        let counts: [Double] = [1067, 69, 37, 50, 8, 1, 8, 2, 0, 3, 4, 1, 1, 8, 2, 1, 1, 2, 12, 19, 2, 1, 7, 14, 33]
        let loads = counts.indices.map { $0 < 12 ? 1.0 : $0 < 18 ? 2 : $0 < 24 ? 4 : 8 }
        #expect(Self.filling(counts, loads, warmUp: 5).isPossible)
    }

    /// However much came in the first round.
    @Test(arguments: [20.0, 80, 400, 5000])
    func aLeakAfterAWarmUpIsNone(first: Double) {
        var generator = SeededGenerator(seed: 3)
        var calls = 0
        for _ in 0..<200 {
            var counts = Self.loads.map { Double(generator.poisson(10 * $0)) }
            counts[0] += first
            if Self.filling(counts, Self.loads, warmUp: 1).isPossible { calls += 1 }
        }
        #expect(calls <= 20, "\(calls) of 200")
    }

    @Test(arguments: [([], 0), ([5], 0), ([5, 3, 4], 0), ([5, 0, 0], 1)] as [([Double], Int)])
    func withoutAWarmUpOrARestThereIsNothingToCompare(counts: [Double], warmUp: Int) {
        #expect(!Self.filling(counts, counts.map { _ in 1 }, warmUp: warmUp).isPossible)
    }
}
