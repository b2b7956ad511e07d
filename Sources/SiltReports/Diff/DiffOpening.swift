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
        self.init(sites, usual: after.report.recording.countedResource)
    }

    /// Of two moments of one: what grows.
    package init(_ report: HeapReport) {
        self.init(Self.differing(report, besides: nil), usual: report.recording.countedResource)
    }

    private init(_ sites: [ReportSite], usual: Resource) {
        let leading = sites.filter { $0.follows == nil }.map(\.resource)
        resource = leading.contains(usual) ? nil : leading.first
        let shown = resource ?? usual
        let all = (resource == nil ? [] : [usual]) + sites.map(\.resource)
        others = all.reduce(into: []) { others, resource in
            if resource != shown, !others.contains(resource) { others.append(resource) }
        }
    }

    /// What grows in the one and does not hold half as much of what grows in the other, the worst first.
    private static func differing(_ report: HeapReport, besides other: HeapReport?) -> [ReportSite] {
        let grown = report.growing.filter { !$0.resource.isFound }
        guard let other else { return grown }
        return grown.filter { site in
            let same = other.growing.filter { $0.resource == site.resource && $0.fix.name == site.fix.name }
            return same.reduce(0) { $0 &+ $1.heldBytes } < site.heldBytes / 2
        }
    }
}
