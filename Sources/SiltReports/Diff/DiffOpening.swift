package import SiltEvents
package import SiltFindings

/// What a difference opens on where nobody says which resource is compared: blocks, unless what grows differs in something
/// else alone.
package struct DiffOpening: Sendable {
    /// nil: what is compared anyway.
    package let resource: Resource?
    /// What else is worth a look.
    let others: [Resource]

    /// Of two recordings: what differs in what grows.
    package init(_ before: DiffSide, _ after: DiffSide) {
        let sites =
            Self.differing(after.report, besides: before.report) + Self.differing(before.report, besides: after.report)
        let (first, second) = (before.report.recording.countedResource, after.report.recording.countedResource)
        // Of a recording without blocks and one with some nothing is compared unasked.
        self.init(sites, usual: first == second ? first : .heap, isCompared: first == second)
    }

    /// Of two moments of one: what grows.
    package init(_ report: HeapReport) {
        self.init(Self.differing(report, besides: nil), usual: report.recording.countedResource, isCompared: true)
    }

    /// `isCompared`: without being asked for.
    private init(_ sites: [ReportSite], usual: Resource, isCompared: Bool) {
        let opening = sites.opening(besides: usual)
        let shown = opening ?? usual
        resource = isCompared ? opening : shown
        others = ([usual] + sites.map(\.resource)).reduce(into: []) { others, resource in
            if resource != shown, !others.contains(resource) { others.append(resource) }
        }
    }

    /// What grows in the one and does not hold half as much of what grows in the other, the worst first.
    private static func differing(_ report: HeapReport, besides other: HeapReport?) -> [ReportSite] {
        guard let other else { return report.growing }
        return report.growing.filter { site in
            let same = other.growing.filter { $0.resource == site.resource && $0.fix.name == site.fix.name }
            return same.reduce(0) { $0 &+ $1.heldBytes } < site.heldBytes / 2
        }
    }
}
