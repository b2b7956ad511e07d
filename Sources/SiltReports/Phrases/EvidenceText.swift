internal import SiltEvents
internal import SiltFindings
internal import SiltText

/// The sentence that says why a site is charged or acquitted, or why nothing is said of it.
enum EvidenceText {
    /// `wasGivenBack`: on the way out, so that nothing of it is left.
    static func line(_ evidence: Evidence, _ resource: Resource, wasGivenBack: Bool = false) -> String {
        let line = line(evidence.basis, resource, wasGivenBack)
        let process = evidence.process.map { "process \($0.pid)" + ($0.name.map { " (\($0))" } ?? "") }
        guard evidence.processes > 1, !evidence.isOfHuntWorkers else {
            return line + (process.map { "; in \($0)" } ?? "")
        }
        let count = Format.count(UInt64(evidence.processes))
        // Processes of a hunt are judged together; of a free run the one that grows most speaks for the others.
        guard evidence.isOfOneProcess else { return "\(line); in \(count) processes" }
        guard let process else { return "\(line); counted in the process that grows most, of \(count) that grow" }
        return "\(line); counted in \(process), which grows most, of \(count) that grow"
    }

    private static func line(_ basis: Evidence.Basis, _ resource: Resource, _ wasGivenBack: Bool) -> String {
        switch basis {
        case .tooFewSnapshots(let count):
            "seen in \(count) of the \(SiteOpinion.minimumSnapshots) snapshots a verdict needs"
        case .allFreed: "all of it was freed"
        case .hardlyTouched: "mapped and hardly touched: most of it is not in memory, or comes from files"
        case .onlyYoungBlocks: "too young: no \(resource.unit) of it is older than two snapshots"
        case .keptByRuntime: "Go's runtime keeps it for the next goroutine: as much as was ever needed at once"
        case .inTurn(let stacks, let phase):
            (phase.map { "rose in \($0.name), " } ?? "")
                + "by \(Format.count(UInt64(stacks))) callers one after the other, each for a short time, as code does that is loaded: "
                + (phase == nil ? "a longer run tells" : "more rounds tell")
        case .loading: "rose while code was loaded, and may end with that: a longer run tells"
        case .inCaches(let blocks, let phase):
            (phase.map { "rose in \($0.name), " } ?? "rose ")
                + "by \(Format.plural(UInt64(blocks), "block")) with what rose beside it, no more than the interpreter's own "
                + "caches may hold, or what waits for its collector: "
                + (phase == nil ? "a longer run tells" : "more rounds tell")
        case .nothingAfterARound: "nothing of it was alive after a round"
        case .processEnded: "its process ended during the hunt"
        case .damaged: "its history cannot be read"
        case .run(let verdict, let period):
            RunEvidenceText(verdict: verdict, resource: resource, period: period, wasGivenBack: wasGivenBack).line
        case .workers(let verdict, let period, let count, let generations):
            RunEvidenceText(verdict: verdict, resource: resource, period: period, whose: "a worker's life").line
                + " (\(Format.count(UInt64(count))) workers, \(generations) one after the other)"
        case .phase(let verdict, let phase):
            HuntEvidenceText(verdict: verdict, phase: phase, resource: resource).line
        }
    }
}

extension ReportSite {
    /// Why it is charged or acquitted, or why nothing is said of it, as a sentence.
    package var evidenceLine: String { EvidenceText.line(evidence, resource, wasGivenBack: wasGivenBack) }
}
