import SiltHeap
import Testing

@testable import SiltGrowth

struct RouteJudgeTests {
    @Test(arguments: try GrowthCase.load(.routes))
    func labelledCaseGetsItsVerdicts(_ labelled: GrowthCase) throws {
        let series = labelled.intervalSeries()
        if let live = labelled.liveBytes { #expect(series.live == live, "the replay differs from the case") }
        #expect(labelled.expectationByPhase.isEmpty == false)
        for (phase, expectation) in labelled.expectationByPhase {
            guard let route = Int(phase) else {
                #expect(phase == "idle")
                let verdict = judgeIdle(series, labelled.hunt)
                expectation.check(verdict, rate: (verdict.slope, verdict.error), "idle: \(verdict)")
                continue
            }
            let verdict = judgeRoute(series, labelled.hunt, route: route)
            expectation.check(
                verdict,
                rate: (verdict.perRequest, verdict.perRequestError),
                "route \(route): \(verdict)"
            )
        }
    }

    @Test func thereAreCasesOfThisKind() throws {
        #expect(try GrowthCase.load(.routes).isEmpty == false)
    }

    /// An idle phase, two routes and an idle phase, so many intervals each, with 100 requests an interval.
    private static func hunt(_ intervals: [Int], seconds: [Double] = []) -> HuntIntervals {
        let phases = intervals.enumerated().flatMap { Array(repeating: $0.offset, count: $0.element) }
        return HuntIntervals(
            phases: phases,
            routes: 2,
            requests: phases.map { $0 == 0 || $0 == 3 ? 0 : 100 },
            seconds: seconds
        )
    }

    /// Blocks of 64 bytes that stay, by phase and interval.
    private static func staying(_ counts: [[Int]], seconds: [Double] = []) -> (IntervalSeries, HuntIntervals) {
        let all = counts.flatMap { $0 }
        var blocks = BlockHistory(intervals: all.count)
        for (index, count) in all.enumerated() { blocks.add(count, size: 64, at: index + 1) }
        return (blocks.series(), hunt(counts.map(\.count), seconds: seconds))
    }

    private static let still = [0, 0, 0, 0, 0, 0]

    /// Reasons by the survivors of each interval of route 1, with nothing at idle.
    @Test(
        arguments: [
            ([9, 9, 9, 9, 9, 9], Reason.leak), ([900, 0, 0, 0, 0, 0], .idleRate), ([0, 0, 9, 0, 9, 0], .sparse),
            ([9, 90, 30, 10, 4, 1], .decel), ([0, 6, 6, 6, 0, 0], .decel), ([9, 2, 2, 90, 1, 2], .stalled),
            ([0, 0, 0, 9, 9, 9], .late), ([0, 1, 1, 9, 9, 9], .leak), ([0, 0, 9, 9, 9, 9], .leak),
            ([0, 0, 0, 0, 0, 3], .idleRate),
            ([9, 9, 9], .leak), ([9, 9], .none),
        ]
    )
    func survivorsByIntervalGiveTheReason(counts: [Int], reason: Reason) {
        let (series, hunt) = Self.staying([Self.still, counts, Self.still, Self.still])
        let verdicts = judgeHunt(series, hunt)
        #expect(verdicts.routes[0].reason == reason, "\(verdicts.routes[0])")
        #expect(verdicts.routes[0].verdict.isGrowing == (reason == .leak))
        #expect(!verdicts.routes[1].verdict.isGrowing)
        #expect(!verdicts.idle.verdict.isGrowing)
    }

    @Test func leakOfARouteIsMeasuredAboveTheIdleRate() {
        let timer = Array(repeating: 3, count: 8)
        let both = Array(repeating: 23, count: 8)
        let (series, hunt) = Self.staying([timer, timer, both, timer])
        let verdicts = judgeHunt(series, hunt)
        #expect(verdicts.idle.reason == .idle)
        #expect(verdicts.idle.slope == 192)
        #expect(verdicts.idle.confidence == .high)
        #expect(verdicts.routes[0].reason == .idleRate)
        #expect(verdicts.routes[1].verdict == .growing)
        #expect(verdicts.routes[1].confidence == .high)
        #expect(abs(verdicts.routes[1].perRequest - 12.8) < 1e-9)
        #expect(verdicts.routes[1].facts.idleBytes == 192)
    }

    /// A runtime compiles and loads for a while after its start, whether or not anybody asks something.
    @Test func aStartThatGoesOnAtIdleIsNoGrowth() {
        let (series, hunt) = Self.staying([[9, 12, 9, 6, 4, 3], Self.still, Self.still, [4, 4, 3, 3, 2, 2]])
        let verdict = judgeIdle(series, hunt)
        #expect(!verdict.verdict.isGrowing, "\(verdict)")
    }

    @Test func idleRateIsPerSecondWhenIntervalsAreTimed() {
        // A block a second: 10 in an idle slice, 60 in a round of a minute.
        let slice = Array(repeating: 10, count: 6)
        let round = Array(repeating: 60, count: 6)
        let counts = [slice, round, round, slice]
        let untimed = Self.staying(counts)
        #expect(judgeRoute(untimed.0, untimed.1, route: 1).verdict.isGrowing)
        let seconds = counts.flatMap { $0 }.map(Double.init)
        let timed = Self.staying(counts, seconds: seconds)
        #expect(judgeRoute(timed.0, timed.1, route: 1).reason == .idleRate)
        #expect(judgeRoute(timed.0, timed.1, route: 1).facts.idleCount == 60)
        #expect(judgeIdle(timed.0, timed.1).reason == .idle)
        // Seconds of some intervals are as good as none.
        let partly = Self.staying(counts, seconds: [0] + seconds.dropFirst())
        #expect(judgeRoute(partly.0, partly.1, route: 1).verdict.isGrowing)
    }

    @Test(arguments: [true, false])
    func oneIdlePhaseGivesTheRate(isFirst: Bool) {
        let timer = Array(repeating: 6, count: 6)
        let (series, hunt) = Self.staying([isFirst ? timer : [], timer, timer.map { $0 + 20 }, isFirst ? [] : timer])
        let verdicts = judgeHunt(series, hunt)
        #expect(verdicts.idle.reason == .idle)
        #expect(verdicts.idle.confidence == .low)
        #expect(verdicts.routes[0].reason == .idleRate)
        #expect(verdicts.routes[1].reason == .leak)
        // The last interval of the hunt is too young to count.
        #expect(verdicts.routes[1].facts.slices == (isFirst ? 4 : 5))
    }

    @Test func huntWithoutIdlePhasesIsJudgedByRounds() {
        let (series, hunt) = Self.staying([[], [9, 9, 9, 9, 9, 9], Self.still, []])
        let verdicts = judgeHunt(series, hunt)
        #expect(verdicts.idle.verdict == .notEnoughData)
        #expect(verdicts.routes[0].reason == .leak)
        #expect(verdicts.routes[0].confidence == .high)
        #expect(!verdicts.routes[1].verdict.isGrowing)
        #expect(judgeRoute(series, hunt, route: 1).confidence == .medium)
    }

    @Test func idleRateAcquitsARouteOfThreeRoundsToo() {
        let timer = [6, 6, 6, 6, 6]
        let (series, hunt) = Self.staying([timer, [6, 6, 6], [60, 60, 60], timer])
        let verdicts = judgeHunt(series, hunt)
        #expect(verdicts.routes[0].reason == .idleRate)
        #expect(verdicts.routes[1].reason == .leak)
    }

    /// Caches of 200 and of 700 entries that hold what came last of 500 a round, over a timer that leaves blocks in every
    /// interval.
    @Test(arguments: [[3, 4, 4, 4, 4, 3, 204], [4, 4, 4, 5, 4, 204, 504]])
    func cacheOverATimerIsNotChargedWithWhatCameLast(route: [Int]) {
        let idle = [20, 20, 20, 20, 20]
        let other = [4, 4, 5, 3, 4, 4, 4]
        let seconds = [2, 0.4, 0.4, 2].flatMap { Array(repeating: $0, count: $0 == 2 ? 5 : 7) }
        let (series, hunt) = Self.staying([idle, route, other, idle], seconds: seconds)
        let verdicts = judgeHunt(series, hunt)
        #expect(!verdicts.routes[0].verdict.isGrowing, "\(verdicts.routes[0].reason)")
        #expect(!verdicts.routes[1].verdict.isGrowing)
        #expect(verdicts.idle.reason == .idle)
    }

    @Test func contentReplacedByEverMoreOfItIsChargedToItsRoute() {
        var blocks = BlockHistory(intervals: 24)
        // Lists of one block: the longer one replaces the other, in route 1.
        for interval in 6...12 {
            let death = interval < 12 ? interval + 1 : nil
            blocks.add(1, size: 800 * interval, at: interval == 6 ? 0 : interval, death: death)
        }
        let hunt = Self.hunt([6, 6, 6, 6])
        let verdicts = judgeHunt(blocks.series(), hunt)
        #expect(judgeRoute(blocks.series(), hunt, route: 1).reason == .idleRate)
        #expect(verdicts.routes[0].reason == .everyRound)
        #expect(verdicts.routes[0].perRequest == 8)
        #expect(!verdicts.routes[1].verdict.isGrowing)
    }

    @Test func idleGrowthMustBeSeenAgainInTheLastPhase() {
        let fills = [0, 9, 9, 9, 9, 9]
        let (series, hunt) = Self.staying([fills, Self.still, Self.still, Self.still])
        #expect(!judgeIdle(series, hunt).verdict.isGrowing)
        let (again, same) = Self.staying([fills, Self.still, Self.still, fills.map { $0 / 2 }])
        #expect(judgeIdle(again, same).reason == .idle)
        #expect(judgeIdle(again, same).confidence == .high)
    }

    @Test func oldBytesThatGoWithTheRouteAreTurnover() {
        var blocks = BlockHistory(intervals: 24)
        for interval in 7...12 {
            blocks.add(10, size: 64, at: interval)
            blocks.add(10, size: 64, at: 0, death: interval)
        }
        let verdict = judgeRoute(blocks.series(), Self.hunt([6, 6, 6, 6]), route: 1)
        #expect(verdict.reason == .turnover)
    }

    @Test(arguments: [[0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1], [2, 1, 2, 0], [4, 4, 0, 0], [6, 2, 1, 1]])
    func huntThatEndsEarlyGetsWhatVerdictsItCan(intervals: [Int]) {
        let (series, hunt) = Self.staying(intervals.map { Array(repeating: 5, count: $0) })
        let verdicts = judgeHunt(series, hunt)
        #expect(verdicts.routes.count == 2)
        for verdict in verdicts.routes + [verdicts.idle] {
            #expect(verdict.slope.isFinite && verdict.error.isFinite)
            #expect(verdict.perRequest.isFinite && verdict.perRequestError.isFinite)
        }
        #expect(verdicts.routes[1].verdict == .notEnoughData)
    }
}

extension RouteJudgeTests {
    /// A ring of ten blocks that is turned over in each round, beside twenty small blocks that stay.
    @Test(arguments: [1024, 4096, 32])
    func fewBigBlocksThatAreReplacedDoNotCountForALeakOfSmallOnes(size: Int) {
        let rounds = 5..<17
        let phases = (0..<22).map { $0 < rounds.lowerBound ? 0 : $0 < rounds.upperBound ? 1 : 2 }
        let hunt = HuntIntervals(
            phases: phases,
            routes: 1,
            requests: phases.map { $0 == 1 ? 200 : 0 },
            seconds: phases.map { _ in 2 }
        )
        var blocks = BlockHistory(intervals: phases.count)
        for round in rounds {
            blocks.add(20, size: 64, at: round + 1, death: nil)
            blocks.add(10, size: size, at: round + 1, death: round + 1 < rounds.upperBound ? round + 2 : nil)
        }
        let verdict = judgeHunt(blocks.series(), hunt, route: 1)
        #expect(verdict.verdict.isGrowing, "\(verdict)")
        #expect(abs(verdict.perRequest - 6.4) <= 0.64, "\(verdict.perRequest)")
    }
}
