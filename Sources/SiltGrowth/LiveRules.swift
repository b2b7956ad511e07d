package import SiltHeap

/// Judges a series of live bytes of which no births are known: only a clear trend is called growing.
package func judgeWithoutBirths(_ series: SurvivorSeries) -> GrowthVerdict {
    typealias Trend = GrowthRules.Trend
    let facts = GrowthFacts(series)
    let troughs = series.troughs
    guard series.snapshots >= Trend.minimumSnapshots, troughs.count >= Trend.minimumBuckets else {
        return GrowthVerdict(.notEnoughData, .none, facts: facts)
    }
    if let trend = clearTrend(baseline: series.baseline, troughs) {
        let rate = trend.slope / Double(series.width)
        let isSlow = rate * Double(series.snapshots) < GrowthRules.slowShare * series.live
        return GrowthVerdict(
            isSlow ? .slowGrowing : .growing,
            .trend,
            confidence: series.snapshots >= GrowthRules.mediumWithoutBirths ? .medium : .low,
            slope: rate,
            error: trend.error / Double(series.width),
            facts: facts
        )
    }
    let shape = Shape([series.baseline] + troughs, drops: series.drops)
    return GrowthVerdict(shape.verdict(reason: .none), .none, facts: facts)
}

/// True when each quarter of the series carries at least that share of the rise.
func risesInQuarters(_ values: [Double], share: Double, of rise: Double) -> Bool {
    let n = values.count - 1
    guard n >= 4 else { return false }
    return (0..<4).allSatisfy { quarter in
        values[n * (quarter + 1) / 4] - values[n * quarter / 4] >= share * rise
    }
}

/// True when one block is replaced by a bigger one, again and again, and the next time is not overdue.
func isDoubling(_ live: [Double]) -> Bool {
    typealias Doubling = GrowthRules.Doubling
    // A site that was not there at first counts from its first block on.
    let values = live.drop { $0 == 0 }.map { $0 }
    guard values.count > 1 else { return false }
    var jumps: [Int] = []
    var carried = 0.0
    for index in 1..<values.count {
        guard values[index] >= values[index - 1] else { return false }
        if values[index] > values[index - 1], values[index] >= Doubling.jumpRatio * values[index - 1] {
            jumps.append(index)
            carried += values[index] - values[index - 1]
        }
    }
    let growth = (values.last ?? 0) - (values.first ?? 0)
    guard jumps.count >= Doubling.minimumJumps, let last = jumps.last, growth > 0,
        carried >= Doubling.jumpShare * growth
    else { return false }
    let gap = last - jumps[jumps.count - 2]
    return Double(values.count - 1 - last) <= Doubling.overdue * Double(gap)
}

/// The slope per step of live bytes that rise all along, of which no births are known; nil unless that is clear.
func clearTrend(baseline: Double, _ values: [Double]) -> (slope: Double, error: Double)? {
    typealias Trend = GrowthRules.Trend
    let rise = (values.last ?? 0) - (values.first ?? 0)
    // What takes the square of the length comes last: most sites do not rise.
    guard rise > 0, rise >= Trend.riseShare * (values.max() ?? 0), drawDown(values) <= Trend.fallShare * rise,
        risesInQuarters([baseline] + values, share: Trend.quarterShare, of: rise),
        mannKendall(values) >= GrowthRules.clearScore
    else { return nil }
    let second = Array(values[(values.count / 2)...])
    let slope = theilSen(values)
    guard mannKendall(second) >= Trend.secondHalfScore, theilSen(second) >= Trend.secondHalfShare * slope
    else { return nil }
    return (slope, theilSenSpread(values, z: GrowthRules.slopeScore))
}

/// Snapshots at which live bytes had fallen by more than the fifth of their peak so far that makes a drop.
func falls(_ live: [Double]) -> Int {
    var peak = 0.0
    var falls = 0
    for (index, value) in live.enumerated() {
        let fall = index > 0 ? live[index - 1] - value : 0
        if fall > 0, fall * GrowthRules.Form.dropPart > peak { falls += 1 }
        peak = max(peak, value)
    }
    return falls
}
