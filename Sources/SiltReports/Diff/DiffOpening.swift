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
        self.init(sites, usual: first == second ? first : nil)
    }

    /// Of two moments of one: what grows.
    package init(_ report: HeapReport) {
        self.init(Self.differing(report, besides: nil), usual: report.recording.countedResource)
    }

    /// `usual`: what is compared anyway; nil: two recordings of which one has no blocks.
    private init(_ sites: [ReportSite], usual: Resource?) {
        let leading = sites.filter { $0.follows == nil }.map(\.resource)
        // What looks have found has no stacks: what has some says more.
        let first = leading.first { !$0.isFound } ?? leading.first
        resource = usual.map { leading.contains($0) ? nil : first } ?? first ?? .heap
        let shown = resource ?? usual ?? .heap
        let all = (resource == nil ? [] : [usual ?? .heap]) + sites.map(\.resource)
        others = all.reduce(into: []) { others, resource in
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
