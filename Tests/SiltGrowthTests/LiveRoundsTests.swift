import Glibc
import Testing

@testable import SiltGrowth

/// Live bytes at the marks and nothing else, as of a heap profile that is fetched.
struct LiveRoundsTests {
    private static func judged(_ live: [Double], requests: Double = 100) -> GrowthVerdict {
        let rounds = live.count - 1
        let hunt = HuntIntervals.rounds(requests: Array(repeating: requests, count: rounds))
        return judgeRoundsWithoutBirths(live, hunt, rounds: 0..<rounds)
    }

    @Test(arguments: 0...4)
    func fewerThanFiveRoundsAreNotEnough(rounds: Int) {
        let live = (0...rounds).map { 1000 * Double($0) }
        #expect(Self.judged(live).verdict == .notEnoughData)
    }

    @Test(
        arguments: [
            ([0, 1000, 2000, 3000, 4000, 5000], Reason.everyRound),
            ([0, 9000, 10_000, 11_000, 12_000, 13_000], .everyRound),
            ([100, 200, 200, 400, 400, 800, 800], .doubling),
            // One round fell back a little.
            ([0, 1000, 2000, 3000, 2900, 4000, 5000, 6000, 7000], .trend),
            ([0, 1000, 1000, 1000, 1000, 1000], .none), ([0, 1000, 2000, 2000, 2000, 2000], .none),
            // Ever less comes.
            ([0, 800, 1200, 1400, 1500, 1550], .none),
            // Too little of what there is.
            ([1_000_000, 1_000_100, 1_000_200, 1_000_300, 1_000_400, 1_000_500], .none),
            ([500, 900, 200, 900, 100, 800, 300], .none), ([500, 500, 500, 500, 500, 500], .none),
            ([0, 0, 0, 0, 0, 0, 0], .none),
        ] as [([Double], Reason)]
    )
    func marksGiveTheReason(live: [Double], reason: Reason) {
        let verdict = Self.judged(live)
        #expect(verdict.reason == reason, "\(verdict)")
        #expect(verdict.verdict.isGrowing == (reason != .none))
    }

    /// After rounds of ever more requests, as a hunt adds them; the array doubles when it is full.
    private static func array(holding entries: (Double) -> Double) -> GrowthVerdict {
        let loads = [150.0, 300, 600, 1200].flatMap { Array(repeating: $0, count: $0 == 150 ? 7 : 6) }
        var asked = 0.0
        let live = loads.reduce(into: [0.0]) { live, load in
            asked += load
            var places = 4.0
            while places < entries(asked) { places *= 2 }
            live.append(24 * places)
        }
        return judgeRoundsWithoutBirths(live, .rounds(requests: loads), rounds: 0..<loads.count)
    }

    @Test(arguments: [0.7, 1, 1.15, 1.3, 1.6, 2, 3])
    func anArrayToWhichEachRequestAppendsIsNotAcquitted(perRequest: Double) {
        let verdict = Self.array { perRequest * $0 }
        #expect([.growing, .stillFilling].contains(verdict.verdict) && verdict.reason == .doubling, "\(verdict)")
        guard verdict.verdict.isGrowing else { return }
        // The array has up to twice the places that it needs.
        #expect((0.9...2).contains(verdict.perRequest / (24 * perRequest)), "\(verdict.perRequest)")
    }

    @Test(arguments: [1, 1.15, 1.3, 1.6, 2])
    func aTableOfNewKeysDoesNotGrow(perRequest: Double) {
        let verdict = Self.array { 20 * pow(perRequest * $0, 0.5) }
        #expect(!verdict.verdict.isGrowing, "\(verdict)")
    }

    /// A dictionary of so many keys that are asked for at random: nearly all of them are new at first.
    @Test(arguments: [2000, 4000, 6000, 8000, 10_000])
    func theTableOfADictionaryThatFillsDoesNotGrow(keys: Double) {
        let verdict = Self.array { keys * (1 - exp(-$0 / keys)) }
        #expect(!verdict.verdict.isGrowing, "\(verdict)")
    }

    /// Live bytes of a Go map and list under a cache of 200 entries after each 100 insertions, measured six times.
    private static let caches: [[Double]] = [
        [
            0, 7.5, 15.2, 16.7, 17.8, 18.6, 18.6, 19.2, 19.5, 19.8, 20.2, 20.2, 20.3, 20.3, 22.1, 22.1, 22.3, 22.3,
            22.3, 19.2,
        ],
        [
            0, 7.0, 14.9, 15.6, 17.1, 18.3, 18.9, 19.3, 19.3, 19.8, 19.9, 19.9, 19.9, 19.9, 19.9, 19.9, 16.8, 17.6,
            18.2, 18.3,
        ],
        [
            0, 6.8, 14.9, 16.3, 17.6, 18.5, 18.9, 19.0, 19.2, 19.2, 19.3, 19.7, 19.9, 19.9, 19.9, 19.9, 22.2, 17.1,
            17.5, 17.9,
        ],
        [
            0, 7.0, 14.8, 15.8, 17.5, 18.5, 18.8, 19.2, 19.2, 19.1, 19.3, 19.5, 19.5, 19.7, 19.9, 17.1, 17.9, 18.2,
            18.6, 19.0,
        ],
        [
            0, 7.0, 14.6, 16.0, 17.1, 17.9, 18.2, 18.5, 18.7, 19.0, 19.2, 19.4, 19.7, 19.7, 19.9, 19.9, 19.9, 19.9,
            19.9, 19.9,
        ],
        [
            0, 7.0, 14.6, 16.1, 17.3, 17.9, 18.2, 18.5, 18.9, 19.5, 19.5, 19.4, 19.6, 19.6, 19.6, 19.7, 19.9, 19.9,
            19.9, 19.9,
        ],
    ]

    @Test(arguments: caches)
    func theTableOfACacheDoesNotGrow(kibibytes: [Double]) {
        for rounds in 6..<kibibytes.count {
            let verdict = Self.judged(kibibytes.prefix(rounds + 1).map { 1024 * $0 })
            #expect(!verdict.verdict.isGrowing, "\(rounds) rounds: \(verdict)")
        }
    }

    /// The same caches, with a leak of 2,150 bytes a round beside them.
    @Test(arguments: caches)
    func aLeakBesideACacheGrows(kibibytes: [Double]) {
        let live = kibibytes.prefix(13).enumerated().map { 1024 * $1 + 2150 * Double($0) }
        #expect(Self.judged(live).verdict.isGrowing)
    }

    @Test func rateIsTheMedianRoundPerRequest() {
        let verdict = Self.judged([0, 5000, 6000, 7100, 8000, 9000])
        #expect(verdict.slope == 1000)
        #expect(verdict.perRequest == 10)
        #expect(verdict.confidence == .low)
        #expect(verdict.facts.warmUpBytes == 5000)
        #expect(verdict.facts.requests == 400)
    }

    @Test func goroutinesAreCountedAsBytesAre() {
        let verdict = Self.judged((0...8).map { 12 + 25 * Double($0) }, requests: 25)
        #expect(verdict.reason == .everyRound)
        #expect(verdict.perRequest == 1)
        #expect(verdict.confidence == .medium)
    }

    @Test func unequalRoundsAreComparedAtEqualLoad() {
        let requests = [100.0, 50, 400, 100, 30, 200]
        let live = requests.reduce(into: [0]) { $0.append(($0.last ?? 0) + 8 * $1) }
        let verdict = judgeRoundsWithoutBirths(live, .rounds(requests: requests), rounds: 0..<6)
        #expect(verdict.reason == .everyRound)
        #expect(abs(verdict.perRequest - 8) < 1e-9)
    }

    /// A hunt of idle, two routes, idle, six intervals each, by the bytes that each phase's interval adds.
    private static func hunt(adding steps: [Double]) -> HuntVerdicts {
        let phases = (0..<4).flatMap { Array(repeating: $0, count: 6) }
        let live = phases.reduce(into: [1000]) { $0.append(($0.last ?? 0) + steps[$1]) }
        let requests = phases.map { $0 == 0 || $0 == 3 ? 0.0 : 100 }
        return judgeHuntWithoutBirths(live, HuntIntervals(phases: phases, routes: 2, requests: requests))
    }

    @Test func whatRisesAtIdleIsNotChargedToTheRoutes() {
        let verdicts = Self.hunt(adding: [300, 300, 800, 300])
        #expect(verdicts.idle.verdict == .growing)
        #expect(verdicts.idle.slope == 300)
        #expect(verdicts.routes[0].reason == .idleRate)
        #expect(verdicts.routes[1].verdict == .growing)
        #expect(abs(verdicts.routes[1].slope - 500) < 1e-9)
        #expect(abs(verdicts.routes[1].perRequest - 5) < 1e-9)
    }

    @Test func startUpThatFillsTheFirstIdlePhaseIsNoGrowth() {
        let verdicts = Self.hunt(adding: [300, 0, 500, 0])
        #expect(!verdicts.idle.verdict.isGrowing)
        #expect(!verdicts.routes[0].verdict.isGrowing)
        #expect(verdicts.routes[1].perRequest == 5)
    }

    @Test func whatIsFreedAfterTheRouteIsNoGrowth() {
        let phases = (0..<4).flatMap { Array(repeating: $0, count: 6) }
        let held = Array(repeating: 1000.0, count: 7) + (1...6).map { 1000 + 500 * Double($0) }
        let live = held + Array(repeating: 1000.0, count: 12)
        let hunt = HuntIntervals(phases: phases, routes: 2, requests: phases.map { Double($0 % 3 * 100) })
        let verdicts = judgeHuntWithoutBirths(live, hunt)
        #expect(!verdicts.routes[0].verdict.isGrowing)
    }

    @Test func huntWithoutIntervalsHasNoVerdicts() {
        let verdicts = judgeHuntWithoutBirths([5], HuntIntervals(phases: [], routes: 1, requests: []))
        #expect(verdicts.idle.verdict == .notEnoughData)
        #expect(verdicts.routes.map(\.verdict) == [.notEnoughData])
    }
}
