internal import SiltFindings
internal import SiltRecording
internal import SiltText

/// Why the call sites that a report shows have no lines, file by file.
enum MissingLines {
    /// Files named; more would bury the verdict.
    private static let fileLimit = 3
    /// What a site without a name holds of the peak, so that its file is worth a note.
    private static let minimumShare = 0.1
    /// How a reason begins that only says how a file was built: of what does not grow nobody needs that.
    private static let asBuilt = "build it with -g"

    /// One line for each file that a finding without a line is in, the heaviest first, and where much has no name since its
    /// file is another by now, or cannot be read.
    static func notes(_ report: HeapReport, limit: Int) -> [String] {
        var notes: [String] = []
        var seen: Set<String> = []
        let minimum = max(1, Self.minimumShare * Double(report.totals.peakInUseBytes))
        for site in report.sites.prefix(limit) where !site.fix.module.isEmpty {
            let isFinding = site.isGrowing && site.follows == nil && site.fix.line == nil
            let isMuch =
                !site.isGrowing && site.fix.function.isEmpty && site.resource == .heap
                && Double(site.inUseBytes) >= minimum
            let path = site.fix.module
            guard isFinding || isMuch, notes.count < fileLimit,
                let module = report.recording.modules.first(where: { $0.path == path }),
                let reason = module.missingLines, isFinding || !reason.hasPrefix(Self.asBuilt),
                seen.insert(path).inserted
            else { continue }
            notes.append("no line numbers for \(report.names.moduleName(path)): \(reason)".printable)
        }
        return notes
    }
}
