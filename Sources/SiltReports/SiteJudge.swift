internal import SiltGrowth
internal import SiltHeap
internal import SiltRecording

/// Asks the judge of growth about call sites: recorded histories in, opinions in the report's words out.
struct SiteJudge {
    private let bytes: [UInt8]

    init(historyBytes: [UInt8]) {
        bytes = historyBytes
    }

    func opinion(of part: CallSites.Part, clock: ProcessClock) -> SiteOpinion {
        guard clock.count >= SiteOpinion.leastSnapshots else { return .tooFewSnapshots(clock.count) }
        guard !part.histories.isEmpty else { return .young(inUseCount: part.inUseCount, snapshots: clock.count) }
        guard let history = sum(part.histories) else {
            return SiteOpinion(reason: "damaged", evidence: "its history cannot be read")
        }
        let verdict = judge(history.series(atSnapshot: UInt32(clock.count)))
        return SiteOpinion(
            verdict: verdict.verdict.rawValue,
            isGrowing: verdict.verdict.isGrowing,
            confidence: verdict.confidence?.rawValue ?? SiteOpinion.confidence(inStillnessAfter: clock.count),
            reason: verdict.reason.rawValue,
            evidence: Evidence.line(verdict, period: clock.period),
            slope: verdict.slope,
            error: verdict.error
        )
    }

    /// Whether those histories together would be called growing after so many snapshots.
    func isGrowing(_ histories: [Range<Int>], snapshots: Int) -> Bool {
        guard let history = sum(histories) else { return false }
        return judge(history.series(atSnapshot: UInt32(snapshots))).verdict.isGrowing
    }

    /// Bytes that were born after the baseline and live.
    func survivors(_ range: Range<Int>, snapshots: Int) -> Double {
        guard let history = sum([range]) else { return 0 }
        return history.series(atSnapshot: UInt32(snapshots)).bytes.reduce(0, +)
    }

    /// nil when there is none, or when one cannot be read.
    private func sum(_ ranges: [Range<Int>]) -> SiteHistory? {
        var result: SiteHistory?
        for range in ranges {
            do {
                let history = try SiteHistory(decoding: Array(bytes[range]))
                result = result?.adding(history) ?? history
            } catch {
                return nil
            }
        }
        return result
    }
}
