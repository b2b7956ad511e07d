internal import SiltFindings
internal import SiltSymbols
internal import SiltText

/// What a reader would do next: a command that can be run as it stands.
enum NextStep {
    /// For one finding; nil where nothing helps.
    static func line(_ site: ReportSite, _ report: HeapReport) -> String? {
        let frame = site.fix
        let pattern = pattern(frame.function)
        guard let command = command(report) else { return nil }
        guard let pattern else { return command + " --tree --inverted" }
        return command + (frame.line == nil ? " --flame --root " : " --list ") + Format.commandLine([pattern])
    }

    /// Below all findings of a report: what shows more.
    ///
    /// No line is wider than that, where it can be helped.
    static func more(_ report: HeapReport, width: Int) -> [String] {
        if report.isOfProfiles { return [] }
        guard let command = command(report) else {
            return ["next: keep the recording (--out F.silt), then silt report F.silt --list FUNCTION"]
        }
        let whole = "all stacks: \(command) --stack"
        return report.phases.isEmpty ? [hunt(report, width), whole] : [whole]
    }

    /// What tells the requests apart.
    private static func hunt(_ report: HeapReport, _ width: Int) -> String {
        let (title, words) = ("which request leaks: ", report.recording.target.command)
        let line = "\(title)silt hunt --phase NAME='LOAD' -- " + Format.commandLine(words)
        return line.count > width || words.isEmpty ? title + "silt hunt --help" : line
    }

    /// That shows the recording again; nil where it is not kept.
    private static func command(_ report: HeapReport) -> String? {
        switch report.options.recordingPlace {
        case .file(let name): "silt report " + Format.commandLine([name])
        case .newest: "silt report"
        case nil: nil
        }
    }

    /// What lets a finding pass that is meant to grow, as words of `silt check`.
    static func allowance(_ site: ReportSite) -> String? {
        SuppressionExport.pattern(of: readableName(site.fix.function)).map {
            "--allow " + Format.commandLine(["leak:" + $0])
        }
    }

    /// The shortest name that is still the function's own, as a pattern: `AuditLog::note`, `DemoServer.handleOrder`.
    static func pattern(_ function: String) -> String? {
        guard !function.isEmpty else { return nil }
        let short = abridgedName(function, width: 1)
        let last = short.ranges(of: "::").last.map { String(short[$0.upperBound...]) } ?? short
        for name in [short, last] where isPlain(name) { return name }
        let parts = readableName(function).split { !$0.isLetter && !$0.isNumber && $0 != "_" }
        return parts.max { $0.count < $1.count }.map(String.init)
    }

    /// Whether it means itself as a regular expression, or nearly.
    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name.allSatisfy { $0.isLetter || $0.isNumber || "_:.$".contains($0) } && !name.hasSuffix(":")
    }
}
