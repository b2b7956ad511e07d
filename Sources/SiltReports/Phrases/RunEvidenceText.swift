internal import SiltEvents
internal import SiltFindings
internal import SiltGrowth
internal import SiltText

/// The sentence that says why a site is charged or cleared that was watched while the program ran freely.
struct RunEvidenceText {
    let verdict: GrowthVerdict
    let resource: Resource
    /// Seconds between snapshots, 0 when they are unknown.
    let period: Double
    /// What was watched, where it is not the whole run: as `a worker's life`.
    var whose = ""
    /// On the way out.
    var wasGivenBack = false

    private var units: String { resource.units }
    private var facts: GrowthFacts { verdict.facts }

    var line: String {
        switch verdict.verdict {
        case .growing, .slowGrowing: growing
        case .plateauing: standstill
        case .stillFilling: open
        case .step:
            "one jump of \(resource.wholeAmount(facts.biggestRise)) after \(time(share: facts.biggestRiseAt)), and nothing since"
        case .sawtooth:
            "rises and falls (\(times(facts.drops))); its low points do not rise"
        case .stable: level
        case .shrinking: "shrinks: by \(change) since the start"
        case .notEnoughData:
            "seen in \(facts.snapshots) of the \(SiteOpinion.minimumSnapshots) snapshots a verdict needs"
        }
    }

    private var change: String {
        let share = facts.baseline > 0 ? 100 * (facts.baseline - facts.live) / facts.baseline : 0
        return "\(Format.fixed(share, 0)) %"
    }

    /// How steady it is, as far as that can be said in percent.
    private var level: String {
        switch facts.wobble {
        case ..<0.005: "steady at its level: unchanged for \(wholeTime)"
        case ..<0.5: "steady at its level: within ±\(Format.fixed(100 * facts.wobble, 0)) % for \(wholeTime)"
        default: "comes and goes, and is no more at the end of \(wholeTime) than before"
        }
    }

    private func times(_ count: Int) -> String {
        switch count {
        case 1: "once"
        case 2: "twice"
        default: "\(Format.count(UInt64(count))) times"
        }
    }

    private var open: String {
        let grew = "grew \(resource.wholeAmount(facts.live - facts.baseline))"
        if facts.restSeconds > 0 {
            let rest = Format.duration(facts.restSeconds)
            return "\(grew) steadily until the program rested, for \(rest): a longer load tells"
        }
        if facts.loadRatio > 1 {
            let ratio = Format.fixed(facts.loadRatio, 1)
            return
                "\(grew) with what the program allocates, \(ratio) times as much in the newer half: an even load tells"
        }
        if facts.loadRatio > 0 {
            return "\(grew) by ever less, and the program allocates less besides: an even load tells"
        }
        if verdict.reason == .flat, facts.bursts == 0 {
            let rest = time(snapshots: facts.sinceHigh)
            return "\(grew) evenly, then no more in the last \(rest): a longer run tells whether it is full"
        }
        return facts.bursts > 0
            ? "\(grew) by \(facts.bursts) bursts, none of which was freed, then rested for "
                + "\(time(snapshots: facts.sinceHigh)): a longer run tells whether more come"
            : "\(grew), filling still: ever fewer new \(units) stay; a longer run tells"
    }

    // MARK: - Growing

    private var growing: String {
        let rose = "\(resource.wholeAmount(facts.baseline)) to \(resource.wholeAmount(facts.live))"
        let line: String
        switch verdict.reason {
        case .doubling: return GrowingArray.sentence(resource, rose, steps: facts.jumps)
        case .backlog:
            return "a queue, list or array that gets longer: its blocks are replaced, and ever more is held (\(rose))"
        case .trend: return "rose in every quarter of \(whose.isEmpty ? "the run" : whose), from \(rose)"
        case .deep: line = "slow, hidden under much that comes and goes: "
        case .slowed: line = "slower than at first, but steady since \(time(share: facts.from)): "
        case .late: line = "only since \(time(share: facts.since)): "
        case .leak, .none, .decel, .turnover, .stalled, .flat, .sparse, .everyRound, .gap, .idleRate, .idle:
            line = "steady\(error): "
        }
        return line + survivors + part + watched
    }

    /// For how long they have stayed, where that is too short for a sure verdict.
    private var watched: String {
        let kept = period * Double(facts.keptSnapshots)
        guard kept > 0, kept < GrowthFacts.sureSeconds else { return "" }
        let caveat = resource.isCounted ? Self.poolCaveat : Self.caveat
        return "; half of them are younger than \(Format.duration(kept))\(caveat)a \(sureRun(kept))\(Self.caveatEnd)"
    }

    /// A run that is so much longer that half of the blocks are watched for long enough, as `run of 80 s`.
    private func sureRun(_ kept: Double) -> String {
        let factor = GrowthFacts.sureSeconds / kept
        guard factor <= 10, whose.isEmpty else { return "longer run" }
        let seconds = (period * Double(facts.snapshots) * factor / 10).rounded(.up) * 10
        return "run of \(seconds < 120 ? "\(Int(seconds)) s" : Format.duration(seconds))"
    }

    /// What a short time leaves open; what tells follows.
    static let caveat = ", and a cache may keep its content longer: "
    static let poolCaveat = ", and a pool may keep them longer: "
    static let caveatEnd = " tells"

    /// As ` (±14 %)`; empty where the rate is known well.
    private var error: String {
        let share = verdict.slope > 0 ? 100 * verdict.error / verdict.slope : 0
        return share < 5 ? "" : " (±\(Format.fixed(share, 0)) %)"
    }

    /// As `of each second from 4 s to 19 s, 80–200 blocks were never freed (1.51 MiB)`.
    private var survivors: String {
        let each = Self.range(count(facts.fewest), count(facts.most))
        let isOne = count(facts.fewest) == "1" && count(facts.most) == "1"
        let kept = wasGivenBack ? "stayed until the end" : (isOne ? "was" : "were") + " never \(gone)"
        return "\(spans), \(each) \(isOne ? resource.unit : units) \(kept)"
            + (resource.isCounted ? "" : " (\(Format.bytes(facts.survivorBytes)))")
    }

    private var gone: String { resource.gone }

    /// As `of each second from 4 s to 19 s`.
    private var spans: String {
        let shares = (facts.to - facts.from) / Double(max(1, facts.slices))
        guard period > 0 else {
            return "of \(all("parts")) between \(Format.fixed(100 * facts.from, 0)) % and "
                + "\(Format.fixed(100 * facts.to, 0)) % of the run"
        }
        let seconds = period * shares * Double(facts.snapshots)
        let isSecond = (0.95..<1.05).contains(seconds)
        let of =
            facts.occupied == facts.slices
            ? isSecond ? "of each second" : "of every \(Self.time(seconds))"
            : isSecond ? "in \(all("seconds"))" : "in \(all("spans")) of \(Self.time(seconds))"
        let range = "from \(time(share: facts.from)) to \(time(share: facts.to))"
        return "\(of) \(range)" + (whose.isEmpty ? "" : " of \(whose)")
    }

    private func all(_ units: String) -> String {
        facts.occupied == facts.slices
            ? "all \(facts.slices) \(units)" : "\(facts.occupied) of \(facts.slices) \(units)"
    }

    /// Of slow growth: how much of it that is.
    private var part: String {
        guard verdict.verdict == .slowGrowing, facts.live > 0 else { return "" }
        let share = 100 * verdict.slope * Double(facts.snapshots) / facts.live
        return "; in \(wholeTime) that is \(Format.share(share)) of its \(resource.wholeAmount(facts.live))"
    }

    // MARK: - Cleared

    private var standstill: String {
        let grew = "grew \(resource.wholeAmount(max(0, facts.live - facts.baseline)))"
        if facts.hasSettledAtStart { return "start-up: \(grew) in the first \(time(share: facts.settledAt)), \(then)" }
        let until = facts.hasSettledEarly ? "\(grew) until \(time(share: facts.settledAt))" : grew
        switch verdict.reason {
        case .turnover: return "full: old \(units) are \(gone) as fast as new ones come; \(until)"
        case .decel:
            return
                "filling up: ever fewer new \(units) stay (\(count(facts.older)), then \(count(facts.newer))); \(until)"
        case .flat, .stalled, .leak, .late, .deep, .slowed, .doubling, .backlog, .trend, .none, .sparse, .everyRound,
            .gap, .idleRate, .idle:
            return "\(until), then stopped: \(then)"
        }
    }

    private var then: String {
        verdict.reason == .flat && facts.sinceHigh > 0
            ? "no new high for \(time(snapshots: facts.sinceHigh))" : "nothing that came later stayed"
    }

    // MARK: - Times

    private var wholeTime: String { time(snapshots: facts.snapshots) }

    private func time(share: Double) -> String {
        period > 0
            ? Self.time(period * share * Double(facts.snapshots)) : "\(Format.fixed(100 * share, 0)) % of the run"
    }

    private func time(snapshots: Int) -> String {
        period > 0
            ? Self.time(period * Double(snapshots)) : Format.plural(UInt64(max(0, snapshots)), "snapshot")
    }

    /// As 4 s, 0.5 s, 0.25 s.
    private static func time(_ seconds: Double) -> String {
        let isBetweenTenths = seconds < 1 && (seconds * 10 - (seconds * 10).rounded()).magnitude > 0.2
        let text = isBetweenTenths ? Format.fixed(seconds, 2) + " s" : Format.duration(seconds)
        return text.hasSuffix(".0 s") ? text.dropLast(4) + " s" : text
    }

    /// As `80–200`, or `up to 200` where some have none.
    static func range(_ fewest: String, _ most: String) -> String {
        fewest == most ? most : fewest == "0" ? "up to \(most)" : "\(fewest)–\(most)"
    }

    private func count(_ value: Double) -> String {
        Format.count(UInt64(max(0, min(value, 1e18)).rounded()))
    }
}

/// What is said of a block that is replaced by ever bigger ones.
enum GrowingArray {
    static func sentence(_ resource: Resource, _ rose: String, steps: Int) -> String {
        let steps = steps == 1 ? "one step" : "\(steps) steps"
        return resource == .mapping
            ? "a mapping that keeps growing: it is made larger and never smaller (\(rose) in \(steps))"
            : "an array that keeps growing: something is appended and never removed (\(rose) in \(steps))"
    }
}
