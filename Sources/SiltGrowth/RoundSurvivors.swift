internal import SiltHeap

/// Survivors of the judged intervals of a phase, at equal load, with what both judges of hunts ask of them.
struct RoundSurvivors {
    /// Positions of the judged intervals, rising.
    let positions: [Int]
    /// Blocks and bytes of each that live now, as if each had had the mean number of requests.
    let counts: [Double]
    let bytes: [Double]
    /// As they were, in sum.
    let survivors: Double
    let survivorBytes: Double
    let requests: Double
    /// Mean count of the older and of the newer half, a middle one left out, and the noise of their difference.
    let older: Double
    let newer: Double
    private let noise: Double

    /// `meanLoad`: requests that count as one, 0 to take all intervals for equal.
    init(_ series: IntervalSeries, _ hunt: HuntIntervals, _ positions: [Int], meanLoad: Double) {
        self.positions = positions
        func atMeanLoad(_ values: [Double]) -> [Double] {
            positions.map { meanLoad > 0 ? values[$0] * meanLoad / hunt.requests[$0] : values[$0] }
        }
        counts = atMeanLoad(series.counts)
        bytes = atMeanLoad(series.bytes)
        survivors = positions.reduce(0) { $0 + series.counts[$1] }
        survivorBytes = positions.reduce(0) { $0 + series.bytes[$1] }
        requests = positions.reduce(0) { $0 + hunt.requests[$1] }
        let half = counts.count / 2
        older = half > 0 ? mean(counts[..<half]) : counts.first ?? 0
        newer = half > 0 ? mean(counts[(counts.count - half)...]) : counts.last ?? 0
        // No less than what blocks that come singly would differ by.
        noise =
            half > 0
            ? max(
                deviation(counts) * (2 / Double(half)).squareRoot(),
                GrowthRules.Hunt.countNoise * ((older + newer) / Double(half)).squareRoot()
            ) : .infinity
    }

    /// Mean size of a block; 1 where there is none.
    var blockBytes: Double { survivorBytes > 0 ? max(1, survivorBytes / max(1, survivors)) : 1 }

    var occupied: Int { counts.count { $0 > 0 } }
    var occupiedShare: Double { counts.isEmpty ? 0 : Double(occupied) / Double(counts.count) }

    /// Fewer survivors in the newer half, beyond noise.
    var decelerates: Bool {
        older > GrowthRules.declineRatio * newer && older - newer > GrowthRules.declineScore * noise
    }

    /// Each interval left fewer than the one before, the last at most a part of the first.
    var fallsToHalf: Bool {
        guard counts.count >= 2, let first = counts.first, let last = counts.last else { return false }
        return zip(counts, counts.dropFirst()).allSatisfy(>) && last <= GrowthRules.Hunt.fallShare * first
    }

    var neverRises: Bool { zip(counts, counts.dropFirst()).allSatisfy(>=) }

    /// Nothing of a whole stretch, or of the oldest, survived, and most of the last: what came earlier is gone, or the load had
    /// not begun it.
    var isLate: Bool {
        let empty = counts.prefix { $0 == 0 }.count
        if empty >= GrowthRules.Late.minimumEmpty, Double(empty) >= GrowthRules.Late.share * Double(counts.count),
            mean(counts[empty...]) >= GrowthRules.Late.usual
        {
            return true
        }
        let parts = thirds(of: counts)
        guard parts != [true, true, true], parts[2] else { return false }
        return older < newer / GrowthRules.lateRatio || parts == [false, true, true]
    }

    /// Few of the intervals left half of all.
    var isConcentrated: Bool {
        typealias Rules = GrowthRules.Concentrated
        guard counts.count >= Rules.minimum else { return false }
        let most = counts.sorted(by: >).prefix(counts.count / Rules.part)
        return most.reduce(0, +) >= Rules.share * counts.reduce(0, +)
    }

    /// Standard deviation of the bytes as a share of their mean.
    var variation: Double {
        let center = mean(bytes)
        return center > 0 ? deviation(bytes) / center : 0
    }

    /// Half the 95 % range of the mean bytes; one interval alone may be wrong by all of it.
    var meanError: Double {
        guard bytes.count > 1 else { return mean(bytes) }
        return GrowthRules.rangeScore * deviation(bytes) / Double(bytes.count).squareRoot()
    }

    /// The positions without the newest that hold what is replaced: it stays when the load ends, beside any leak.
    static func withoutNewest(
        _ series: IntervalSeries,
        _ hunt: HuntIntervals,
        _ positions: [Int],
        meanLoad: Double
    ) -> [Int] {
        typealias Rules = GrowthRules.Newest
        let counts = positions.map { series.counts[$0] / hunt.load($0, meanLoad) }
        let bytes = positions.map { series.bytes[$0] / hunt.load($0, meanLoad) }
        let least = max(Rules.kept, Int((Rules.keptShare * Double(positions.count)).rounded(.up)))
        var kept = positions.count
        while kept > least {
            let usual = median(counts[..<(kept - 1)])
            let chance = Rules.chance * (usual + 1).squareRoot()
            let isMany = counts[kept - 1] > Rules.ratio * usual + chance
            // Few big blocks among many small ones show by their bytes alone.
            let usualBytes = median(bytes[..<(kept - 1)])
            let isLarge = usual > 0 && bytes[kept - 1] > Rules.ratio * usualBytes + chance * usualBytes / usual
            guard isMany || isLarge else { break }
            kept -= 1
        }
        // Beside nothing there is nothing to be told apart from.
        let rest = positions[..<kept]
        return rest.reduce(0) { $0 + series.counts[$1] } < Rules.minimumBlocks ? positions : Array(rest)
    }

    /// Tells an evidence line what was judged; `skipped`: what is taken for warm-up.
    func describe(_ facts: inout GrowthFacts, _ series: IntervalSeries, _ hunt: HuntIntervals, skipped: Range<Int>) {
        let raw = positions.map { series.counts[$0] }
        facts.slices = positions.count
        facts.occupied = occupied
        facts.fewest = raw.min() ?? 0
        facts.most = raw.max() ?? 0
        facts.survivors = survivors
        facts.survivorBytes = survivorBytes
        facts.older = older
        facts.newer = newer
        facts.firstJudged = (positions.first ?? -1) + 1
        facts.lastJudged = (positions.last ?? -1) + 1
        facts.requests = requests
        facts.seconds = hunt.seconds.isEmpty ? 0 : hunt.exposure(positions)
        facts.warmUpBytes = skipped.reduce(0) { $0 + series.bytes[$1] }
        let load = skipped.reduce(0) { $0 + hunt.requests[$1] }
        let usual =
            requests > 0
            ? survivorBytes * load / requests : mean(positions.map { series.bytes[$0] }) * Double(skipped.count)
        facts.oneOffBytes = max(0, facts.warmUpBytes - usual)
    }
}

extension HuntIntervals {
    /// Mean requests of those of the intervals that had any; 0 when none had.
    func meanLoad(_ positions: some Sequence<Int>) -> Double { mean(positions.map { requests[$0] }.filter { $0 > 0 }) }

    /// Requests of an interval as a share of the mean; 1 when they are not known.
    func load(_ position: Int, _ meanLoad: Double) -> Double { meanLoad > 0 ? requests[position] / meanLoad : 1 }

    /// Requests of a phase by the middle of one of its intervals, in those of the mean one.
    func asked(in rounds: Range<Int>, by position: Int, _ meanLoad: Double) -> Double {
        (rounds.lowerBound..<position).reduce(0.5 * load(position, meanLoad)) { $0 + load($1, meanLoad) }
    }

    /// Those of the intervals that say something about a rate per request: all, when requests are not known.
    func loaded(_ positions: some Sequence<Int>, meanLoad: Double) -> [Int] {
        positions.filter { meanLoad == 0 || requests[$0] > 0 }
    }

    /// Two of them, as indices, between which old bytes compare: a ring keeps less of what is old after more requests.
    ///
    /// The newest that has one two before it or more, of a load at least `comparableLoad` of its own; else the two furthest
    /// apart.
    func comparable(_ positions: some RandomAccessCollection<Int>) -> (first: Int, last: Int) {
        let positions = Array(positions)
        var best = (first: 0, last: 0)
        for last in positions.indices.reversed() {
            let minimum = GrowthRules.Hunt.comparableLoad * requests[positions[last]]
            guard let first = positions[...last].firstIndex(where: { requests[$0] >= minimum }) else { continue }
            if last - first > best.last - best.first { best = (first, last) }
            if last - first >= GrowthRules.Hunt.comparableSteps { break }
        }
        return best
    }
}

/// Which thirds of a series have anything: each begins at the ceiling of its share.
func thirds(of counts: [Double]) -> [Bool] {
    var parts = [false, false, false]
    for (index, count) in counts.enumerated() where count > 0 { parts[3 * index / counts.count] = true }
    return parts
}
