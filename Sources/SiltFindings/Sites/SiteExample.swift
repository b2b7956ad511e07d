internal import SiltRecording

/// One thing of a site: the one that is there longest.
package struct SiteExample: Equatable, Sendable {
    /// As `socket`.
    package var kind: String
    /// Which one: a path, addresses; may be empty.
    package var text: String
    package var ageSeconds: Double

    /// Looks for one of a growing site, by the stacks whose things made the verdict.
    static func find(of site: ReportSite, in recording: Recording) -> SiteExample? {
        let stacks = Set(site.stacks.map(\.stack)).union([site.stack])
        let examples = recording.examples.lazy.filter { $0.resource == site.resource && stacks.contains($0.stack) }
        guard let oldest = examples.min(by: { ($0.sinceNs, $0.stack) < ($1.sinceNs, $1.stack) }) else { return nil }
        // As old as it was when the process was last looked at.
        let last = recording.snapshots.last { $0.process == oldest.process }?.timeNs ?? oldest.sinceNs
        let age = last > oldest.sinceNs ? Double(last - oldest.sinceNs) / 1e9 : 0
        return SiteExample(kind: oldest.kind, text: oldest.text, ageSeconds: age)
    }
}
