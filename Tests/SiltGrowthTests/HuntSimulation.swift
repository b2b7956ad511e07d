import Foundation
import SiltHeap
import SiltTestNumbers

@testable import SiltGrowth

/// What a call site does in a hunt: which routes and whether idle phases are to be charged is known.
enum HuntPattern: String, CaseIterable {
    // Route 2 leaks in these.
    case everyRequest, severalARequest, oneInHundred, unevenSizes, leakAfterWarmUp, leakUnderChurn, leakBesideCache
    case leakUnderSessions, leakInBursts, leakAtVaryingLoad, growingList
    // All routes leak, at different rates; the second over a timer; a timer alone.
    case routesDiffer, timerAndLeak, timer
    // Nothing leaks.
    case nothing, churn, warmUp, routeWarmUp, fillingCache, evictingCache, randomEviction, fullCache, finiteKeys
    case timedStore, pool, lastRequest, lazyTables, rareLazyTables, oneOff, oneOffPerRoute, sessions

    /// Whether the routes and the idle phases are to be charged, by phase, when there are so many routes.
    func charges(phase: Int, routes: Int) -> Bool {
        switch self {
        case .everyRequest, .severalARequest, .oneInHundred, .unevenSizes, .leakAfterWarmUp, .leakUnderChurn,
            .leakBesideCache, .leakUnderSessions, .leakInBursts, .leakAtVaryingLoad, .growingList:
            phase == min(2, routes)
        case .routesDiffer: phase > 0 && phase <= routes
        case .timerAndLeak: phase == 0 || phase == min(2, routes)
        case .timer: phase == 0
        case .nothing, .churn, .warmUp, .routeWarmUp, .fillingCache, .evictingCache, .randomEviction, .fullCache,
            .finiteKeys, .timedStore, .pool, .lastRequest, .lazyTables, .rareLazyTables, .oneOff, .oneOffPerRoute,
            .sessions:
            false
        }
    }

    /// Acts request by request.
    var countsRequests: Bool {
        switch self {
        case .leakBesideCache, .fillingCache, .evictingCache, .randomEviction, .fullCache, .finiteKeys, .pool,
            .lazyTables, .rareLazyTables:
            true
        case .everyRequest, .severalARequest, .oneInHundred, .unevenSizes, .leakAfterWarmUp, .leakUnderChurn,
            .leakUnderSessions, .leakInBursts, .leakAtVaryingLoad, .growingList, .routesDiffer, .timerAndLeak, .timer,
            .nothing,
            .churn, .warmUp, .routeWarmUp, .timedStore, .lastRequest, .oneOff, .oneOffPerRoute, .sessions:
            false
        }
    }

    /// Background growth, of which rounds alone say nothing.
    var needsIdle: Bool { self == .timer || self == .timerAndLeak }
}

/// A hunt with so many intervals a phase, run through a pattern.
struct SimulatedHunt {
    private(set) var hunt: HuntIntervals
    private var blocks: BlockHistory
    private var generator: SeededGenerator
    private let size: Int
    /// Intervals of a route.
    private let perPhase: Int
    private let requests: Int
    /// What a cache holds, oldest first, as indices into `entries`.
    private var entries: [(birth: Int, death: Int?)] = []
    private var cached: [Int] = []
    private var known: Set<Int> = []
    private var used = 0
    private var list = (birth: 0, size: 4096)

    /// Without idle phases when `routes` is 1.
    init(_ pattern: HuntPattern, intervals: Int, routes: Int, seed: UInt64) {
        var generator = SeededGenerator(seed: seed &* 2_654_435_761 &+ UInt64(intervals * 64 + routes))
        perPhase = intervals
        size = [32, 48, 100, 256, 1009][Int(seed % 5)]
        let requests = Int(generator.uniform(200, 500))
        self.requests = requests
        let phases = (0...routes + 1).flatMap {
            Array(repeating: $0, count: routes == 1 && ($0 == 0 || $0 > routes) ? 0 : intervals)
        }
        var load = phases.map { $0 == 0 || $0 > routes ? 0 : requests }
        if pattern == .leakAtVaryingLoad || seed % 3 == 0 {
            load = load.map { Int(Double($0) * generator.uniform(0.5, 1.5)) }
        }
        hunt = HuntIntervals(phases: phases, routes: routes, requests: load.map(Double.init))
        blocks = BlockHistory(intervals: phases.count)
        self.generator = generator
        run(pattern, leaking: min(2, routes))
    }

    func series() -> IntervalSeries {
        var all = blocks
        all.add(1, size: list.size, at: list.birth)
        for entry in entries { all.add(1, size: size, at: entry.birth, death: entry.death) }
        return all.series()
    }

    private mutating func stay(_ mean: Double, at interval: Int) {
        blocks.add(generator.poisson(mean), size: size, at: interval)
    }

    /// One block in `one` requests, each by itself.
    private mutating func sometimes(_ load: Int, one: Double, at interval: Int) {
        stay(Double(load) / one, at: interval)
    }

    /// Blocks that outlive their interval by a random number of them.
    private mutating func live(_ mean: Double, at interval: Int, for lifetime: (inout SeededGenerator) -> Int) {
        for _ in 0..<generator.poisson(mean) {
            blocks.add(1, size: size, at: interval, death: interval + lifetime(&generator))
        }
    }

    /// Puts an entry into a bounded cache; `atRandom`: which one goes when it is full.
    private mutating func cache(_ bound: Int, atRandom: Bool, at interval: Int) {
        if cached.count >= bound {
            let at = atRandom ? Int(generator.uniform(0, Double(cached.count))) : 0
            entries[cached.remove(at: at)].death = interval
        }
        cached.append(entries.count)
        entries.append((interval, nil))
    }

    private mutating func run(_ pattern: HuntPattern, leaking: Int) {
        let share = generator.uniform(0.1, 0.7)
        let routeRequests = requests * perPhase
        if pattern == .fullCache { for _ in 0..<routeRequests / 4 { cache(.max, atRandom: false, at: 0) } }
        let burst = Int(generator.uniform(0, Double(hunt.count)))
        var seen = 0
        for position in 0..<hunt.count {
            let phase = hunt.phases[position]
            let load = Int(hunt.requests[position])
            let isFirst = position == hunt.positions(ofPhase: phase).lowerBound
            step(pattern, at: position + 1, load: load, isLeaking: phase == leaking, isFirst: isFirst, share: share)
            if pattern == .routesDiffer, load > 0 { sometimes(load, one: Double(3 * phase), at: position + 1) }
            if pattern == .oneOff, position == burst { blocks.add(routeRequests / 8, size: size, at: position + 1) }
            for _ in 0..<(pattern.countsRequests ? load : 0) {
                seen += 1
                request(pattern, at: position + 1, share: share, number: seen, isLeaking: phase == leaking)
            }
        }
    }

    /// What an interval does as a whole.
    private mutating func step(
        _ pattern: HuntPattern,
        at interval: Int,
        load: Int,
        isLeaking: Bool,
        isFirst: Bool,
        share: Double
    ) {
        let busy = Double(load)
        switch pattern {
        case .everyRequest: if isLeaking { blocks.add(load, size: size, at: interval) }
        case .severalARequest: if isLeaking { blocks.add(3 * load, size: size, at: interval) }
        case .oneInHundred: if isLeaking { sometimes(load, one: 100, at: interval) }
        case .unevenSizes:
            if isLeaking {
                for _ in 0..<load / 4 { blocks.add(1, size: Int(generator.uniform(16, 400)), at: interval) }
            }
        case .leakAfterWarmUp:
            if isFirst, isLeaking { blocks.add(5 * requests, size: size, at: interval) }
            if isLeaking { sometimes(load, one: 2, at: interval) }
        case .leakUnderChurn:
            live(busy, at: interval) { _ in 1 }
            if isLeaking { sometimes(load, one: 10, at: interval) }
        case .leakUnderSessions:
            live(busy / 2, at: interval) { $0.lifetime(1.5) }
            if isLeaking { sometimes(load, one: 5, at: interval) }
        case .leakInBursts:
            if isLeaking { stay(busy / 20 * generator.uniform(0.2, 3), at: interval) }
        case .growingList:
            // One block, replaced by a longer one in every round.
            guard isLeaking else { return }
            blocks.add(1, size: list.size, at: list.birth, death: interval)
            list = (interval, list.size + 8 * load)
        case .leakAtVaryingLoad, .leakBesideCache: if isLeaking { sometimes(load, one: 3, at: interval) }
        case .timer: stay(3 + 10 * share, at: interval)
        case .timerAndLeak:
            stay(3 + 5 * share, at: interval)
            if isLeaking { sometimes(load, one: 4, at: interval) }
        case .churn: live(busy, at: interval) { _ in 1 }
        case .warmUp: if interval == 1 { blocks.add(requests, size: size, at: interval) }
        case .routeWarmUp: if isFirst, load > 0 { blocks.add(requests, size: size, at: interval) }
        case .oneOffPerRoute: if isFirst { blocks.add(1 + Int(100 * share), size: size, at: interval) }
        case .timedStore:
            let life = 1 + Int(share * Double(perPhase) * 0.6)
            blocks.add(load / 2, size: size, at: interval, death: interval + life)
        case .lastRequest: if load > 0 { blocks.add(40, size: size, at: interval, death: interval + 1) }
        case .sessions: live(busy / 4, at: interval) { $0.lifetime(1.05 + 0.4 * share) }
        case .routesDiffer, .nothing, .fillingCache, .evictingCache, .randomEviction, .fullCache, .finiteKeys, .pool,
            .lazyTables, .rareLazyTables, .oneOff:
            break
        }
    }

    /// What each request does.
    private mutating func request(_ pattern: HuntPattern, at interval: Int, share: Double, number: Int, isLeaking: Bool)
    {
        let total = requests * perPhase
        switch pattern {
        case .evictingCache, .leakBesideCache: cache(Int(share * Double(total)), atRandom: false, at: interval)
        case .randomEviction: cache(Int(share * Double(total) / 4), atRandom: true, at: interval)
        case .fullCache: cache(total / 4, atRandom: false, at: interval)
        case .fillingCache: if number <= Int(share * 0.5 * Double(total)) { blocks.add(1, size: size, at: interval) }
        case .finiteKeys:
            let keys = share * Double(total) / 4
            if known.insert(Int(generator.uniform(0, keys))).inserted { blocks.add(1, size: size, at: interval) }
        case .pool:
            // As many connections as ever were busy at once.
            let busy = generator.poisson(4 + 10 * share)
            if busy > used {
                blocks.add(busy - used, size: size, at: interval)
                used = busy
            }
        case .lazyTables, .rareLazyTables:
            // Ever fewer parts are used for the first time.
            let pace = Double(requests) * (0.1 + 1.5 * share)
            let parts = pattern == .lazyTables ? 100.0 : 6
            if generator.uniform(0, 1) < parts / pace * exp(-Double(number) / pace) {
                blocks.add(1, size: size, at: interval)
            }
        case .everyRequest, .severalARequest, .oneInHundred, .unevenSizes, .leakAfterWarmUp, .leakUnderChurn,
            .leakUnderSessions, .leakInBursts, .leakAtVaryingLoad, .growingList, .routesDiffer, .timerAndLeak, .timer,
            .nothing,
            .churn, .warmUp, .routeWarmUp, .timedStore, .lastRequest, .oneOff, .oneOffPerRoute, .sessions:
            break
        }
    }
}
