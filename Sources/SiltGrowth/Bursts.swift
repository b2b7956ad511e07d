package import SiltHeap

/// Survivors of a few intervals, with rests between them.
struct Bursts {
    private typealias Rules = GrowthRules.Bursts

    /// Blocks of each; one that goes on in the next interval is the same.
    private var sizes: [Double] = []
    /// Intervals between two.
    private var rests: [Double] = []
    /// Intervals after the last one.
    private var rest = 0.0

    init(_ counts: [Double]) {
        for count in counts {
            if count == 0 {
                rest += 1
                continue
            }
            if sizes.isEmpty || rest > 0 {
                if !sizes.isEmpty { rests.append(rest) }
                sizes.append(0)
            }
            sizes[sizes.count - 1] += count
            rest = 0
        }
    }

    var count: Int { sizes.count }

    /// They are of nearly the same size, come after rests of nearly the same length, and may go on.
    func areRegular(minimum: Int) -> Bool { areRegular(minimum: minimum, restRatio: Rules.restRatio) }

    /// The same, though they have not come for longer: it was not seen that they are over.
    func mayComeAgain(minimum: Int) -> Bool { areRegular(minimum: minimum, restRatio: Rules.openRatio) }

    /// `restRatio`: since the last one, by the longest rest.
    private func areRegular(minimum: Int, restRatio: Double) -> Bool {
        guard count >= minimum, let longest = rests.max(), let smallest = sizes.min() else { return false }
        return longest <= Rules.restRatio * median(rests) && rest <= restRatio * longest
            && smallest >= Rules.sizeShare * median(sizes)
    }
}

/// The charge of what workers that replace each other lose once in so many requests; nil without one.
///
/// They lose it at the same ages, and so in the same parts of their lives and in no other. Nothing of it is freed. What all
/// parts left is the rate: one loss more or less in a part is much of it.
package func judgeBursts(_ series: IntervalSeries, _ hunt: HuntIntervals) -> GrowthVerdict? {
    typealias Rules = GrowthRules.Bursts
    let bursts = Bursts(series.counts)
    let (blocks, bytes) = (series.counts.reduce(0, +), series.bytes.reduce(0, +))
    let requests = hunt.requests.reduce(0, +)
    guard bursts.areRegular(minimum: Rules.minimumOfWorkers), blocks >= Rules.minimumBlocks, let end = series.live.last,
        end - series.live[0] >= Rules.keptShare * bytes
    else { return nil }
    var facts = GrowthFacts(series.live, drops: 0)
    (facts.slices, facts.occupied) = (hunt.count, series.counts.count { $0 > 0 })
    (facts.fewest, facts.most) = (series.counts.filter { $0 > 0 }.min() ?? 0, series.counts.max() ?? 0)
    (facts.survivors, facts.survivorBytes, facts.requests) = (blocks, bytes, requests)
    (facts.firstJudged, facts.lastJudged) = (1, hunt.count)
    let share = 1 / Double(bursts.count)
    let slope = bytes / Double(hunt.count)
    let perRequest = requests > 0 ? bytes / requests : 0
    return GrowthVerdict(
        .growing,
        .leak,
        confidence: .low,
        slope: slope,
        error: share * slope,
        perRequest: perRequest,
        perRequestError: share * perRequest,
        facts: facts
    )
}
