internal import SiltEvents
package import SiltFindings
internal import SiltRecording
internal import SiltText

/// `--peak`: what made up the most that was in use at once.
package enum PeakText {
    private static let usual = 20

    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        var page = TextPage(width: report.options.width, isColored: report.options.color)
        let resource = report.countedResource
        let peak = Self.peak(resource, report)
        guard peak > 0 else {
            output.write("no peak: no \(resource.unit) was ever in use\n")
            return
        }
        page.paragraph(headline(resource, peak, report), indent: 2, first: 0)
        let sites = report.sites.filter { $0.resource == resource && $0.peakBytes > 0 }
            .sorted { ($1.peakBytes, $0.rank) < ($0.peakBytes, $1.rank) }
        var seen: Set<Int> = []
        // A site that grows in several phases is listed for each.
        let distinct = sites.filter { seen.insert($0.index).inserted }
        let shown = distinct.prefix(report.options.limit ?? usual)
        page.sites(
            shown.enumerated().map { index, site in
                TextPage.SiteLine(
                    rank: index + 1,
                    lead: Format.percent(Double(site.peakBytes), of: Double(peak)),
                    blame: site.blame,
                    size: resource.amount(site.peakBytes, in: site.peakCount),
                    end: "now \(resource.isCounted ? Format.count(site.inUseCount) : Format.bytes(site.inUseBytes))"
                )
            }
        )
        if distinct.count > shown.count { page.line("     and \(distinct.count - shown.count) smaller ones") }
        output.write(page.text)
    }

    private static func headline(_ resource: Resource, _ peak: UInt64, _ report: HeapReport) -> String {
        let peaks = Set(
            report.recording.counters.lazy.filter { $0.resource == resource && $0.peakBytes > 0 }.map(\.process)
        )
        var line = "peak: \(resource.amount(Double(peak)))"
        if peaks.count > 1 { line += ", the sum of the peaks of \(Format.count(UInt64(peaks.count))) processes" }
        if let highest = HeapTimeline.highest(of: resource, in: report.recording), highest.inUse > 0 {
            line += "; the highest snapshot was at \(Format.duration(Double(highest.timeNs) / 1e9))"
            line += " with \(resource.amount(Double(highest.inUse)))"
        }
        return line + "; \(resource.amount(Double(inUse(resource, report)))) in use at the end"
    }

    /// What all processes had in use at their peaks.
    private static func peak(_ resource: Resource, _ report: HeapReport) -> UInt64 {
        guard resource != .heap else { return report.totals.peakInUseBytes }
        return report.recording.counters.reduce(0) { $0 &+ ($1.resource == resource ? $1.peakBytes : 0) }
    }

    private static func inUse(_ resource: Resource, _ report: HeapReport) -> UInt64 {
        guard resource != .heap else { return report.totals.inUseBytes }
        return report.recording.counters.reduce(0) { $0 &+ ($1.resource == resource ? $1.inUseBytes : 0) }
    }
}
