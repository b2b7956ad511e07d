internal import SiltEvents
internal import SiltFindings
internal import SiltGrowth
internal import SiltText

/// The sentence that says why a site is charged or acquitted in one phase of a hunt.
struct HuntEvidenceText {
    /// What is left open where a verdict is not sure.
    static let caveat = "; a cache may do that too: --confirm 60s tells"

    let verdict: GrowthVerdict
    let phase: Evidence.Phase
    let resource: Resource

    private var facts: GrowthFacts { verdict.facts }

    var line: String {
        verdictLine + workers + (phase.failedShare.map { "; \(Format.share(100 * $0)) of the requests failed" } ?? "")
    }

    private var verdictLine: String {
        switch verdict.verdict {
        case .growing, .slowGrowing: growing
        case .notEnoughData: "\(facts.snapshots) \(rounds) of \(phase.name) are too few for a verdict"
        case .plateauing, .step, .sawtooth, .stable, .shrinking, .stillFilling: acquittal
        }
    }

    /// As ` (14 workers, 6 one after the other)`.
    private var workers: String {
        phase.workers.map { " (\(Format.count(UInt64($0.count))) workers, \($0.generations) one after the other)" }
            ?? ""
    }

    private var units: String { resource.units }
    private var rounds: String {
        phase.isIdle ? "parts of the idle time" : phase.workers == nil ? "rounds" : "parts of a worker's life"
    }
    private var round: String {
        phase.isIdle ? "part of the idle time" : phase.workers == nil ? "round" : "part of a worker's life"
    }
    private var warmUp: String { phase.workers == nil ? "in the warm-up round" : "at a worker's start" }
    private var rose: String { "\(amount(facts.baseline)) to \(amount(facts.live))" }
    private var gone: String { resource.gone }

    private var growing: String {
        var line: String
        switch verdict.reason {
        case .doubling: return GrowingArray.sentence(resource, rose, steps: facts.jumps)
        case .everyRound:
            // Without births nothing is known of what was replaced.
            let replaced = facts.slices > 0 ? "what it holds is replaced, but " : ""
            return replaced + "every \(round) ended higher (\(rose))"
        case .trend, .backlog: return "rose in every quarter of the phase, from \(rose)"
        case .leak, .late, .deep, .slowed, .none, .decel, .turnover, .stalled, .flat, .sparse, .gap, .idleRate, .idle:
            line = survivors
        }
        if !phase.isIdle, facts.idleBytes >= 1 {
            line += "; idle alone leaves \(amount(facts.idleBytes)) in the time of a round"
        }
        if facts.oneOffBytes > verdict.slope, facts.oneOffBytes >= 1 {
            line += "; \(amount(facts.oneOffBytes)) more came once, \(warmUp)"
        }
        if phase.workers != nil {
            line += "; a cache that is not full when its worker ends does that too"
        } else if facts.keptSeconds >= 1 {
            line += "; none was \(gone) within \(Format.duration(facts.keptSeconds))"
            if verdict.confidence != .high { line += Self.caveat }
        }
        return line
    }

    /// As `each of 19 rounds left 50 blocks that were never freed (950 blocks, 940 KiB, in 9,500 requests)`, or
    /// `4 of 7 rounds left up to 9 blocks that were never freed, the other 3 none (20 blocks, …`.
    private var survivors: String {
        let all = "\(facts.occupied == facts.slices ? "each" : "\(facts.occupied)") of \(facts.slices) \(rounds)"
        let each = RunEvidenceText.range(count(facts.fewest), count(facts.most))
        let isOne = facts.fewest == facts.most && count(facts.most) == "1"
        let others = facts.slices - facts.occupied
        let none = others == 0 ? "" : ", the other\(others == 1 ? "" : " \(others)") none"
        let things = isOne ? resource.unit + " that was" : units + " that were"
        var line = "\(all) left \(each) \(things) never \(gone)\(none) ("
        line += Format.plural(whole(facts.survivors), resource.unit)
        if !resource.isCounted { line += ", " + amount(facts.survivorBytes) }
        if facts.requests > 0 { line += ", in \(count(facts.requests)) requests" }
        return line + ")"
    }

    private var acquittal: String {
        let grew = facts.live > facts.baseline ? "grew \(amount(facts.live - facts.baseline))" : "did not grow"
        let filling = verdict.verdict == .stillFilling ? ", still filling" : ""
        return "\(grew) in \(phase.name)\(filling): \(why)"
    }

    private var why: String {
        // Without births nothing is known of what was freed.
        if facts.slices == 0, facts.snapshots > 0 {
            facts.hasSettledEarly ? "no longer rose in its last \(rounds)" : "rises and falls"
        } else {
            whyBySurvivors
        }
    }

    private var whyBySurvivors: String {
        switch verdict.reason {
        case .decel where verdict.verdict == .stillFilling && facts.newer >= facts.older:
            "\(units) stay of each \(round), but no more evenly than those of a cache that fills"
        case .decel:
            "fewer \(units) stay each \(round), \(count(facts.older)) at first and \(count(facts.newer)) at last"
        case .turnover: "old \(units) are \(gone) as fast as new ones come"
        case .stalled: "nothing more stayed in its last \(rounds)"
        case .gap: "its last \(round) left nothing"
        case .flat: "no new high in its last \(rounds)"
        case .idleRate where facts.survivors > 0: "no more than idle leaves in the same time"
        case .late: "what stayed began after the load"
        case .sparse where facts.occupied == facts.slices:
            "few of its \(rounds) left more than idle does in the same time"
        case .sparse: "only \(facts.occupied) of \(facts.slices) \(rounds) left anything"
        case .doubling: "an array grew in \(facts.jumps) steps, as the table of a cache does until it is full"
        case .none, .idleRate, .leak, .deep, .slowed, .backlog, .trend, .everyRound, .idle:
            facts.oneOffBytes >= 1
                ? "\(amount(facts.oneOffBytes)) came once, \(warmUp), and nothing stayed after it"
                : "what came was \(gone)"
        }
    }

    private func amount(_ value: Double) -> String { resource.wholeAmount(value) }

    private func count(_ value: Double) -> String { Format.count(whole(value)) }

    private func whole(_ value: Double) -> UInt64 { UInt64(max(0, min(value, 1e18)).rounded()) }
}
