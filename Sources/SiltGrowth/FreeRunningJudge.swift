package import SiltHeap

/// Judges a site of a free-running trace by what survived of each time slice.
///
/// A leak leaves survivors in every slice, start-up only in the first, churn only in the last; an evicting cache loses
/// old blocks as fast as new ones mature. Six snapshots are needed, eight for medium confidence, twelve for high.
package func judge(_ series: SurvivorSeries) -> GrowthVerdict {
    judgeOnce(series) { [] }
}

/// The same, of a process that allocated so many blocks in each bucket; none: that is not known.
func judgeOnce(_ series: SurvivorSeries, loads: @escaping () -> [Double]) -> GrowthVerdict {
    FreeRunningJudge(series, loads).verdict()
}

/// The judge's work on one series: survivors → reason → verdict.
struct FreeRunningJudge {
    typealias Slices = GrowthRules.Slices
    typealias Flat = GrowthRules.Flat
    typealias Slowed = GrowthRules.Slowed
    typealias Deep = GrowthRules.Deep
    typealias Backlog = GrowthRules.Backlog

    let series: SurvivorSeries
    /// Of the whole process, by bucket.
    let loads: () -> [Double]
    let full: Int
    let width: Double

    init(_ series: SurvivorSeries, _ loads: @escaping () -> [Double]) {
        self.series = series
        self.loads = loads
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
        guard series.snapshots >= Slices.minimumSnapshots, full >= Slices.minimumBuckets, var look = firstLook()
        else { return GrowthVerdict(.notEnoughData, .none, facts: facts) }
        if look.reason == .decel, full >= Slowed.minimumBuckets, let slowed = slowed(after: look) { look = slowed }
        if [.turnover, .stalled, .sparse].contains(look.reason), full >= Deep.minimumBuckets, let deep = deep() {
            look = deep
        }
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
        describe(look, &facts)
        if look.reason == .leak && isFading(look) || look.reason == .decel && goesOn(look) {
            return GrowthVerdict(.stillFilling, .decel, facts: facts)
        }
        if look.reason == .leak, hasJustStopped(look) { return GrowthVerdict(.stillFilling, .flat, facts: facts) }
        switch look.reason {
        case .leak, .late, .deep, .slowed, .doubling, .backlog, .trend:
            let rate = slope ?? survivorSlope(look)
            // A rate whose range reaches 0 is none.
            guard rate.error < rate.value else {
                let shape = Shape([series.baseline] + series.troughs, drops: series.drops)
                return GrowthVerdict(shape.verdict(reason: .sparse), .sparse, facts: facts)
            }
            let isSlow = rate.value * Double(series.snapshots) < GrowthRules.slowShare * series.live
            return GrowthVerdict(
                isSlow ? .slowGrowing : .growing,
                look.reason,
                confidence: confidence(look),
                slope: rate.value,
                error: rate.error,
                facts: facts
            )
        case .none, .decel, .turnover, .stalled, .flat, .sparse, .everyRound, .gap, .idleRate, .idle:
            if [.decel, .stalled, .flat, .sparse].contains(look.reason), let bursts = restingBursts {
                facts.bursts = bursts
                return GrowthVerdict(.stillFilling, look.reason, facts: facts)
            }
            let shape = Shape([series.baseline] + series.troughs, drops: series.drops)
            return GrowthVerdict(shape.verdict(reason: look.reason), look.reason, facts: facts)
        }
    }

    func count(_ bucket: Int) -> Double { series.counts[bucket - 1] }
    func bytes(_ bucket: Int) -> Double { series.bytes[bucket - 1] }

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
        let middle = look.eligible.lowerBound + look.eligible.count / 2
        facts.keptSnapshots = max(0, series.snapshots - middle * series.width)
    }

    private func firstLook() -> Look? {
        look(
            skip: max(1, full / Slices.skippedPart),
            young: (full + Slices.skippedPart - 1) / Slices.skippedPart,
            share: Slices.oldShare,
            older: series.olderThanQuarter
        )
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
            let chance = Slices.humpBlocks / Double(a - 1)
            if youngMean <= Slices.humpRatio * mean(base) + chance { eligible = q + 1...m - 1 }
            // A small hump of churn is no leak: it would be in the slope.
            if youngMean > Slices.churnRatio * mean(base), !accelerates(base) { measured = q + 1...m - a }
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
        let noise = deviation(counts) * (2 / Double(half)).squareRoot()
        return newer > Slices.accelerationRatio * older && newer - older > Slices.accelerationScore * noise
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
        let recent = max(Slices.minimumRecent, m / Slices.recentPart)
        func rise(_ back: Int) -> Double {
            guard back > 0, back < m else { return 0 }
            return (old[m - 1] - old[m - 1 - back]) / (Double(back) * width * f)
        }
        var look = Look(
            reason: .leak,
            eligible: eligible,
            slope: slope,
            recentRise: rise(recent),
            halfRise: rise(m / 2),
            older: older,
            newer: newer,
            survivors: total,
            occupied: counts.count { $0 > 0 }
        )
        if total < Slices.minimumSurvivors {
            look.reason = .none
        } else if older > GrowthRules.declineRatio * newer, older - newer > GrowthRules.declineScore * noise {
            look.reason = .decel
        } else if look.halfRise < GrowthRules.turnoverShare * slope, isReplaced(in: eligible) {
            look.reason = .turnover
        } else if look.recentRise < GrowthRules.stalledShare * slope,
            perInterval * Double(recent) * width >= GrowthRules.stalledBlocks,
            isReplaced(in: eligible) || newest < GrowthRules.stalledShare * slope
        {
            look.reason = .stalled
        } else if isFlat(slope: slope, perInterval: perInterval, recent: recent) {
            look.reason = .flat
        } else {
            look.reason = occupancy(counts, older: older, newer: newer)
        }
        return look
    }

    /// Of what was older than a quarter of the run at half of it, some was freed since.
    ///
    /// A bucket more or less may have been old then, as buckets were merged.
    private func isReplaced(in judged: ClosedRange<Int>) -> Bool {
        let half = full / 2
        guard half > 0 else { return true }
        let (cut, end) = (half * 3 / 4, full * 3 / 4)
        let beforeBaseline = series.olderThanQuarter[full - 1] - sum(series.bytes[..<end])
        let lost = series.olderThanQuarter[half - 1] - beforeBaseline - sum(series.bytes[..<cut])
        return lost - series.bytes[cut] > GrowthRules.replacedShare * judged.reduce(0) { $0 + bytes($1) }
    }

    /// Bytes per interval that the newest quarter left.
    private var newest: Double {
        mean(series.bytes.suffix(max(1, full / Slices.skippedPart))) / width
    }

    /// No new high of the troughs for a while, with little movement.
    private func isFlat(slope: Double, perInterval: Double, recent: Int) -> Bool {
        let troughs = series.troughs
        var top = troughs.first ?? 0
        var trailing = 0
        // Slices without a new high between two of them: what comes in bursts rests in between.
        var rests: [Int] = []
        var highs = 0
        for trough in troughs.dropFirst() {
            if trough > top + Flat.highShare * slope * width {
                if highs > 0 { rests.append(trailing) }
                highs += 1
                top = trough
                trailing = 0
            } else {
                trailing += 1
            }
            top = max(top, trough)
        }
        let w = trailing
        guard w >= Flat.minimumSlices, perInterval * width * Double(w) >= Flat.minimumBlocks else { return false }
        guard Double(w) > Flat.restRatio * Double(rests.max() ?? 0) else { return false }
        let tail = troughs[(troughs.count - w)...]
        let range = (tail.max() ?? 0) - (tail.min() ?? 0)
        let net = (tail.last ?? 0) - (tail.first ?? 0)
        let span = slope * width * Double(w)
        guard range <= Flat.rangeShare * span, net <= Flat.netShare * span else { return false }
        guard troughs.count > recent else { return true }
        let steps = (recent..<troughs.count).map { troughs[$0] - troughs[$0 - recent] }
        let center = median(steps)
        let noise = Flat.deviationScale * median(steps.map { abs($0 - center) })
        return noise <= Flat.noiseShare * slope * Double(recent) * width
    }

    /// Late, sparse or a leak, by which stretches of the run are represented.
    private func occupancy(_ counts: [Double], older: Double, newer: Double) -> Reason {
        let parts = thirds(of: counts)
        let occupied = counts.count { $0 > 0 }
        let isSparse = Double(occupied) / Double(counts.count) < Slices.sparseShare
        if isSparse, bursts > 0 { return .leak }
        if parts != [true, true, true] {
            let onlyFirstEmpty = parts == [false, true, true]
            let isLate = parts[2] && (older < newer / GrowthRules.lateRatio || onlyFirstEmpty)
            return isLate && occupied >= Slices.lateSlices ? .late : .sparse
        }
        return isSparse ? .sparse : .leak
    }

    /// How often survivors came in regular bursts, start-up included; 0: they did not.
    private var bursts: Int {
        let bursts = Bursts(series.counts)
        return !mayBeCollected && bursts.areRegular(minimum: GrowthRules.Bursts.minimum) ? bursts.count : 0
    }

    /// After the start-up only few and small blocks stayed, as cycles that a collector has not freed yet and buffers of a pool;
    /// what has no size is neither.
    var mayBeCollected: Bool {
        typealias Collected = GrowthRules.Collected
        let skipped = full / Slices.skippedPart
        let (blocks, bytes) = (sum(series.counts.dropFirst(skipped)), sum(series.bytes.dropFirst(skipped)))
        guard series.bytes != series.counts, blocks < Collected.blocks.upperBound else { return false }
        return bytes < (Collected.blocks.contains(blocks) ? Collected.maximumBytes : Collected.minimumBytes)
    }

    func sum(_ values: ArraySlice<Double>) -> Double { values.reduce(0, +) }

    /// Fewer survivors than at first, but steady since: grows on, slower.
    private func slowed(after look: Look) -> Look? {
        let start = max(look.eligible.lowerBound, full / 2 + 1)
        guard start <= look.eligible.upperBound else { return nil }
        let rest = start...look.eligible.upperBound
        var part = self.look(over: rest, share: Slices.oldShare, older: series.olderThanQuarter)
        let k = part.eligible.count
        guard k >= Slowed.minimumSlices, part.survivors >= Slowed.minimumSurvivors,
            Double(part.occupied) >= Slowed.occupiedShare * Double(k),
            part.older <= Slowed.steadyRatio * part.newer, look.recentRise >= Slowed.riseShare * part.slope
        else { return nil }
        part.reason = .slowed
        return part
    }

    /// A leak under long-lived churn: only what is older than half the run counts.
    private func deep() -> Look? {
        guard
            var look = look(
                skip: max(1, full / Deep.skippedPart),
                young: (full + Deep.youngPart - 1) / Deep.youngPart,
                share: Deep.oldShare,
                older: series.olderThanHalf,
                extends: false
            ),
            look.reason == .leak
        else { return nil }
        let second = Array(series.troughs[(full / 2)...])
        let rise = theilSenLimits(second, z: GrowthRules.slopeScore).upper / width
        guard rise >= Deep.riseShare * look.slope else { return nil }
        look.reason = .deep
        return look
    }

    /// One block replaced by a bigger one, again and again.
    private func doubling() -> (value: Double, error: Double)? {
        guard isDoubling([series.baseline] + series.troughs + [series.live]) else { return nil }
        let slope = (series.live - series.baseline) / Double(series.snapshots)
        return (slope, GrowthRules.doublingError * slope)
    }

    /// Content is replaced all the time, but there is ever more of it.
    private func backlog(_ look: Look) -> (value: Double, error: Double)? {
        guard [.none, .sparse].contains(look.reason) || look.older <= Backlog.olderShare * look.newer
        else { return nil }
        let troughs = series.troughs
        let rise = (troughs.last ?? 0) - (troughs.first ?? 0)
        guard !mayBeCollected, rise > 0, rise >= Backlog.riseShare * (troughs.max() ?? 0),
            mannKendall(troughs) >= Backlog.trendScore(buckets: full), drawDown(troughs) <= Backlog.fallShare * rise,
            risesInQuarters([series.baseline] + troughs, share: Backlog.quarterShare, of: rise)
        else { return nil }
        let slope = theilSen(troughs) / width
        return (slope, theilSenSpread(troughs, z: GrowthRules.slopeScore) / width)
    }

    private func survivorSlope(_ look: Look) -> (value: Double, error: Double) {
        let range = look.reason == .leak ? look.measured ?? look.eligible : look.eligible
        let values = range.map(bytes)
        let half = values.count / 2
        let isNewer = half > 0 && (look.reason == .late || accelerates(range.map(count)))
        // What comes in few slices varies between them by nature: one burst more or less.
        let isSparse = Double(look.occupied) < Slices.sparseShare * Double(values.count)
        let number = look.reason == .leak && isSparse ? bursts : 0
        if number > 0 { return (mean(values) / width, mean(values) / (width * Double(number))) }
        let judged = isNewer ? Array(values[(values.count - half)...]) : values
        let error = GrowthRules.rangeScore * deviation(judged) / (Double(judged.count).squareRoot() * width)
        return (mean(judged) / width, error)
    }

    private func confidence(_ look: Look) -> Confidence {
        typealias Limits = GrowthRules.SliceConfidence
        let n = series.snapshots
        if look.reason == .doubling || look.reason == .backlog || look.reason == .trend {
            return n >= GrowthRules.mediumWithoutBirths ? .medium : .low
        }
        let k = Double(look.eligible.count)
        let share = Double(look.occupied) / k
        let isThin =
            n < Limits.mediumSnapshots || look.occupied < Limits.mediumSlices
            || look.survivors < Limits.mediumSurvivors || share < Limits.mediumShare
        if isThin || look.reason == .late { return .low }
        let ratio = look.newer > 0 ? look.older / look.newer : .infinity
        let isHigh =
            look.reason == .leak && n >= Limits.highSnapshots && k >= Double(Limits.highSlices)
            && share >= Limits.highShare && look.survivors >= Limits.highSurvivors
            && Limits.evenRatios.contains(ratio) && look.recentRise >= Limits.recentRise * look.slope
            && look.halfRise >= Limits.halfRise * look.slope
        return isHigh ? .high : .medium
    }
}
