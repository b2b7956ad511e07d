import Testing

@testable import SiltHeap

struct SnapshotScaleTests {
    @Test func stepsDoubleUntilTheLongestIsReached() {
        let scale = SnapshotScale(maximumStep: 8)
        #expect([0, 1, 32, 33, 48, 49, 64, 65, 80, 81].map(scale.tick) == [0, 1, 32, 34, 64, 68, 128, 136, 256, 264])
        #expect([1, 32, 33, 48, 49, 65, 66, 200].map(scale.step) == [1, 1, 2, 2, 4, 8, 8, 8])
        #expect((0...300).map { SnapshotScale.even.tick(of: $0) } == Array(0...300))
    }

    /// At any time the last step is no longer than a bucket of a history, and 1/16 of the time so far.
    @Test func aHistoryHasASnapshotInEachOfItsBuckets() {
        let scale = SnapshotScale(maximumStep: 64)
        for snapshot in UInt32(33)...1000 {
            let tick = scale.tick(of: snapshot)
            let step = scale.step(to: snapshot)
            #expect(step.nonzeroBitCount == 1 && tick % step == 0)
            #expect(step <= (tick + 15) / 16)
        }
    }

    @Test func aSecondIsCutIntoTicksOfTenMillisecondsAtLeast() {
        #expect(SnapshotScale(period: 1).maximumStep == 64)
        #expect(SnapshotScale(period: 10).maximumStep == 512)
        #expect(SnapshotScale(period: 0.1) == .even)
    }

    /// A site that gains ten bytes a tick looks the same whether each tick was looked at or only the scale's.
    @Test(arguments: [20, 40, 79, 160] as [UInt32])
    func aSteadySiteIsSeenAsSteady(snapshots: UInt32) {
        let scale = SnapshotScale(maximumStep: 64)
        var history = SliceHistory(baselineBytes: 0, baselineCount: 0, interval: 0)
        for snapshot in 1...snapshots {
            let (tick, step) = (scale.tick(of: snapshot), scale.step(to: snapshot))
            history.survived(bytes: UInt64(step) * 10, count: UInt64(step), born: tick)
            history.close(interval: tick, liveBytes: UInt64(tick) * 10, step: step)
        }
        let series = history.series(atSnapshot: scale.tick(of: snapshots))
        #expect(series.snapshots == Int(scale.tick(of: snapshots)))
        #expect(series.counts.allSatisfy { $0 == Double(series.width) })
        let steps = zip(series.troughs.dropFirst(), series.troughs).map { $0 - $1 }
        #expect(steps.dropFirst().allSatisfy { $0 >= 0 && $0 <= Double(series.width) * 20 })
        #expect(series.live == Double(scale.tick(of: snapshots)) * 10)
    }

    /// However long the first ones took: a program of three seconds has several.
    @Test func costlySnapshotsLeaveNoLongGap() {
        var times = [0.05]
        while let last = times.last, last < 3 {
            times.append(last + SnapshotScale.rest(after: 0.3, share: 25, at: last))
        }
        #expect(times.count >= 7, "\(times)")
        let gap = zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? 0
        #expect(gap <= (times.last ?? 0) * 0.4, "\(times)")
        // Later they take no more than their share.
        #expect(SnapshotScale.rest(after: 0.3, share: 25, at: 60) == 7.5)
        #expect(SnapshotScale.rest(after: 0.001, share: 25, at: 0) == 0.025)
    }
}
