internal import SiltEvents
internal import SiltRecording

/// Memory that the program mapped earlier and has touched for the first time since: its mappings do not grow, what is
/// resident of them does.
package struct LateMapping: Sendable {
    /// The line that has mapped most.
    package var site: ReportSite
    /// What all mappings that do not grow take of the address space.
    package var mappedBytes: UInt64
    /// What is resident of mappings.
    package var residentBytes: UInt64
    package var cause: MemoryCause

    package init(site: ReportSite, mappedBytes: UInt64, residentBytes: UInt64, cause: MemoryCause) {
        self.site = site
        self.mappedBytes = mappedBytes
        self.residentBytes = residentBytes
        self.cause = cause
    }

    /// Nil where memory grew by something else, or what maps grows itself, or has no room for what came.
    package init?(_ report: HeapReport, _ memory: WholeMemory) {
        let growth = report.outsideMalloc ?? memory.growth
        guard let growth, growth.process == memory.process, let parts = growth.parts, let look = memory.look,
            parts.foremostOutsideMalloc == .mapped,
            parts[.mapped] >= MemoryGrowth.explainedShare * parts.outsideMalloc
        else { return nil }
        let sites = report.sites.filter { $0.resource == .mapping }
        let most = sites.max { Self.mapped($0) < Self.mapped($1) }
        guard !sites.contains(where: \.isGrowing), let most else { return nil }
        // One line is there once for each phase of a hunt.
        let places = Dictionary(grouping: sites, by: \.place).values
        mappedBytes = places.reduce(0) { $0 &+ ($1.map(Self.mapped).max() ?? 0) }
        residentBytes = look.bytes[.mapped]
        guard Double(mappedBytes) >= parts[.mapped] else { return nil }
        site = most
        let isHuge = growth.rise(.hugePages) >= MemoryGrowth.explainedShare * parts[.mapped]
        cause = isHuge ? .hugePages : .touchedLate
    }

    private static func mapped(_ site: ReportSite) -> UInt64 { max(site.lastInUseBytes, site.inUseBytes) }
}
