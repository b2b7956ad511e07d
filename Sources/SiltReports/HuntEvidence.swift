internal import SiltGrowth

/// What a hunt says of a site in one phase, and the line that says why.
struct HuntEvidence {
    private let verdict: GrowthVerdict
    private let facts: GrowthFacts
    private let phase: HuntPhases.Phase
    private let kind: ReportSite.Kind

    static func opinion(_ verdict: GrowthVerdict, _ phase: HuntPhases.Phase, kind: ReportSite.Kind) -> SiteOpinion {
        let evidence = HuntEvidence(verdict: verdict, facts: verdict.facts, phase: phase, kind: kind)
        var opinion = SiteOpinion(
            verdict: verdict.verdict.rawValue,
            isGrowing: verdict.verdict.isGrowing,
            confidence: verdict.confidence?.rawValue ?? evidence.confidenceInStillness,
            reason: verdict.reason.rawValue,
            evidence: evidence.line,
            live: verdict.facts.live
        )
        opinion.rise = verdict.facts.live - verdict.facts.baseline
        let facts = verdict.facts
        opinion.rounds = (facts.occupied, facts.slices)
        let perSecond = facts.seconds > 0 ? Double(facts.slices) / facts.seconds : 0
        if phase.isIdle, perSecond > 0 {
            opinion.unit = "second"
            opinion.slope = verdict.slope * perSecond
            opinion.error = verdict.error * perSecond
        } else if verdict.perRequest > 0 {
            opinion.unit = "request"
            opinion.slope = verdict.perRequest
            opinion.error = verdict.perRequestError
            opinion.unitsPerSecond = facts.seconds > 0 ? facts.requests / facts.seconds : 1
        } else {
            opinion.unit = "round"
            opinion.slope = verdict.slope
            opinion.error = verdict.error
            opinion.unitsPerSecond = perSecond > 0 ? perSecond : 1
        }
        if phase.isInconclusive, opinion.isGrowing {
            opinion.confidence = Confidence.low.rawValue
            opinion.evidence += "; \(Format.percent(100 * phase.failedShare)) of the requests failed"
        }
        return opinion
    }

    /// Few rounds may have missed it.
    private var confidenceInStillness: String {
        facts.snapshots >= 8 ? "high" : facts.snapshots >= 5 ? "medium" : "low"
    }

    private var line: String {
        switch verdict.verdict {
        case .growing, .slowGrowing: growing
        case .notEnoughData: "\(facts.snapshots) \(rounds) of \(phase.name): too few for a verdict"
        case .plateauing, .step, .sawtooth, .stable, .shrinking: acquittal
        }
    }

    private var rounds: String { phase.isIdle ? "slices" : "rounds" }
    private var round: String { phase.isIdle ? "slice" : "round" }
    private var rose: String { "\(amount(facts.baseline)) -> \(amount(facts.live))" }

    private var growing: String {
        var line: String
        switch verdict.reason {
        case .doubling:
            return "one block replaced by a bigger one \(facts.jumps) times (\(rose)): look at what it holds"
        case .everyRound:
            // Without births nothing is known of what was replaced.
            return (facts.slices > 0 ? "content is replaced, but " : "") + "every \(round) ended higher: \(rose)"
        case .trend, .backlog: return "rose in all quarters of the phase, \(rose)"
        case .leak, .late, .deep, .slowed, .none, .decel, .turnover, .stalled, .flat, .sparse, .gap, .idleRate, .idle:
            let all = facts.occupied == facts.slices ? "all \(facts.slices)" : "\(facts.occupied) of \(facts.slices)"
            let each =
                facts.fewest == facts.most ? count(facts.most) : "\(count(facts.fewest))..\(count(facts.most))"
            line = "blocks of \(all) \(rounds) still live, \(each) a \(round): \(count(facts.survivors)) blocks, "
            line += amount(facts.survivorBytes)
            if facts.requests > 0 { line += ", of \(count(facts.requests)) requests" }
        }
        if !phase.isIdle, facts.idleBytes >= 1 {
            line += "; idle leaves \(amount(facts.idleBytes)) in the time of a round"
        }
        if facts.oneOffBytes > verdict.slope, facts.oneOffBytes >= 1 {
            line += "; \(amount(facts.oneOffBytes)) more came once, in the warm-up round"
        }
        return line
    }

    private var acquittal: String {
        let grew = facts.live > facts.baseline ? "grew \(amount(facts.live - facts.baseline))" : "did not grow"
        return "\(grew) in \(phase.name); \(why)"
    }

    private var why: String {
        // Without births nothing is known of what was freed.
        if facts.slices == 0, facts.snapshots > 0 {
            facts.settledAt <= 0.7 ? "no longer rose in its last \(rounds)" : "rises and falls"
        } else {
            whyBySurvivors
        }
    }

    private var whyBySurvivors: String {
        switch verdict.reason {
        case .decel: "fewer blocks stay each \(round): \(count(facts.older)) -> \(count(facts.newer))"
        case .turnover: "old blocks are freed as fast as new ones stay"
        case .stalled: "nothing more stayed in its last \(rounds)"
        case .gap: "its last \(round) left nothing"
        case .flat: "no new high in its last \(rounds)"
        case .idleRate where facts.survivors > 0: "no more than idle leaves in the same time"
        case .late: "what stayed began after the load"
        case .sparse where facts.occupied == facts.slices: "what stayed beyond idle's came in few of its \(rounds)"
        case .sparse: "blocks of only \(facts.occupied) of \(facts.slices) \(rounds) still live"
        case .none, .idleRate, .leak, .deep, .slowed, .doubling, .backlog, .trend, .everyRound, .idle:
            facts.oneOffBytes >= 1
                ? "\(amount(facts.oneOffBytes)) came once, in the warm-up round, and nothing stayed after it"
                : "what came was freed"
        }
    }

    private func amount(_ value: Double) -> String {
        switch kind {
        case .heap: Format.bytes(value)
        case .goroutine: Format.plural(UInt64(max(0, min(value, 1e18)).rounded()), "goroutine")
        }
    }

    private func count(_ value: Double) -> String {
        Format.count(UInt64(max(0, min(value, 1e18)).rounded()))
    }
}
