import Testing

@testable import SiltHeap

struct SliceHistoryTests {
    /// The same site told of every snapshot, and only of those at which something happened.
    @Test(arguments: [1, 3, 7, 40, 333])
    func idleStretchesAreFilledInAsIfTheyHadBeenTold(pause: UInt32) {
        var eager = SliceHistory(baselineBytes: 500, baselineCount: 5, interval: 0)
        var lazy = eager
        var live: UInt64 = 500
        for interval in UInt32(1)...1200 {
            if interval % pause == 0 {
                let size = UInt64(interval % 11 + 1) * 16
                for index in [0, 1] {
                    var history = index == 0 ? eager : lazy
                    history.close(interval: interval - 1, liveBytes: live)
                    history.survived(bytes: size, count: 1, born: interval)
                    history.close(interval: interval, liveBytes: live + size)
                    if index == 0 { eager = history } else { lazy = history }
                }
                live += size
            } else {
                eager.close(interval: interval, liveBytes: live)
            }
        }
        #expect(eager.series(atSnapshot: 1200) == lazy.series(atSnapshot: 1200))
        #expect(SiteHistory.slices(eager).survivors == (live - 500, 1200 / UInt64(pause)))
    }

    @Test(arguments: [0, 1, 2, 31, 32, 33, 64, 65, 100, 128, 129, 1000, 4097] as [UInt32])
    func aHistoryThatBeginsLateIsThatOfASiteThatStoodStill(interval: UInt32) {
        var told = SliceHistory(baselineBytes: 500, baselineCount: 5, interval: 0)
        for snapshot in 0...interval { told.close(interval: snapshot, liveBytes: 500) }
        #expect(SliceHistory(baselineBytes: 500, baselineCount: 5, interval: interval) == told)
    }

    @Test func aWeekOfStandingStillIsPassedOverBucketByBucket() {
        var history = SliceHistory(baselineBytes: 64, baselineCount: 1, interval: 0)
        history.close(interval: 1, liveBytes: 64)
        let series = history.series(atSnapshot: 604_800)
        #expect(series.snapshots == 604_800)
        #expect((16...32).contains(series.troughs.count))
        #expect(series.troughs.allSatisfy { $0 == 64 })
        #expect(series.olderThanQuarter.allSatisfy { $0 == 64 })
    }

    @Test func beyondFourGibibytesABucketLosesResolutionOnly() {
        var history = SliceHistory(baselineBytes: 0, baselineCount: 0, interval: 0)
        var live: UInt64 = 0
        for interval in UInt32(1)...10 {
            history.survived(bytes: 9_000_000_000, count: 1000, born: interval)
            history.survived(bytes: 100, count: 1, born: interval)
            live += 9_000_000_100
            history.close(interval: interval, liveBytes: live)
        }
        history.died(bytes: 9_000_000_000, count: 1000, born: 3)
        let series = history.series(atSnapshot: 10)
        #expect(abs(series.bytes[4] - 9_000_000_100) < 100)
        #expect(series.bytes[2] < 1000)
        #expect(series.counts[2] == 1)
        #expect(abs(series.troughs[9] - 90_000_001_000) < 100)
        #expect(series.live == 90_000_001_000)
    }

    /// Workers are judged over the time that all of them lived.
    @Test func aHistoryCanBeReadUpToAnEarlierSnapshot() {
        var history = SliceHistory(baselineBytes: 0, baselineCount: 0, interval: 0)
        for interval in UInt32(1)...12 {
            history.survived(bytes: 10, count: 1, born: interval)
            history.close(interval: interval, liveBytes: UInt64(interval) * 10)
        }
        history.died(bytes: 10, count: 1, born: 3)
        let series = history.series(atSnapshot: 5)
        #expect(series.snapshots == 5)
        #expect(series.counts == [1, 1, 0, 1, 1])
        #expect(series.troughs == [10, 20, 30, 40, 50])
        #expect(series.live == 50)
    }

    @Test(arguments: [0, 5, 31, 32, 33, 40, 64, 100, 1000, 604_800] as [UInt32])
    func birthsAreThoseOfTheSeries(snapshot: UInt32) {
        var history = SliceHistory(baselineBytes: 10, baselineCount: 1, interval: 0)
        for interval in UInt32(1)...40 where interval % 3 != 0 {
            history.survived(bytes: UInt64(interval) * 1000, count: UInt64(interval), born: interval)
            history.close(interval: interval, liveBytes: UInt64(interval) * 777)
        }
        let (births, series) = (history.births(atSnapshot: snapshot), history.series(atSnapshot: snapshot))
        #expect(births.bytes == series.bytes)
        #expect(births.counts == series.counts)
    }

    @Test func sumsMayBeMoreThanFourGibibytes() {
        var history = SliceHistory(baselineBytes: 0, baselineCount: 0, interval: 0)
        for interval in UInt32(1)...32 {
            history.survived(bytes: 3 << 30, count: 1, born: interval)
            history.close(interval: interval, liveBytes: UInt64(interval) * 3 << 30)
        }
        var sum = SiteHistory.slices(history)
        sum.add(.slices(history))
        #expect(sum.survivors == (192 << 30, 64))
        // Two intervals each fall into one bucket of what comes next.
        history.survived(bytes: 1 << 30, count: 1, born: 33)
        history.close(interval: 33, liveBytes: 97 << 30)
        let series = history.series(atSnapshot: 34)
        #expect(series.bytes == Array(repeating: Double(UInt64(6) << 30), count: 16) + [Double(UInt64(1) << 30)])
        #expect(series.counts == Array(repeating: 2, count: 16) + [1])
    }

    @Test func sumsAreThoseOfTheirParts() {
        var first = SliceHistory(baselineBytes: 10, baselineCount: 1, interval: 0)
        var second = SliceHistory(baselineBytes: 20, baselineCount: 1, interval: 0)
        var both = SliceHistory(baselineBytes: 30, baselineCount: 2, interval: 0)
        for interval in UInt32(1)...77 {
            first.survived(bytes: 32, count: 1, born: interval)
            first.close(interval: interval, liveBytes: 10 + 32 * UInt64(interval))
            both.survived(bytes: 32, count: 1, born: interval)
            if interval <= 20 {
                second.survived(bytes: 48, count: 2, born: interval)
                second.close(interval: interval, liveBytes: 20 + 48 * UInt64(interval))
                both.survived(bytes: 48, count: 2, born: interval)
            }
            let late = 20 + 48 * UInt64(min(interval, 20))
            both.close(interval: interval, liveBytes: 10 + 32 * UInt64(interval) + late)
        }
        for (one, other) in [(first, second), (second, first)] {
            var sum = SiteHistory.slices(one)
            sum.add(.slices(other))
            #expect(sum.series(atSnapshot: 77) == both.series(atSnapshot: 77))
        }
    }

    @Test(arguments: [1, 1 << 24] as [UInt64])
    func anEncodedHistoryIsReadBack(scale: UInt64) throws {
        var history = SliceHistory(baselineBytes: 10, baselineCount: 1, interval: 0)
        for interval in UInt32(1)...50 {
            history.survived(bytes: UInt64(interval) * 1024 * scale, count: 2, born: interval)
            history.close(interval: interval, liveBytes: UInt64(interval) * 512 * scale)
        }
        let bytes = SiteHistory.slices(history).encoded()
        #expect(try SiteHistory(decoding: bytes) == .slices(history))
        for length in bytes.indices {
            #expect(throws: HistoryError.self) { try SiteHistory(decoding: Array(bytes[..<length])) }
        }
    }

    @Test func aContradictoryHistoryIsRefused() {
        // Version 1, width 1, snapshot 2^31: more snapshots than 32 buckets of one hold.
        let bytes: [UInt8] = [1, 1, 0x80, 0x80, 0x80, 0x80, 0x08, 0, 0, 0, 0, 0, 0, 0]
        #expect(throws: HistoryError.contradictory) { try SiteHistory(decoding: bytes) }
    }
}
