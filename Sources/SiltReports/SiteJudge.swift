internal import SiltGrowth
internal import SiltHeap
internal import SiltRecording

/// Asks the judge of growth about call sites: recorded histories in, verdicts and opinions in the report's words out.
struct SiteJudge {
    private let bytes: [UInt8]

    init(historyBytes: [UInt8]) {
        bytes = historyBytes
    }

    /// What is said of a site that has a verdict.
    static func opinion(_ verdict: GrowthVerdict, clock: ProcessClock) -> SiteOpinion {
        SiteOpinion(
            verdict: verdict.verdict.rawValue,
            isGrowing: verdict.verdict.isGrowing,
            confidence: verdict.confidence?.rawValue ?? SiteOpinion.confidence(inStillnessAfter: clock.count),
            reason: verdict.reason.rawValue,
            evidence: Evidence.line(verdict, period: clock.period),
            slope: verdict.slope,
            error: verdict.error,
            live: verdict.facts.live
        )
    }

    /// The verdict on those histories together; nil when one cannot be read.
    func verdict(of histories: [Range<Int>], clock: ProcessClock) -> GrowthVerdict? {
        var decoded: [SiteHistory] = []
        for range in histories {
            guard let history = history(range) else { return nil }
            decoded.append(history)
        }
        return SiteJudge.sum(decoded).map { self.verdict($0, clock) }
    }

    func verdict(_ history: SiteHistory, _ clock: ProcessClock) -> GrowthVerdict { judge(series(history, clock)) }

    /// What of a site still lives of all that was born since the baseline.
    func survivors(_ history: SiteHistory) -> (bytes: UInt64, count: UInt64) {
        (history.survivorBytes, history.survivorCount)
    }

    /// nil when it cannot be read.
    func history(_ range: Range<Int>) -> SiteHistory? {
        do {
            return try SiteHistory(decoding: Array(bytes[range]))
        } catch {
            return nil
        }
    }

    func series(_ history: SiteHistory, _ clock: ProcessClock) -> SurvivorSeries {
        history.series(atSnapshot: UInt32(min(clock.count, 1 << 30)))
    }

    /// nil when there is none.
    static func sum(_ histories: some Sequence<SiteHistory>) -> SiteHistory? {
        var result: SiteHistory?
        for history in histories {
            if result == nil { result = history } else { result?.add(history) }
        }
        return result
    }
}
