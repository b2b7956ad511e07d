import SiltPlan
import Testing

@testable import SiltHunt

/// How often rounds that are added in doubt run the load.
struct HuntRepeatTests {
    private static func repeats(_ number: Int, seconds: Double = 300, isCounted: Bool = true) -> Int? {
        let before = Hunt.repeats(ofRound: number - 1, after: (1, 0.1), seconds: 300, isCounted: true)
        let last = number < 2 ? 1 : before ?? 1
        return Hunt.repeats(ofRound: number, after: (last, Double(last)), seconds: seconds, isCounted: isCounted)
    }

    @Test func moreRequestsTellACacheThatFillsFromALeak() {
        #expect([-3, 0, 1, 6, 7, 12, 13, 18, 60].map { Self.repeats($0) } == [1, 1, 2, 2, 4, 4, 8, 8, 8])
    }

    @Test func aRoundOfUncountedRequestsIsAsTheOthers() {
        #expect(Hunt.repeats(ofRound: 15, after: (1, 1), seconds: 100, isCounted: false) == 1)
    }

    /// A run of the load takes a second.
    @Test(arguments: [(0.5, nil), (1.5, 1), (2.5, 2), (100, 2)] as [(Double, Int?)])
    func theLoadIsRunAsOftenAsTheTimeAllows(seconds: Double, repeats: Int?) {
        #expect(Self.repeats(1, seconds: seconds) == repeats)
    }

    /// It took four runs, which are one comparison with the others of the kind: fewer would be another.
    @Test func noFewerThanTheRoundBefore() {
        #expect(Self.repeats(13, seconds: 6) == 4)
        #expect(Self.repeats(13, seconds: 3) == nil)
    }

    @Test func requestsOfAllRunsCount() {
        let sum = RequestCount(requests: 5, failed: 1) + RequestCount(requests: .max, failed: 2)
        #expect(sum == RequestCount(requests: .max, failed: 3))
    }
}
