import Foundation
import SiltTestNumbers
import Testing

@testable import SiltGrowth
@testable import SiltHeap

struct LoadReviewTests {
    private func site(_ intervals: Int, _ births: (Int) -> (count: Int, lifetime: Int?)) -> SurvivorSeries {
        var site = SimulatedSite(intervals: intervals, generator: SeededGenerator(seed: 1))
        for i in 1...intervals {
            let (count, lifetime) = births(i)
            site.add(count, size: 100, at: i, lifetime: lifetime)
        }
        return site.series()
    }

    /// What the process allocates in the buckets of a series, by interval.
    private func loads(_ series: SurvivorSeries, _ load: (Int) -> Int) -> [Double] {
        series.counts.indices.map { bucket in
            (0..<series.width).reduce(0) { $0 + Double(load(bucket * series.width + $1 + 1)) }
        }
    }

    /// Sessions live as long as before, and come more often.
    @Test func whatIsHeldForTheSameTimeUnderAHeavierLoadIsNoQueue() {
        // Longer runs look like queues without their load.
        for intervals in [24, 44, 90, 300] {
            let charged = [0.05, 0.2, 0.33].count { isChargedWithoutItsLoad(intervals: intervals, share: $0) }
            #expect(charged > 0, "\(intervals)")
        }
    }

    private func isChargedWithoutItsLoad(intervals: Int, share: Double) -> Bool {
        let life = max(1, Int(share * Double(intervals)))
        func births(_ i: Int) -> Int { 20 + 200 * i / intervals }
        let series = site(intervals) { (births($0), life) }
        // Something else is allocated all the time.
        let verdict = judge(series, loads: loads(series) { 300 + 3 * births($0) })
        #expect(!verdict.verdict.isGrowing, "\(verdict)")
        guard judge(series).verdict.isGrowing else { return false }
        // A load that is even does not explain it.
        #expect(judge(series, loads: loads(series) { _ in 300 }).verdict.isGrowing)
        #expect(verdict.verdict == .stillFilling && verdict.facts.loadRatio > 1.2)
        return true
    }

    /// A tenth of what comes waits for ever longer, and the load rises once.
    @Test(arguments: [24, 44, 90])
    func aQueueThatGetsLongerBeforeAndAfterItsLoadRisesIsCharged(intervals: Int) {
        var site = SimulatedSite(intervals: intervals, generator: SeededGenerator(seed: 1))
        for i in 1...intervals { site.add(100, size: 100, at: i, lifetime: 1 + i / 5) }
        let series = site.series()
        let loads = loads(series) { $0 < intervals / 2 ? 300 : 500 }
        #expect(judge(series, loads: loads).verdict.isGrowing, "\(judge(series).reason)")
    }

    /// The table of what is held for a while, which is enlarged when it is full.
    @Test func aTableOfWhatMoreRequestsHoldIsNoListThatGrows() {
        var site = SimulatedSite(intervals: 44, generator: SeededGenerator(seed: 1))
        let ends = [3, 8, 14, 22, 32, 45]
        for (size, (from, to)) in zip(ends, ends.dropFirst()).enumerated() {
            site.add(1, size: 4096 << size, at: from, lifetime: to > 44 ? nil : to - from)
        }
        let series = site.series()
        #expect(judge(series, loads: loads(series) { _ in 300 }).verdict.isGrowing)
        #expect(judge(series, loads: loads(series) { 50 + $0 * $0 }).verdict == .stillFilling)
    }

    @Test(arguments: [24, 44, 90, 300])
    func aLeakUnderALoadThatFallsIsNotAcquitted(intervals: Int) {
        func births(_ i: Int) -> Int { 110 - 100 * i / intervals }
        let series = site(intervals) { (births($0), nil) }
        let verdict = judge(series, loads: loads(series) { 4 * births($0) })
        #expect(verdict.verdict == .stillFilling && verdict.facts.loadRatio < 0.9, "\(verdict)")
        // A load that is even does not explain it, but the decline is not over.
        let even = judge(series, loads: loads(series) { _ in 400 })
        #expect(even.verdict == .stillFilling && even.facts.loadRatio == 0, "\(even)")
    }

    /// One block in the newer half, of whatever share.
    @Test func aSingleBlockIsNoLeakThoughHardlyAnythingElseIsAllocatedThen() {
        let series = site(40) { ($0 < 20 ? 40 : $0 == 30 ? 1 : 0, nil) }
        let verdict = judge(series, loads: loads(series) { $0 < 20 ? 2000 : 20 })
        #expect(verdict.verdict == .plateauing && verdict.facts.loadRatio == 0, "\(verdict)")
    }

    @Test(arguments: [24, 44, 90, 300])
    func aDeclineThatEndsIsAPlateau(intervals: Int) {
        let series = site(intervals) { (10 * $0 < 6 * intervals ? 110 - 100 * $0 / intervals : 0, nil) }
        #expect(judge(series).verdict == .plateauing, "\(judge(series))")
    }

    /// Nothing besides what the cache itself allocates shows what is asked.
    @Test func aCacheThatFillsIsNoLeakThoughItsProcessAllocatesNothingElse() {
        func births(_ i: Int) -> Int { 1000 / (i + 1) }
        let series = site(40) { (births($0), nil) }
        #expect(judge(series, loads: loads(series) { births($0) + 1 }).facts.loadRatio == 0)
    }

    /// As by day and by night, at any part of the day.
    @Test(arguments: [20, 30, 44, 100, 400], [0, 1.5, 3, 4.5])
    func nothingIsReplacedWhereALoadThatVariesLeavesMoreAtTimes(intervals: Int, start: Double) {
        let series = site(intervals) { i in
            (Int(60 + 50 * sin(start + 9 * Double(i) / Double(intervals))), nil)
        }
        let verdict = judge(series)
        #expect(verdict.reason != .turnover && verdict.reason != .stalled, "\(verdict)")
        #expect(verdict.verdict.isGrowing || verdict.reason == .decel || verdict.verdict == .stillFilling, "\(verdict)")
    }

    /// A bounded store that was filled at an even rate until shortly before the end.
    @Test(arguments: [40, 64, 98, 100, 195, 400], [0.88, 0.9])
    func whatIsFullAtTheEndIsNoLeakThoughItWasFilledEvenly(intervals: Int, until: Double) {
        let filled = Int(until * Double(intervals))
        let series = site(intervals) { ($0 <= filled ? 100 : 0, nil) }
        let even = loads(series) { _ in 300 }
        let verdict = judge(series, loads: even)
        #expect(!verdict.verdict.isGrowing, "\(verdict)")
        // A process that rests shows nothing of what its sites do.
        let alone = judge(series)
        #expect(judge(series, loads: loads(series) { $0 <= filled ? 300 : 1 }) == alone)
        #expect(alone.verdict == (alone.reason == .flat ? .plateauing : .growing), "\(alone)")
        let leak = site(intervals) { _ in (100, nil) }
        #expect(judge(leak, loads: even).confidence == .high)
    }
}
