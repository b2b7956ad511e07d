/// What is said of one call site in one process, in the report's words.
struct SiteOpinion {
    var verdict = "not-enough-data"
    var isGrowing = false
    var confidence = "low"
    var reason = ""
    var evidence = ""
    /// Bytes per `unit`, and its error.
    var slope = 0.0
    var error = 0.0
    /// "interval" of a free-running trace; "request", "round" or "second" of a hunt.
    var unit = "interval"
    /// How many of those units a second of the hunt had.
    var unitsPerSecond = 1.0
    /// Judged rounds that left something, and all of them.
    var rounds: (occupied: Int, all: Int)?
    /// Live bytes gained in the phase.
    var rise = 0.0
    /// Live bytes at the last snapshot.
    var live = 0.0

    /// True when too few of its blocks survived for more to be said: neither charged nor acquitted.
    var isUndecided: Bool { ["none", "sparse"].contains(reason) }

    /// Fewer snapshots than this say nothing, as the judge of free runs has it.
    static let leastSnapshots = 6

    static func tooFewSnapshots(_ count: Int) -> SiteOpinion {
        SiteOpinion(reason: "snapshots", evidence: "\(count) of \(leastSnapshots) snapshots")
    }

    /// Of a site without a history: none of its blocks has seen two snapshots.
    static func young(inUseCount: UInt64, snapshots: Int) -> SiteOpinion {
        SiteOpinion(
            verdict: "stable",
            confidence: confidence(inStillnessAfter: snapshots),
            reason: "none",
            evidence: inUseCount == 0 ? "all of it was freed" : "no block in use is older than two snapshots"
        )
    }

    /// Of what Go's runtime keeps for its own next use (`GoName.isKeptByRuntime`).
    static let keptByRuntime = SiteOpinion(
        verdict: "stable",
        confidence: "medium",
        reason: "runtime",
        evidence: "Go's runtime keeps it for the next goroutine: as much as was ever needed at once"
    )

    /// How sure it is that a site does not grow: the judge misses a third of leaks at 6 snapshots, 6 % at 20.
    static func confidence(inStillnessAfter snapshots: Int) -> String {
        snapshots >= 20 ? "high" : snapshots >= 8 ? "medium" : "low"
    }

    /// Growing first, then the surer, then the faster.
    func isWeightier(than other: SiteOpinion) -> Bool {
        let order = ["low": 0, "medium": 1, "high": 2]
        return (isGrowing ? 1 : 0, order[confidence] ?? 0, slope)
            > (other.isGrowing ? 1 : 0, order[other.confidence] ?? 0, other.slope)
    }
}
