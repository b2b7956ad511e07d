internal import SiltEvents
internal import SiltFindings
internal import SiltSymbols
internal import SiltText

/// What a reader would do next: a command that can be run as it stands.
enum NextStep {
    /// For one finding; nil where nothing helps.
    static func line(_ site: ReportSite, _ report: HeapReport) -> String? {
        let frame = site.fix
        if site.resource.isFound || report.isOfUnseenCalls(site) { return systemCalls(site.resource, report) }
        guard let command = command(report) else { return nil }
        let resource = site.resource == report.recording.countedResource ? "" : " --resource \(site.resource.name)"
        guard var pattern = pattern(frame.function) else { return command + resource + " --tree --inverted" }
        // As main is in __libc_start_main, and handler_2 in handler_20.
        let names = report.frames(ofStack: site.stack).map(\.function) + report.growing.map(\.fix.function)
        if pattern == frame.function, names.contains(where: { $0 != pattern && $0.contains(pattern) }) {
            pattern = "^\(pattern)$"
        }
        let view = isReadable(frame, report) ? " --list " : " --tree --inverted --root "
        return command + resource + view + Format.commandLine([pattern])
    }

    /// What tells the lines that took what looks have found; nil where nobody knows the command.
    private static func systemCalls(_ resource: Resource, _ report: HeapReport) -> String? {
        let words = report.recording.target.command
        guard !words.isEmpty else { return nil }
        let calls =
            switch resource {
            case .zombie: "fork,vfork,clone,clone3"
            case .module: "openat"
            case .heap, .mapping, .descriptor, .thread, .timer, .goroutine, .unjoined, .semaphore, .locale, .segment:
                "%desc"
            }
        return "strace -f -k -e trace=\(calls) " + Format.commandLine(words)
    }

    /// Whether its line can be shown: where not, those that call it say more.
    private static func isReadable(_ frame: ReportFrame, _ report: HeapReport) -> Bool {
        guard report.options.showsSource, let file = frame.file, let line = frame.line else { return false }
        return !SourceLines.around(line, of: file).isEmpty
    }

    /// Below all findings of a report: what shows more; without findings: what may decide.
    static func more(_ report: HeapReport) -> [String] {
        if report.findings.own.isEmpty { return report.obstacle.flatMap { deciding($0, report) }.map { [$0] } ?? [] }
        let rest = briefOnes(report)
        if report.isOfProfiles { return rest }
        let hunts = report.phases.isEmpty ? [hunt(report)] : []
        guard let command = command(report) else { return [keeping(report)] + hunts }
        return rest + hunts + ["all stacks: \(command) --stack"]
    }

    /// What says of those findings as much as of the first ones of which the report says little.
    private static func briefOnes(_ report: HeapReport) -> [String] {
        let (count, shown) = (report.findings.own.count, FindingText.detailed)
        guard count > shown, report.options.limit == nil, let command = command(report) else { return [] }
        let link = count == shown + 2 ? "and" : "to"
        let which = count == shown + 1 ? "finding \(count)" : "findings \(shown + 1) \(link) \(count)"
        return ["more of \(which): \(command) --limit \(count)"]
    }

    /// Nil where no command helps, or the reason names it.
    private static func deciding(_ obstacle: Obstacle, _ report: HeapReport) -> String? {
        let words = report.recording.target.command
        switch obstacle {
        case .tooFewSnapshots where report.seconds >= ProcessClock.minimumSeconds && !words.isEmpty:
            let period = Format.fixed(report.seconds / (4 * Double(SiteOpinion.minimumSnapshots)), 2)
            return "next: silt run --snapshot-every \(period)s -- " + Format.commandLine(words)
        case .tooFewSnapshots, .tooShort:
            let largest = report.sites.max { $0.inUseBytes < $1.inUseBytes }
            return largest.flatMap { line($0, report) }.map { "what it holds: " + $0 }
        case .singleProfile:
            guard case .file(let name)? = report.options.recordingPlace else { return nil }
            return "next, with a later profile of it: silt diff \(Format.commandLine([name])) LATER"
        case .loading, .filling, .fading, .resting, .full, .unevenLoad, .shortWorkers: return hunt(report)
        case .untraceable, .becameUntraced, .untraced, .untracedChild, .nothingTraced, .noAllocation,
            .damagedEventFile, .stopped, .stoodStill, .usedUp, .phase, .outsideMalloc, .endedEarly:
            return nil
        }
    }

    /// What makes a recording that more can be asked of.
    private static func keeping(_ report: HeapReport) -> String {
        let words = report.recording.target.command
        guard report.phases.isEmpty, !words.isEmpty else { return "next: keep the recording (--out run.silt)" }
        return "next: keep the recording: silt run --out run.silt -- " + Format.commandLine(words)
    }

    /// What tells the requests apart.
    private static func hunt(_ report: HeapReport) -> String {
        let (title, words) = ("which request leaks: ", report.recording.target.command)
        guard !words.isEmpty else { return title + "silt hunt --help" }
        return title + "silt hunt --phase NAME='LOAD' -- " + Format.commandLine(words)
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
        if isPlain(short) { return short }
        let pieces = short.split(separator: "<…>", omittingEmptySubsequences: false).map { escaped($0) }
        let pattern = pieces.joined(separator: "<.*>")
        if !pattern.contains("…") { return pattern }
        let parts = readableName(function).split { !$0.isLetter && !$0.isNumber && $0 != "_" }
        return parts.max { $0.count < $1.count }.map(String.init)
    }

    /// As a regular expression that means the name itself.
    private static func escaped(_ name: some StringProtocol) -> String {
        name.map { "\\[]()*+?{}|^$".contains($0) ? "\\\($0)" : String($0) }.joined()
    }

    /// Whether it means itself as a regular expression, or nearly.
    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name.allSatisfy { $0.isLetter || $0.isNumber || "_:.".contains($0) } && !name.hasSuffix(":")
    }
}
