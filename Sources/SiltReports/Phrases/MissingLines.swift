internal import SiltFindings
internal import SiltRecording
internal import SiltText

/// Why the call sites that a report shows have no lines, file by file.
enum MissingLines {
    /// Files named; more would bury the verdict.
    private static let fileLimit = 3

    /// One line for each file that a finding without a line is in, the heaviest first: of others nobody needs to know.
    static func notes(_ report: HeapReport, limit: Int) -> [String] {
        var notes: [String] = []
        var seen: Set<String> = []
        for site in report.sites.prefix(limit)
        where site.isGrowing && site.follows == nil && site.fix.line == nil && !site.fix.module.isEmpty {
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
