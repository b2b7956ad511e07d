internal import SiltEvents
internal import SiltFindings
internal import SiltGrowth
internal import SiltText

/// The sentence that says why a site is charged or acquitted that was watched while the program ran freely.
struct RunEvidenceText {
    let verdict: GrowthVerdict
    let resource: Resource
    /// Seconds between snapshots, 0 when they are unknown.
    let period: Double
    /// What was watched.
    var whose = "the run"

    private var units: String { resource.units }
    private var facts: GrowthFacts { verdict.facts }

    var line: String {
        switch verdict.verdict {
        case .growing, .slowGrowing: growing
        case .plateauing, .stillFilling:
            "grew \(resource.wholeAmount(max(0, facts.live - facts.baseline)))\(settled); \(standstill)"
        case .step:
            "+\(resource.wholeAmount(facts.biggestRise)) at once after \(time(share: facts.biggestRiseAt)), flat since"
        case .sawtooth: "\(Format.plural(UInt64(facts.drops), "fall")) of more than 20 %; the troughs do not rise"
        case .stable: "within ±\(Format.fixed(100 * facts.wobble, 0)) % for \(wholeTime)"
        case .shrinking:
            "\(Format.fixed(facts.baseline > 0 ? 100 * (facts.live - facts.baseline) / facts.baseline : 0, 0)) % "
                + "since the start"
        case .notEnoughData: "\(facts.snapshots) of \(SiteOpinion.minimumSnapshots) snapshots"
        }
    }

    /// When it had grown, if that was early.
    private var settled: String {
        guard facts.hasSettledEarly else { return "" }
        let share = Format.fixed(100 * GrowthFacts.settledShare, 0)
        return ", \(share) % of it in the first \(time(share: facts.settledAt)) of \(wholeTime)"
    }

    private var growing: String {
        let rose = "\(resource.wholeAmount(facts.baseline)) -> \(resource.wholeAmount(facts.live))"
        var line = rate + ": "
        switch verdict.reason {
        case .doubling:
            line += "one \(resource.unit) replaced by a bigger one \(facts.jumps) times (\(rose)), last "
            line += facts.sinceJump == 0 ? "just now" : "\(time(snapshots: facts.sinceJump)) ago"
            if facts.jumpGap > 0 {
                let next = max(facts.jumpGap * 2 - facts.sinceJump, 1)
                line += ", next expected in ~\(time(snapshots: next))"
            }
            return line + ": look at what it holds"
        case .backlog:
            return line + "content is replaced, but there is ever more of it: \(rose), rose in all four quarters"
        case .trend: return line + "rose in all four quarters, \(rose)"
        case .deep: line += "hidden under churn: of what is older than half the run, "
        case .slowed: line += "slower than at first, but steady since \(time(share: facts.from)): "
        case .late: line += "only since \(time(share: facts.since)): "
        case .leak, .none, .decel, .turnover, .stalled, .flat, .sparse, .everyRound, .gap, .idleRate, .idle: break
        }
        let slices = facts.occupied == facts.slices ? "all \(facts.slices)" : "\(facts.occupied) of \(facts.slices)"
        let perSlice =
            facts.fewest == facts.most ? count(facts.most) : "\(count(facts.fewest))..\(count(facts.most))"
        line +=
            "\(units) of \(slices) time slices between \(Format.fixed(100 * facts.from, 0)) % and "
            + "\(Format.fixed(100 * facts.to, 0)) % of \(whose) are still alive, \(perSlice) a slice, "
            + "\(count(facts.survivors)) \(units)"
        if !resource.isCounted { line += ", \(Format.bytes(facts.survivorBytes))" }
        if verdict.verdict == .slowGrowing, facts.live > 0 {
            let part = 100 * verdict.slope * Double(facts.snapshots) / facts.live
            line += "; = \(Format.percent(part)) of the site's \(resource.wholeAmount(facts.live)) over \(wholeTime)"
        }
        let kept = period * Double(facts.keptSnapshots)
        if kept >= 1, kept < GrowthFacts.sureSeconds {
            line += "; none of them freed within \(Format.duration(kept)), which a cache may do too: a longer run tells"
        }
        return line
    }

    /// As `+192 B/s ±6 %`.
    private var rate: String {
        let share = verdict.slope > 0 ? 100 * verdict.error / verdict.slope : 0
        let unit = Rate.Unit(.init(of: resource), per: period > 0 ? .second : .interval)
        let gain = unit.gain(period > 0 ? verdict.slope / period : verdict.slope)
        return "\(gain) \(share < 0.5 ? "±<1 %" : "±\(Format.fixed(share, 0)) %")"
    }

    private var standstill: String {
        switch verdict.reason {
        case .decel: "fewer new survivors: \(count(facts.older)) a slice -> \(count(facts.newer))"
        case .turnover: "old \(units) are freed as fast as new ones stay"
        case .stalled: "nothing more of it stays"
        case .flat: "no new high for \(time(snapshots: facts.sinceHigh))"
        case .leak, .late, .deep, .slowed, .doubling, .backlog, .trend, .none, .sparse, .everyRound, .gap, .idleRate,
            .idle:
            "what came later did not stay"
        }
    }

    private var wholeTime: String { time(snapshots: facts.snapshots) }

    private func time(share: Double) -> String {
        period > 0
            ? Format.duration(period * share * Double(facts.snapshots))
            : "\(Format.fixed(100 * share, 0)) % of \(whose)"
    }

    private func time(snapshots: Int) -> String {
        period > 0
            ? Format.duration(period * Double(snapshots)) : "\(snapshots) snapshots"
    }

    private func count(_ value: Double) -> String {
        Format.count(UInt64(max(0, min(value, 1e18)).rounded()))
    }
}
