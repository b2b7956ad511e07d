internal import SiltGrowth

/// The one line that says why a site is charged or acquitted.
enum Evidence {
    /// `period`: seconds between snapshots, 0 when they are unknown.
    static func line(_ verdict: GrowthVerdict, period: Double) -> String {
        let facts = verdict.facts
        switch verdict.verdict {
        case .growing, .slowGrowing: return growing(verdict, period: period)
        case .plateauing:
            let grown = max(0, facts.live - facts.baseline)
            return "grew \(Format.bytes(grown)); \(standstill(verdict, period: period))"
        case .step:
            return "+\(Format.bytes(max(0, facts.live - facts.baseline))) at once, flat since"
        case .sawtooth: return "\(facts.drops) falls of more than 20 %; the troughs do not rise"
        case .stable: return "stable over \(span(facts, period: period))"
        case .shrinking:
            let share = facts.baseline > 0 ? 100 * (facts.live - facts.baseline) / facts.baseline : 0
            return "\(Format.fixed(share, 0)) % since the start"
        case .notEnoughData: return "\(facts.snapshots) of \(SiteOpinion.leastSnapshots) snapshots"
        }
    }

    private static func growing(_ verdict: GrowthVerdict, period: Double) -> String {
        let facts = verdict.facts
        let share = verdict.slope > 0 ? 100 * verdict.error / verdict.slope : 0
        var line = "+\(Format.bytes(verdict.slope))/interval ±\(Format.fixed(share, 0)) %: "
        switch verdict.reason {
        case .doubling:
            return line + "one block replaced by a bigger one again and again "
                + "(\(Format.bytes(facts.baseline)) -> \(Format.bytes(facts.live))): look at what it holds"
        case .backlog:
            return line + "content is replaced, but there is ever more of it: "
                + "\(Format.bytes(facts.baseline)) -> \(Format.bytes(facts.live)), rose in all four quarters"
        case .trend:
            return line + "rose in all four quarters, \(Format.bytes(facts.baseline)) -> \(Format.bytes(facts.live))"
        case .deep: line += "hidden under churn: of the blocks older than half the run, "
        case .slowed: line += "slower than at first, but steady since: "
        case .late: line += "only since \(Format.percent(100 * facts.from)) of the run: "
        case .leak, .none, .decel, .turnover, .stalled, .flat, .sparse: break
        }
        let slices = facts.occupied == facts.slices ? "all \(facts.slices)" : "\(facts.occupied) of \(facts.slices)"
        line +=
            "blocks of \(slices) time slices between \(Format.fixed(100 * facts.from, 0)) % and "
            + "\(Format.fixed(100 * facts.to, 0)) % of the run are still alive, "
            + "\(count(facts.fewest))..\(count(facts.most)) a slice, \(count(facts.survivors)) objects "
            + Format.bytes(facts.survivorBytes)
        if verdict.verdict == .slowGrowing, facts.live > 0 {
            let part = 100 * verdict.slope * Double(facts.snapshots) / facts.live
            line +=
                "; = \(Format.fixed(part, 1)) % of the site's \(Format.bytes(facts.live)) over "
                + span(facts, period: period)
        }
        return line
    }

    private static func standstill(_ verdict: GrowthVerdict, period: Double) -> String {
        let facts = verdict.facts
        switch verdict.reason {
        case .decel: return "fewer new survivors: \(count(facts.older)) a slice -> \(count(facts.newer))"
        case .turnover: return "old blocks are freed as fast as new ones stay"
        case .stalled: return "nothing more of it stays"
        case .flat: return "no new high for a while"
        case .leak, .late, .deep, .slowed, .doubling, .backlog, .trend, .none, .sparse:
            return "little has stayed since, over \(span(facts, period: period))"
        }
    }

    private static func span(_ facts: GrowthFacts, period: Double) -> String {
        period > 0
            ? Format.duration(period * Double(facts.snapshots)) : "\(facts.snapshots) snapshots"
    }

    private static func count(_ value: Double) -> String {
        Format.count(UInt64(max(0, min(value, 1e18)).rounded()))
    }
}
