package import SiltHeap

/// The verdict of a free run whose load may change.
///
/// `loads`: blocks that the whole process allocated in each bucket; none where they are not known. Asked for where they
/// decide. What a program holds for a while grows with what is asked of it, and a leak becomes slower when less is.
package func judge(_ series: SurvivorSeries, loads: @autoclosure @escaping () -> [Double]) -> GrowthVerdict {
    let verdict = judgeOnce(series, loads: loads)
    guard [.backlog, .doubling, .decel].contains(verdict.reason), let review = LoadReview(series, loads()),
        verdict.reason == .decel
            ? !verdict.verdict.isGrowing && review.fallsWithLoad : verdict.verdict.isGrowing && review.risesWithLoad
    else { return verdict }
    var facts = verdict.facts
    facts.loadRatio = review.ratio
    return GrowthVerdict(.stillFilling, verdict.reason, facts: facts)
}

/// Compares a site with what its process allocates.
private struct LoadReview {
    private typealias Rules = GrowthRules.UnevenLoad

    private let series: SurvivorSeries
    private let loads: [Double]
    /// Newer half to older half, without start-up.
    let ratio: Double

    init?(_ series: SurvivorSeries, _ loads: [Double]) {
        let skipped = loads.count / GrowthRules.Slices.skippedPart
        guard loads.count == series.counts.count, skipped > 0, loads.allSatisfy({ $0 > 0 }) else { return nil }
        self.series = series
        self.loads = loads
        ratio = Self.ratio(loads.dropFirst(skipped))
    }

    /// The process allocates more and more, and what the site holds follows that: each block may stay for as long as before
    /// (Little 1961).
    var risesWithLoad: Bool {
        guard ratio >= Rules.ratio else { return false }
        let smoothed = loads.indices.map { mean(loads[max(0, $0 - Rules.smoothed + 1)...$0]) }
        return correlation(series.troughs, smoothed) >= Rules.followed
    }

    /// Ever fewer blocks stay, but the process allocates less besides, and of so much as many stay as before.
    var fallsWithLoad: Bool {
        let others = zip(loads, series.counts).map { max(0, $0 - $1) }
        let skipped = others.count / GrowthRules.Slices.skippedPart
        let judged = skipped..<others.count - 1
        let late = judged.suffix(judged.count / 2).reduce(0) { $0 + series.counts[$1] }
        guard judged.count >= 2, late >= GrowthRules.Fading.openBlocks,
            judged.allSatisfy({ others[$0] > 0 && others[$0] >= Rules.othersShare * series.counts[$0] }),
            Self.ratio(others[judged]) <= 1 / Rules.ratio
        else { return false }
        let usual = mean(others[judged])
        let parts = Self.halves(judged.map { series.counts[$0] * usual / others[$0] })
        return parts.older <= GrowthRules.Fading.ratio * parts.newer
    }

    private static func ratio(_ values: ArraySlice<Double>) -> Double {
        let parts = halves(Array(values))
        return parts.older > 0 ? parts.newer / parts.older : 1
    }

    private static func halves(_ values: [Double]) -> (older: Double, newer: Double) {
        (mean(values.prefix(values.count / 2)), mean(values.suffix(values.count / 2)))
    }
}
