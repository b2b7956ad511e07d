internal import SiltRecording

/// Joins growing sites that are one finding: one place that grows in several phases, one line that takes several
/// resources, and what grows in lock-step.
///
/// One object that is lost may be fourteen blocks of fourteen sites: as many of each, in each interval, all of them
/// allocated on the way through one function. The heaviest leads, the others follow it.
enum Findings {
    /// Survivors of a site that can be compared with those of another.
    private static let minimumSurvivors = 24.0
    /// Blocks of one site for each of another: beyond it two steady rates look like it by chance, unless one line makes both.
    private static let maximumRatio = 4.0
    private static let tolerance = 0.02

    /// Of sites in the order of a report, with their ranks.
    static func join(_ sites: inout [ReportSite]) {
        var leaders: [Int] = []
        let growing = sites.indices.filter { sites[$0].isGrowing }
        // What each thread takes at its start follows from the line that creates them, whichever is heavier.
        for index in growing.filter({ !sites[$0].isOfThreadStart }) + growing.filter({ sites[$0].isOfThreadStart }) {
            let site = sites[index]
            if let rank = rankOfCreator(of: site, in: sites) {
                sites[index].follows = ReportSite.Following(rank: rank, why: .lockStep)
            } else if let leader = leaders.first(where: { isSamePlace(sites[$0], site) }) {
                sites[index].follows = ReportSite.Following(rank: sites[leader].rank, why: .samePlace)
            } else if let rank = leadingRank(onLineOf: site, in: sites[..<index]) {
                sites[index].follows = ReportSite.Following(rank: rank, why: .sameLine)
            } else if let leader = leaders.first(where: { grewTogether(sites[$0], site) }) {
                sites[index].follows = ReportSite.Following(rank: sites[leader].rank, why: .lockStep)
            } else {
                leaders.append(index)
            }
        }
    }

    /// The rank of what leads the site that grows by most threads, for what threads take at their start.
    private static func rankOfCreator(of site: ReportSite, in sites: [ReportSite]) -> Int? {
        guard site.isOfThreadStart else { return nil }
        let creators = sites.filter {
            $0.isGrowing && [.thread, .unjoined].contains($0.resource) && $0.phase == site.phase
                && $0.follows?.why != .samePlace
        }
        return creators.max { $0.weight < $1.weight }.map { $0.follows?.rank ?? $0.rank }
    }

    /// The rank of what leads another site that grows at the same line, whether that is this one or what it follows.
    private static func leadingRank(onLineOf site: ReportSite, in sites: ArraySlice<ReportSite>) -> Int? {
        let other = sites.first { $0.isGrowing && $0.follows?.why != .samePlace && isSameLine($0, site) }
        return other.map { $0.follows?.rank ?? $0.rank }
    }

    private static func isSamePlace(_ one: ReportSite, _ other: ReportSite) -> Bool {
        one.place == other.place && one.resource == other.resource && one.phase != other.phase
    }

    /// One call may take several things: a thread, its descriptor, and memory for both; content, and a longer list for it.
    private static func isSameLine(_ one: ReportSite, _ other: ReportSite) -> Bool {
        // Nobody saw the line that took what is found.
        guard one.phase == other.phase, isSame(one.blame, other.blame), !one.resource.isFound, !other.resource.isFound
        else { return false }
        if one.resource == other.resource { return one.caller == nil && other.caller == nil }
        guard let first = one.caller, let second = other.caller else { return true }
        return isSame(first, second)
    }

    private static func isSame(_ one: ReportFrame, _ other: ReportFrame) -> Bool {
        one.isSamePlace(as: other) && (one.line != nil || one.offset == other.offset)
    }

    private static func grewTogether(_ one: ReportSite, _ other: ReportSite) -> Bool {
        guard one.resource == other.resource, one.phase == other.phase, one.births.count == other.births.count,
            !one.way.isDisjoint(with: other.way)
        else { return false }
        let isOneLine = isSame(one.fix, other.fix)
        // What is given back by calls of its own is an object of its own.
        if !isOneLine, let first = one.pair, let second = other.pair, first.giver != second.giver { return false }
        let (first, second) = (one.births.reduce(0, +), other.births.reduce(0, +))
        guard min(first, second) >= minimumSurvivors else { return false }
        let (more, fewer) = first >= second ? (one.births, other.births) : (other.births, one.births)
        let ratio = (max(first, second) / min(first, second)).rounded()
        guard ratio <= maximumRatio || isOneLine,
            abs(max(first, second) - ratio * min(first, second)) <= ratio + tolerance * max(first, second)
        else { return false }
        // An interval may end while an object is made.
        return zip(more, fewer).allSatisfy { abs($0 - ratio * $1) <= ratio + tolerance * $0 }
    }
}
