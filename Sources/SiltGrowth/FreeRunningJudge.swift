package import SiltHeap

/// Judges a site of a free-running trace by what survived of each time slice.
///
/// A leak leaves survivors in every slice, start-up only in the first, churn only in the last; an evicting cache loses
/// old blocks as fast as new ones mature. Six snapshots are needed, eight for medium confidence, twelve for high.
package func judge(_ series: SurvivorSeries) -> GrowthVerdict {
    FreeRunningJudge(series).verdict()
}

/// The judge's work on one series: survivors → reason → verdict.
private struct FreeRunningJudge {
    let series: SurvivorSeries
    let full: Int
    let width: Double

    init(_ series: SurvivorSeries) {
        self.series = series
        full = series.counts.count
        width = Double(series.width)
    }

    /// What one look at the survivors gave.
    struct Look {
        var reason: Reason
        /// Judged buckets, 1-based, first and last.
        var eligible: ClosedRange<Int>
        /// Those the rate is taken from, when not all.
        var measured: ClosedRange<Int>?
        /// Bytes per interval that survive.
        var slope: Double
        var recentRise: Double
        var halfRise: Double
        var older: Double
        var newer: Double
        var survivors: Double
        var occupied: Int
    }

    func verdict() -> GrowthVerdict {
        var facts = GrowthFacts(series)
        guard series.snapshots >= 6, full >= 3 else { return GrowthVerdict(.notEnoughData, .none, facts: facts) }
        guard
            var look = look(skip: max(1, full / 4), young: (full + 3) / 4, share: 0.75, older: series.olderThanQuarter)
        else { return GrowthVerdict(.notEnoughData, .none, facts: facts) }
        describe(look, &facts)
        if look.reason == .decel, full >= 12, let slowed = slowed(after: look) { look = slowed }
        if [.turnover, .stalled, .sparse].contains(look.reason), full >= 8, let deep = deep() { look = deep }
        var slope: (value: Double, error: Double)?
        if [.none, .sparse, .turnover, .stalled].contains(look.reason) {
            if let doubling = doubling() {
                look.reason = .doubling
                slope = doubling
            } else if let backlog = backlog(look) {
                look.reason = .backlog
                slope = backlog
            }
        }
        switch look.reason {
        case .leak, .late, .deep, .slowed, .doubling, .backlog, .trend:
            describe(look, &facts)
            let rate = slope ?? survivorSlope(look)
            let isSlow = rate.value * Double(series.snapshots) < 0.1 * series.live
            return GrowthVerdict(
                isSlow ? .slowGrowing : .growing,
                look.reason,
                confidence: confidence(look),
                slope: rate.value,
                error: rate.error,
                facts: facts
            )
        case .none, .decel, .turnover, .stalled, .flat, .sparse, .everyRound, .gap, .idleRate, .idle:
            let shape = Shape([series.baseline] + series.troughs, drops: series.drops)
            return GrowthVerdict(shape.verdict(reason: look.reason), look.reason, facts: facts)
        }
    }

    private func count(_ bucket: Int) -> Double { series.counts[bucket - 1] }
    private func bytes(_ bucket: Int) -> Double { series.bytes[bucket - 1] }

    private func describe(_ look: Look, _ facts: inout GrowthFacts) {
        let counts = look.eligible.map(count)
        facts.slices = counts.count
        facts.occupied = counts.count { $0 > 0 }
        facts.fewest = counts.min() ?? 0
        facts.most = counts.max() ?? 0
        facts.survivors = counts.reduce(0, +)
        facts.survivorBytes = look.eligible.map(bytes).reduce(0, +)
        facts.older = look.older
        facts.newer = look.newer
        let first = look.eligible.first { count($0) > 0 } ?? look.eligible.lowerBound
        facts.since = Double(first - 1) / Double(full)
        facts.from = Double(look.eligible.lowerBound - 1) / Double(full)
        facts.to = Double(look.eligible.upperBound) / Double(full)
    }

    /// One pass over the eligible buckets.
    ///
    /// `share`: how much of the run is old by the given series.
    private func look(skip q: Int, young a: Int, share f: Double, older old: [Double], extends: Bool = true) -> Look? {
        let m = full
        guard m - a > q else { return nil }
        var eligible = q + 1...m - a
        var measured: ClosedRange<Int>?
        if extends, m - 1 > m - a {
            let youngMean = mean((m - a + 1...m - 1).map(count))
            let base = eligible.map(count)
            if youngMean <= 2.5 * mean(base) + 2 / Double(a - 1) { eligible = q + 1...m - 1 }
            // A small hump of churn is no leak: it would be in the slope.
            if youngMean > 1.5 * mean(base), !accelerates(base) { measured = q + 1...m - a }
        }
        var look = look(over: eligible, share: f, older: old)
        look.measured = measured
        return look
    }

    /// Survivors become more from the older to the newer half, beyond noise.
    private func accelerates(_ counts: [Double]) -> Bool {
        let half = counts.count / 2
        guard half > 0 else { return false }
        let older = mean(counts[..<half])
        let newer = mean(counts[(counts.count - half)...])
        return newer > 1.5 * older && newer - older > 1.64 * deviation(counts) * (2 / Double(half)).squareRoot()
    }

    private func look(over eligible: ClosedRange<Int>, share f: Double, older old: [Double]) -> Look {
        let m = full
        let counts = eligible.map(count)
        let k = counts.count
        let total = counts.reduce(0, +)
        let slope = eligible.map(bytes).reduce(0, +) / (Double(k) * width)
        let perInterval = total / (Double(k) * width)
        let half = k / 2
        let older = half > 0 ? mean(counts[..<half]) : counts[0]
        let newer = half > 0 ? mean(counts[(k - half)...]) : counts[0]
        let noise = half > 0 ? deviation(counts) * (2 / Double(half)).squareRoot() : 0
        let quarter = max(2, m / 4)
        func rise(_ back: Int) -> Double {
            guard back > 0, back < m else { return 0 }
            return (old[m - 1] - old[m - 1 - back]) / (Double(back) * width * f)
        }
        var look = Look(
            reason: .leak,
            eligible: eligible,
            slope: slope,
            recentRise: rise(quarter),
            halfRise: rise(m / 2),
            older: older,
            newer: newer,
            survivors: total,
            occupied: counts.count { $0 > 0 }
        )
        if total < 4 {
            look.reason = .none
        } else if older > 2 * newer, older - newer > 1.28 * noise {
            look.reason = .decel
        } else if look.halfRise < 0.5 * slope {
            look.reason = .turnover
        } else if look.recentRise < 0.3 * slope, perInterval * Double(quarter) * width >= 3 {
            look.reason = .stalled
        } else if isFlat(slope: slope, perInterval: perInterval, quarter: quarter) {
            look.reason = .flat
        } else {
            look.reason = occupancy(counts, older: older, newer: newer)
        }
        return look
    }

    /// No new high of the troughs for a while, with little movement.
    private func isFlat(slope: Double, perInterval: Double, quarter: Int) -> Bool {
        let troughs = series.troughs
        var top = troughs.first ?? 0
        var trailing = 0
        for trough in troughs.dropFirst() {
            if trough > top + 0.05 * slope * width {
                top = trough
                trailing = 0
            } else {
                trailing += 1
            }
            top = max(top, trough)
        }
        let w = trailing
        guard w >= 2, perInterval * width * Double(w) >= 6 else { return false }
        let tail = troughs[(troughs.count - w)...]
        let range = (tail.max() ?? 0) - (tail.min() ?? 0)
        let net = (tail.last ?? 0) - (tail.first ?? 0)
        let span = slope * width * Double(w)
        guard range <= 0.25 * span, net <= 0.1 * span else { return false }
        guard troughs.count > quarter else { return true }
        let steps = (quarter..<troughs.count).map { troughs[$0] - troughs[$0 - quarter] }
        let center = median(steps)
        let noise = 1.4826 * median(steps.map { abs($0 - center) })
        return noise <= 0.5 * slope * Double(quarter) * width
    }

    /// Late, sparse or a leak, by which stretches of the run are represented.
    private func occupancy(_ counts: [Double], older: Double, newer: Double) -> Reason {
        // Bucket i of k belongs to third 3 i / k: each begins at the ceiling of its share.
        var parts = [false, false, false]
        for (index, count) in counts.enumerated() where count > 0 { parts[3 * index / counts.count] = true }
        let occupied = counts.count { $0 > 0 }
        if parts != [true, true, true] {
            let onlyFirstEmpty = parts == [false, true, true]
            return parts[2] && (older < newer / 3 || onlyFirstEmpty) && occupied >= 3 ? .late : .sparse
        }
        return Double(occupied) / Double(counts.count) < 0.3 ? .sparse : .leak
    }

    /// Fewer survivors than at first, but steady since: grows on, slower.
    private func slowed(after look: Look) -> Look? {
        let start = max(look.eligible.lowerBound, full / 2 + 1)
        guard start <= look.eligible.upperBound else { return nil }
        var part = self.look(over: start...look.eligible.upperBound, share: 0.75, older: series.olderThanQuarter)
        let k = part.eligible.count
        guard k >= 4, part.survivors >= 12, Double(part.occupied) >= 0.75 * Double(k),
            part.older <= 1.25 * part.newer, look.recentRise >= 0.5 * part.slope
        else { return nil }
        part.reason = .slowed
        return part
    }

    /// A leak under long-lived churn: only what is older than half the run counts.
    private func deep() -> Look? {
        guard
            var look = look(
                skip: max(1, full / 8),
                young: (full + 1) / 2,
                share: 0.5,
                older: series.olderThanHalf,
                extends: false
            ),
            look.reason == .leak
        else { return nil }
        let second = Array(series.troughs[(full / 2)...])
        guard theilSenLimits(second, z: 2.326).upper / width >= 0.5 * look.slope else { return nil }
        look.reason = .deep
        return look
    }

    /// One block replaced by a bigger one, again and again.
    private func doubling() -> (value: Double, error: Double)? {
        guard isDoubling([series.baseline] + series.troughs + [series.live]) else { return nil }
        let slope = (series.live - series.baseline) / Double(series.snapshots)
        return (slope, 0.5 * slope)
    }

    /// Content is replaced all the time, but there is ever more of it.
    private func backlog(_ look: Look) -> (value: Double, error: Double)? {
        guard [.none, .sparse].contains(look.reason) || look.older <= 0.1 * look.newer else { return nil }
        let troughs = series.troughs
        let rise = (troughs.last ?? 0) - (troughs.first ?? 0)
        let limit = full >= 12 ? 4.5 : full >= 9 ? 3.3 : 2.5
        guard rise > 0, rise >= 0.25 * (troughs.max() ?? 0), mannKendall(troughs) >= limit,
            drawDown(troughs) <= 0.1 * rise,
            risesInQuarters([series.baseline] + troughs, share: 0.1, of: rise)
        else { return nil }
        let slope = theilSen(troughs) / width
        return (slope, theilSenSpread(troughs, z: 2.326) / width)
    }

    private func survivorSlope(_ look: Look) -> (value: Double, error: Double) {
        let range = look.reason == .leak ? look.measured ?? look.eligible : look.eligible
        let values = range.map(bytes)
        let half = values.count / 2
        let isNewer = half > 0 && (look.reason == .late || accelerates(range.map(count)))
        let judged = isNewer ? Array(values[(values.count - half)...]) : values
        return (mean(judged) / width, 1.96 * deviation(judged) / (Double(judged.count).squareRoot() * width))
    }

    private func confidence(_ look: Look) -> Confidence {
        let n = series.snapshots
        if look.reason == .doubling || look.reason == .backlog || look.reason == .trend {
            return n >= 12 ? .medium : .low
        }
        let k = Double(look.eligible.count)
        let share = Double(look.occupied) / k
        if n < 8 || look.occupied < 4 || look.survivors < 6 || share < 0.5 || look.reason == .late { return .low }
        let ratio = look.newer > 0 ? look.older / look.newer : .infinity
        let isHigh =
            n >= 12 && look.reason == .leak && k >= 6 && share >= 0.75 && look.survivors >= 12 && ratio >= 0.4
            && ratio <= 2 && look.recentRise >= 0.5 * look.slope && look.halfRise >= 0.6 * look.slope
        return isHigh ? .high : .medium
    }
}
