import SiltTestNumbers

@testable import SiltGrowth
@testable import SiltHeap

extension SeededGenerator {
    mutating func uniform(_ low: Double, _ high: Double) -> Double { Double.random(in: low..<high, using: &self) }

    /// Events in an interval that sees `mean` on average (Knuth's product of uniforms; a large mean in parts).
    mutating func poisson(_ mean: Double) -> Int {
        var left = mean
        var count = 0
        while left > 0 {
            let part = min(left, 30)
            left -= part
            var product = uniform(0, 1)
            // exp(-part) = (1 - part / 2^16)^(2^16), nearly.
            var limit = 1 - part / 65536
            for _ in 0..<16 { limit *= limit }
            while product > limit {
                count += 1
                product *= uniform(0, 1)
            }
        }
        return count
    }

    /// Whole intervals, at least 1, with a constant chance of ending.
    mutating func lifetime(_ mean: Double) -> Int {
        var intervals = 1
        while uniform(0, 1) > 1 / mean, intervals < 100_000 { intervals += 1 }
        return intervals
    }
}

/// The heap of one call site, interval by interval, fed to a history as the analyzer does.
struct SimulatedSite {
    let intervals: Int
    var generator: SeededGenerator
    private var births: [[(count: Int, size: Int, death: Int?)]]

    init(intervals: Int, generator: SeededGenerator) {
        self.intervals = intervals
        self.generator = generator
        births = Array(repeating: [], count: intervals + 1)
    }

    /// Blocks born in an interval (0 = before the baseline) that live to the end, or for so many snapshots.
    mutating func add(_ count: Int, size: Int, at interval: Int, lifetime: Int? = nil) {
        guard count > 0, interval >= 0, interval <= intervals, lifetime != 0 else { return }
        births[interval].append((count, size, lifetime.map { interval + $0 }))
    }

    func series() -> SurvivorSeries {
        var deaths: [[(birth: Int, count: Int, size: Int)]] = Array(repeating: [], count: intervals + 1)
        for (interval, born) in births.enumerated() {
            for group in born {
                if let death = group.death, death <= intervals {
                    deaths[death].append((interval, group.count, group.size))
                }
            }
        }
        var live = UInt64(births[0].reduce(0) { $0 + $1.count * $1.size })
        var history = SliceHistory(
            baselineBytes: live,
            baselineCount: UInt64(births[0].reduce(0) { $0 + $1.count }),
            interval: 0
        )
        for interval in stride(from: 1, through: intervals, by: 1) {
            for dead in deaths[interval] {
                history.died(bytes: UInt64(dead.count * dead.size), count: UInt64(dead.count), born: UInt32(dead.birth))
                live -= UInt64(dead.count * dead.size)
            }
            for born in births[interval] {
                let bytes = UInt64(born.count * born.size)
                history.survived(bytes: bytes, count: UInt64(born.count), born: UInt32(interval))
                live += bytes
            }
            history.close(interval: UInt32(interval), liveBytes: live)
        }
        return history.series(atSnapshot: UInt32(intervals))
    }
}

/// What call sites do, each with what the judge should say of it.
enum Pattern: String, CaseIterable {
    case steadyLeak, leakUnderChurn, burstyLeak, restingBursts, leakUnderSessions, acceleratingLeak, slowingLeak,
        leakBesideLargeSet
    case leakUnderBatches, leakFollowingTheDay, doublingVector, backlog
    case nothing, startUp, shortChurn, sessions, fillingCache, evictingCache, randomEviction, timedStore, lazyTables
    case randomKeys
    case step, flushedBuffer, dayAndNight, settledVector, drainedBacklog, burstyQueue, fullCacheAtAttach, randomWalk

    var grows: Bool {
        switch self {
        case .steadyLeak, .leakUnderChurn, .burstyLeak, .restingBursts, .leakUnderSessions, .acceleratingLeak,
            .slowingLeak, .leakBesideLargeSet, .leakUnderBatches, .leakFollowingTheDay, .doublingVector, .backlog:
            true
        case .nothing, .startUp, .shortChurn, .sessions, .fillingCache, .evictingCache, .randomEviction, .timedStore,
            .lazyTables, .randomKeys, .step, .flushedBuffer, .dayAndNight, .settledVector, .drainedBacklog,
            .burstyQueue,
            .fullCacheAtAttach, .randomWalk:
            false
        }
    }

    /// Bounded, but not full before the run ends: a run that is too short cannot tell.
    var fills: Bool { self == .randomKeys }

    func series(intervals n: Int, seed: UInt64) -> SurvivorSeries {
        var site = SimulatedSite(intervals: n, generator: SeededGenerator(seed: seed))
        let size = [32, 48, 100, 256, 1009][Int(seed % 5)]
        let run = Double(n)
        let rate = site.generator.uniform(1, 12)
        for i in 0...n { live(&site, i, size: size, rate: rate, run: run) }
        once(&site, size: size, rate: rate, run: run)
        return site.series()
    }

    /// What happens in one interval.
    private func live(_ site: inout SimulatedSite, _ i: Int, size: Int, rate: Double, run: Double) {
        func churn(_ mean: Double, _ site: inout SimulatedSite) {
            site.add(site.generator.poisson(mean), size: size, at: i, lifetime: 1)
        }
        func stay(_ mean: Double, _ site: inout SimulatedSite) {
            site.add(site.generator.poisson(mean), size: size, at: i)
        }
        func sessions(_ mean: Double, life: Double, _ site: inout SimulatedSite) {
            for _ in 0..<site.generator.poisson(mean) {
                site.add(1, size: size, at: i, lifetime: site.generator.lifetime(life))
            }
        }
        let day = 1 + (((i / max(1, Int(run / 6))) % 2 == 0) ? 0.8 : -0.8)
        switch self {
        case .steadyLeak: stay(rate, &site)
        case .leakUnderChurn:
            churn(20 * rate, &site)
            stay(rate, &site)
        case .burstyLeak: if i % 4 == 1 { stay(4 * rate, &site) }
        case .restingBursts:
            // Ten bursts, of the same size, and a rest of the same length after the last.
            let gap = max(1, run / 10)
            if i > 0, Int(Double(i) / gap) != Int(Double(i - 1) / gap), Double(i) < run {
                site.add(Int(10 * rate), size: size, at: i)
            }
        case .leakUnderSessions:
            sessions(2 * rate, life: 1 + run / 12, &site)
            stay(rate, &site)
        case .acceleratingLeak: stay(rate * (0.5 + Double(i) / run), &site)
        case .slowingLeak: stay(Double(i) < run / 2 ? 3 * rate : rate, &site)
        case .leakBesideLargeSet:
            if i == 0 { site.add(10_000, size: 1024, at: 0) }
            stay(rate, &site)
        case .leakUnderBatches:
            site.add(Int(8 * rate), size: size, at: i, lifetime: 4 - i % 4)
            stay(rate, &site)
        case .leakFollowingTheDay: stay(rate * day, &site)
        case .shortChurn: churn(10 * rate, &site)
        case .sessions: sessions(3 * rate, life: 1 + run / 12, &site)
        case .fillingCache: if Double(i) < run * 0.4 { stay(rate, &site) }
        case .evictingCache: site.add(Int(rate) + 1, size: size, at: i, lifetime: 1 + Int(run / 3))
        case .randomEviction: sessions(rate, life: 1 + run / 8, &site)
        case .timedStore:
            site.add(site.generator.poisson(2 * rate), size: size, at: i, lifetime: 1 + Int(run / 4))
        case .lazyTables:
            var share = 1.0
            for _ in 0..<Int(Double(i) * 16 / run) { share *= 0.5 }
            stay(8 * rate * share, &site)
        case .randomKeys:
            // As many as are new among those that are asked for again and again.
            var share = 1.0
            for _ in 0..<Int(Double(i) * 24 / run) { share *= 0.9 }
            stay(6 * rate * share, &site)
        case .flushedBuffer: site.add(Int(rate) + 1, size: size, at: i, lifetime: 5 - i % 5)
        case .dayAndNight: churn(20 * rate * day, &site)
        case .drainedBacklog:
            let half = max(2, Int(run / 3))
            site.add(Int(2 * rate), size: size, at: i, lifetime: max(1, half - i % half))
        case .burstyQueue:
            if site.generator.uniform(0, 1) < 0.15 {
                site.add(Int(30 * rate), size: size, at: i, lifetime: 1 + Int(site.generator.uniform(0, 3)))
            }
            churn(rate, &site)
        case .randomWalk: site.add(site.generator.poisson(rate), size: size, at: i, lifetime: 2 + i % 3)
        case .backlog, .nothing, .startUp, .step, .settledVector, .doublingVector, .fullCacheAtAttach: break
        }
    }

    /// What is planned for the whole run.
    private func once(_ site: inout SimulatedSite, size: Int, rate: Double, run: Double) {
        let n = site.intervals
        switch self {
        case .nothing: site.add(40, size: size, at: 0)
        case .startUp:
            site.add(100, size: size, at: 0)
            site.add(Int(20 * rate), size: size, at: 1)
        case .step:
            site.add(10, size: size, at: 0)
            site.add(1, size: 100_000, at: Int(site.generator.uniform(0.2, 0.7) * run))
        case .fullCacheAtAttach:
            let entries = max(n / 3, 2)
            for i in 0..<entries { site.add(4, size: size, at: 0, lifetime: i + 1) }
            for i in stride(from: 1, through: n, by: 1) { site.add(4, size: size, at: i, lifetime: entries) }
        case .doublingVector, .settledVector:
            // Entries of 8 bytes: the growing one is filled at a constant rate, the other up to a bound.
            var capacity = 16
            var born = 0
            let entries = 64 * Int(rate + 1)
            for i in stride(from: 1, through: n, by: 1) {
                let filled = self == .doublingVector ? entries * i / 8 : min(entries, entries * i * 4 / n)
                guard filled > capacity else { continue }
                site.add(1, size: capacity * 8, at: born, lifetime: i - born)
                while capacity < filled { capacity *= 2 }
                born = i
            }
            site.add(1, size: capacity * 8, at: born)
        case .backlog:
            // Twice as many in as out, first in, first out.
            let income = 2 * (Int(rate) + 1)
            for i in stride(from: 1, through: n, by: 1) {
                for k in 0..<income {
                    let position = (i - 1) * income + k
                    site.add(1, size: size, at: i, lifetime: max(1, position * 2 / income + 1 - i))
                }
            }
        default: break
        }
    }
}
