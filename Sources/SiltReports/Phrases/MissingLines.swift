internal import SiltFindings
internal import SiltRecording
internal import SiltText

/// Why the call sites that a report shows have no lines, file by file.
enum MissingLines {
    /// Files named; more would bury the verdict.
    private static let fileLimit = 3
    /// What a site without a name holds of the peak, so that its file is worth a note.
    private static let minimumShare = 0.1

    /// One line for each file that a finding without a line is in, or much that has no name, the heaviest first: of others
    /// nobody needs to know.
    static func notes(_ report: HeapReport, limit: Int) -> [String] {
        var notes: [String] = []
        var seen: Set<String> = []
        let minimum = Self.minimumShare * Double(report.totals.peakInUseBytes)
        func isMissed(_ site: ReportSite) -> Bool {
            if site.isGrowing { return site.follows == nil && site.fix.line == nil }
            return site.fix.function.isEmpty && site.resource == .heap && Double(site.inUseBytes) >= max(1, minimum)
        }
        for site in report.sites.prefix(limit) where isMissed(site) && !site.fix.module.isEmpty {
            let path = site.fix.module
            guard notes.count < fileLimit, seen.insert(path).inserted,
                let module = report.recording.modules.first(where: { $0.path == path }),
                let reason = module.missingLines
            else { continue }
            notes.append("no line numbers for \(report.names.moduleName(path)): \(reason)".printable)
        }
        return notes
    }
}
