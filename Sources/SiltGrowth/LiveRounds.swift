internal import Glibc
internal import SiltHeap

/// Judges rounds of which only live bytes are known: no births, as in a heap profile that is fetched.
///
/// `live`: at the baseline and at the end of each interval of the hunt. A count that should not grow (goroutines,
/// descriptors) is judged alike, with the count for bytes. Five rounds are needed: of fewer, nothing is said.
package func judgeRoundsWithoutBirths(
    _ live: [Double],
    _ hunt: HuntIntervals,
    rounds: Range<Int>
) -> GrowthVerdict {
    precondition(live.count == hunt.count + 1, "live bytes are given for other intervals than phases")
    let values = Array(live[rounds.lowerBound...rounds.upperBound])
    var facts = GrowthFacts(values, drops: falls(values))
    guard rounds.count >= GrowthRules.RoundsOfLiveBytes.minimum else {
        return GrowthVerdict(.notEnoughData, .none, facts: facts)
    }
    let judge = LiveRounds(live, hunt, rounds)
    facts.requests = rounds.dropFirst(judge.warmUp).reduce(0) { $0 + hunt.requests[$1] }
    facts.firstJudged = rounds.lowerBound + judge.warmUp + 1
    facts.lastJudged = rounds.upperBound
    facts.seconds = hunt.seconds.isEmpty ? 0 : hunt.exposure(rounds.dropFirst(judge.warmUp))
    facts.warmUpBytes = max(0, values[judge.warmUp] - values[0])
    guard let rise = judge.rise() ?? judge.trend() else {
        return GrowthVerdict(Shape(values, drops: facts.drops).verdict(reason: .none), .none, facts: facts)
    }
    return judge.verdict(rise, facts)
}

/// What the live bytes at the rounds' ends say, whoever owns them.
struct LiveRounds {
    private typealias Rules = GrowthRules.RoundsOfLiveBytes

    /// A way of growing, with bytes per round at mean load.
    struct Rise {
        var reason: Reason
        var rate: (slope: Double, error: Double)
        var confidence: Confidence
        /// It may be the table of a cache.
        var mayFill = false
    }

    private let live: [Double]
    /// Bytes of each interval that stay; nil where no births are known.
    private let born: [Double]?
    private let hunt: HuntIntervals
    private let rounds: Range<Int>
    let warmUp: Int
    private let meanLoad: Double

    init(_ series: IntervalSeries, _ hunt: HuntIntervals, _ rounds: Range<Int>) {
        self.init(series.live, born: series.bytes, hunt, rounds)
    }

    init(_ live: [Double], born: [Double]? = nil, _ hunt: HuntIntervals, _ rounds: Range<Int>) {
        self.live = live
        self.born = born
        self.hunt = hunt
        self.rounds = rounds
        warmUp = GrowthRules.Rounds.warmUp(of: rounds.count)
        meanLoad = hunt.meanLoad(rounds)
    }

    /// Every round ends higher, or one block is replaced by a bigger one again and again; nil when neither.
    func rise() -> Rise? {
        if !isFillingUp, let rate = everyRound() {
            let isMany = rounds.count >= Rules.mediumEveryRound
            return Rise(reason: .everyRound, rate: rate, confidence: isMany ? .medium : .low)
        }
        let values = live[rounds.lowerBound...rounds.upperBound]
        let growth = live[rounds.upperBound] - live[rounds.lowerBound]
        guard isDoubling(Array(values)), isReplaced, isKept(growth, above: live[rounds.lowerBound]) else { return nil }
        let (isFilling, isSteady) = (isFillingUp, keepsPace)
        guard isSteady || !isFilling else { return nil }
        let slope = growth / Double(rounds.count)
        return Rise(
            reason: .doubling,
            rate: (slope, GrowthRules.doublingError * slope),
            confidence: confidence,
            mayFill: isFilling || !isSteady
        )
    }

    /// Charged; or where it is an array to which hardly anything is appended, or one like a cache's, as one that may still fill.
    func verdict(_ rise: Rise, _ facts: GrowthFacts) -> GrowthVerdict {
        let least = GrowthRules.Doubling.minimumPerRequest
        if rise.mayFill { return GrowthVerdict(.stillFilling, rise.reason, facts: facts) }
        if rise.reason == .doubling, born != nil, meanLoad > 0, rise.rate.slope < least * meanLoad {
            return GrowthVerdict(.stillFilling, .doubling, facts: facts)
        }
        return GrowthVerdict(
            .growing,
            rise.reason,
            confidence: rise.confidence,
            slope: rise.rate.slope,
            error: rise.rate.error,
            perRequest: meanLoad > 0 ? rise.rate.slope / meanLoad : 0,
            perRequestError: meanLoad > 0 ? rise.rate.error / meanLoad : 0,
            facts: facts
        )
    }

    /// A trend without any pattern in it.
    func trend() -> Rise? {
        guard rounds.count >= Rules.trendMinimum, !isFillingUp else { return nil }
        let first = live[rounds.lowerBound + 1]
        guard let rate = clearTrend(baseline: live[rounds.lowerBound], risen),
            isKept(live[rounds.upperBound] - first, above: first)
        else { return nil }
        return Rise(reason: .trend, rate: rate, confidence: confidence)
    }

    /// Rounds surely add less and less, a third in the end: keys of a table that fills, whose values are replaced.
    var isFading: Bool {
        let trend = RoundTrend(evenly: increments, score: Rules.fadingScore)
        return trend.declines && -trend.slope * trend.span > Rules.fadingFall
    }

    private var confidence: Confidence { rounds.count >= GrowthRules.mediumWithoutBirths ? .medium : .low }

    /// What each judged round added, at mean load.
    private var increments: [Double] {
        hunt.loaded(rounds.dropFirst(warmUp), meanLoad: meanLoad).map {
            (live[$0 + 1] - live[$0]) / hunt.load($0, meanLoad)
        }
    }

    /// At the ends of the rounds, as if each had had the mean number of requests.
    private var risen: [Double] {
        var value = live[rounds.lowerBound]
        return rounds.map { position in
            let load = hunt.load(position, meanLoad)
            value += (live[position + 1] - live[position]) / (load > 0 ? load : 1)
            return value
        }
    }

    private func everyRound() -> (slope: Double, error: Double)? {
        let increments = increments
        guard increments.count >= Rules.minimumIncrements, let least = increments.min(), let most = increments.max(),
            let last = increments.last
        else { return nil }
        let middle = median(increments)
        let start = live[rounds.lowerBound + warmUp]
        let end = live[rounds.upperBound]
        guard least > 0, least >= Rules.minimumIncrement * middle, most <= Rules.maximumIncrement * middle,
            last >= Rules.lastIncrement * middle, end - start >= Rules.riseShare * end,
            isKept(end - start, above: start)
        else { return nil }
        return (middle, GrowthRules.rangeScore * deviation(increments) / Double(increments.count).squareRoot())
    }

    /// Most came in the warm-up, and ever less comes: the table of a cache, whose last chains fill for many rounds.
    ///
    /// What the second half of the rounds brought is compared with the first: a leak beside a cache brings the same in both.
    private var isFillingUp: Bool {
        let increments = increments
        let filled = live[rounds.lowerBound + warmUp] - live[rounds.lowerBound]
        let half = increments.count / 2
        let (early, late) = (increments.prefix(half).reduce(0, +), increments.suffix(half).reduce(0, +))
        return filled > Rules.fillingRatio * median(increments) * Double(warmUp) && late < Rules.fadingShare * early
    }

    /// A bigger block took the place of what had come before the last jump.
    ///
    /// What all stays are ever more blocks: the entries of a table for what a program sees for the first time.
    private var isReplaced: Bool {
        typealias Rules = GrowthRules.Doubling
        guard let born,
            let last = rounds.last(where: { live[$0 + 1] > live[$0] && live[$0 + 1] >= Rules.jumpRatio * live[$0] })
        else { return true }
        let kept = born[rounds.lowerBound..<last].reduce(0, +)
        return kept <= Rules.keptShare * (live[last] - live[rounds.lowerBound])
    }

    /// From one jump to another the block got larger by as much as was asked: what requests append to.
    ///
    /// A table of what is new among the requests gets larger by a power of them. When in its round a jump came is not known,
    /// which matters most in the first ones.
    private var keepsPace: Bool {
        typealias Rules = GrowthRules.Doubling
        let jumps = rounds.dropFirst(Rules.firstRounds).filter {
            live[$0 + 1] > live[$0] && live[$0 + 1] >= Rules.jumpRatio * live[$0]
        }
        guard let first = jumps.first, let last = jumps.last, first < last else { return true }
        let base = live[rounds.lowerBound]
        let asked = hunt.asked(in: rounds, by: last, meanLoad) / hunt.asked(in: rounds, by: first, meanLoad)
        return log((live[last + 1] - base) / (live[first + 1] - base)) >= Rules.minimumPower * log(asked)
    }

    /// Enough of a rise outlived the rest of the hunt: what was held until the phase ended is no growth.
    private func isKept(_ rise: Double, above start: Double) -> Bool {
        let least = live[rounds.upperBound...].min() ?? start
        return least - start >= Rules.keptShare * rise
    }
}
