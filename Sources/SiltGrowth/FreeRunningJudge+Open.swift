/// What leaves a verdict open: what may be full soon, or may come again.
extension FreeRunningJudge {
    /// The newer half of what is judged left less than the older, beyond chance, and so it did within each half.
    ///
    /// So does what has a bound and fills slowly, by keys that were asked for before. Where the second half is steady it is a
    /// leak that became slower.
    func isFading(_ look: Look) -> Bool {
        typealias Fading = GrowthRules.Fading
        let counts = look.eligible.map(count)
        let part = counts.count / 4
        guard part >= Fading.minimumSlices else { return false }
        let quarters = (0..<4).map { counts[(counts.count - (4 - $0) * part)..<(counts.count - (3 - $0) * part)] }
        let means = quarters.map { mean($0) }
        guard means[0] >= means[1], means[2] >= means[3] else { return false }
        let (older, newer) = ((means[0] + means[1]) / 2, (means[2] + means[3]) / 2)
        // Blocks that come by chance vary as much as they are; what comes several at a time varies more.
        let variance = max((older + newer) / 2, mean(quarters.map { deviation($0) * deviation($0) }))
        let noise = (variance / Double(part)).squareRoot()
        return older >= Fading.ratio * newer && older - newer >= GrowthRules.clearScore * noise
    }

    /// Ever fewer blocks stay, but the end still has many: of a cache whose keys come again, and of a leak under a load that falls.
    func goesOn(_ look: Look) -> Bool {
        typealias Fading = GrowthRules.Fading
        let counts = look.eligible.map(count)
        let part = counts.count / 4
        guard part >= Fading.minimumSlices else { return false }
        let last = counts.suffix(part)
        return mean(last) >= Fading.openShare * look.older && sum(last) >= Fading.openBlocks
            && Double(last.count { $0 > 0 }) >= Fading.openOccupied * Double(part)
    }

    /// It rose evenly and does not any more, though its process is as busy: a cache that was filled at an even rate is full.
    func hasJustStopped(_ look: Look) -> Bool {
        typealias Stopped = GrowthRules.Stopped
        let troughs = series.troughs
        let start = full - Stopped.slices
        guard start >= look.eligible.lowerBound + Stopped.minimumSlices else { return false }
        let span = Double(series.snapshots) - Double(start) * width
        let expected = look.slope * span
        let perInterval = look.survivors / (Double(look.eligible.count) * width)
        let last = troughs[start...] + [series.live]
        guard perInterval * span >= Stopped.minimumBlocks, let lowest = last.min(), let highest = last.max(),
            highest - lowest <= Stopped.risenShare * expected
        else { return false }
        // What comes in bursts rests in between.
        let step = Stopped.evenShare * look.slope * width
        let isEven = (look.eligible.lowerBound..<start).allSatisfy { troughs[$0] - troughs[$0 - 1] >= step }
        guard isEven else { return false }
        let loads = loads()
        guard loads.count == full, let least = loads.suffix(Stopped.slices).min() else { return false }
        return least >= Stopped.busyShare * median(loads)
    }

    /// How often regular bursts came of which nothing was freed, and which may come again after a rest; nil: they did not.
    var restingBursts: Int? {
        let bursts = Bursts(series.counts)
        return !mayBeCollected && bursts.mayComeAgain(minimum: GrowthRules.Bursts.minimum) ? bursts.count : nil
    }
}
