internal import SiltEvents
internal import SiltFindings
internal import SiltGrowth
internal import SiltText

/// The sentence that says why a site is charged or acquitted in one phase of a hunt.
struct HuntEvidenceText {
    let verdict: GrowthVerdict
    let phase: Evidence.Phase
    let resource: Resource

    private var facts: GrowthFacts { verdict.facts }

    var line: String {
        verdictLine + (phase.failedShare.map { "; \(Format.percent(100 * $0)) of the requests failed" } ?? "")
    }

    private var verdictLine: String {
        switch verdict.verdict {
        case .growing, .slowGrowing: growing
        case .notEnoughData: "\(facts.snapshots) \(rounds) of \(phase.name): too few for a verdict"
        case .plateauing, .step, .sawtooth, .stable, .shrinking, .stillFilling: acquittal
        }
    }

    private var units: String { resource.units }
    private var rounds: String { phase.isIdle ? "slices" : "rounds" }
    private var round: String { phase.isIdle ? "slice" : "round" }
    private var rose: String { "\(amount(facts.baseline)) -> \(amount(facts.live))" }

    private var growing: String {
        var line: String
        switch verdict.reason {
        case .doubling:
            return "one \(resource.unit) replaced by a bigger one \(facts.jumps) times (\(rose)): look at what it holds"
        case .everyRound:
            // Without births nothing is known of what was replaced.
            return (facts.slices > 0 ? "content is replaced, but " : "") + "every \(round) ended higher: \(rose)"
        case .trend, .backlog: return "rose in all quarters of the phase, \(rose)"
        case .leak, .late, .deep, .slowed, .none, .decel, .turnover, .stalled, .flat, .sparse, .gap, .idleRate, .idle:
            let all = facts.occupied == facts.slices ? "all \(facts.slices)" : "\(facts.occupied) of \(facts.slices)"
            let each =
                facts.fewest == facts.most ? count(facts.most) : "\(count(facts.fewest))..\(count(facts.most))"
            line = "\(units) of \(all) \(rounds) still live, \(each) a \(round): \(count(facts.survivors)) \(units)"
            if !resource.isCounted { line += ", " + amount(facts.survivorBytes) }
            if facts.requests > 0 { line += ", of \(count(facts.requests)) requests" }
        }
        if !phase.isIdle, facts.idleBytes >= 1 {
            line += "; idle leaves \(amount(facts.idleBytes)) in the time of a round"
        }
        if facts.oneOffBytes > verdict.slope, facts.oneOffBytes >= 1 {
            line += "; \(amount(facts.oneOffBytes)) more came once, in the warm-up round"
        }
        if facts.keptSeconds >= 1 {
            line += "; none of them freed within \(Format.duration(facts.keptSeconds))"
            if verdict.confidence != .high { line += ", which a cache may do too: --confirm 60s tells" }
        }
        return line
    }

    private var acquittal: String {
        let grew = facts.live > facts.baseline ? "grew \(amount(facts.live - facts.baseline))" : "did not grow"
        let filling = verdict.verdict == .stillFilling ? ", still filling" : ""
        return "\(grew) in \(phase.name)\(filling); \(why)"
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
        case .decel: "fewer \(units) stay each \(round): \(count(facts.older)) -> \(count(facts.newer))"
        case .turnover: "old \(units) are freed as fast as new ones stay"
        case .stalled: "nothing more stayed in its last \(rounds)"
        case .gap: "its last \(round) left nothing"
        case .flat: "no new high in its last \(rounds)"
        case .idleRate where facts.survivors > 0: "no more than idle leaves in the same time"
        case .late: "what stayed began after the load"
        case .sparse where facts.occupied == facts.slices: "what stayed beyond idle's came in few of its \(rounds)"
        case .sparse: "\(units) of only \(facts.occupied) of \(facts.slices) \(rounds) still live"
        case .none, .idleRate, .leak, .deep, .slowed, .doubling, .backlog, .trend, .everyRound, .idle:
            facts.oneOffBytes >= 1
                ? "\(amount(facts.oneOffBytes)) came once, in the warm-up round, and nothing stayed after it"
                : "what came was freed"
        }
    }

    private func amount(_ value: Double) -> String { resource.wholeAmount(value) }

    private func count(_ value: Double) -> String {
        Format.count(UInt64(max(0, min(value, 1e18)).rounded()))
    }
}
