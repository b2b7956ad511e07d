internal import SiltFindings
internal import SiltGrowth
internal import SiltRecording
internal import SiltText

/// The first line of a report.
enum Headline {
    /// Without the verdict in front.
    static func line(_ report: HeapReport) -> String {
        let isHunt = !report.phases.isEmpty
        let line =
            switch report.verdict {
            case .growing: isHunt ? HuntHeadline.growing(report) : growing(report)
            case .notGrowing: isHunt ? HuntHeadline.notGrowing(report) : notGrowing(report)
            case .inconclusive:
                report.obstacle.map { ObstacleText.line($0) + ObstacleText.advice($0) } ?? ""
            }
        return line + (UntracedText.line(report).map { "; " + $0 } ?? "")
    }

    static func inUse(_ totals: RecordedTotals) -> String {
        "\(Format.bytes(totals.inUseBytes)) in \(Format.plural(totals.inUseCount, "block"))"
    }

    private static func notGrowing(_ report: HeapReport) -> String {
        "none of \(Format.plural(UInt64(report.sites.count), "call site")) grew over \(report.snapshotCount) snapshots"
            + " (\(Format.duration(report.seconds))); \(inUse(report.totals)) in use at the end"
    }

    private static func growing(_ report: HeapReport) -> String {
        let growing = report.sites.filter(\.isGrowing)
        let isSure = growing.contains { $0.confidence != .low }
        let rate = growing.reduce(0) { $0 + ($1.rate?.value ?? 0) }
        let unit = growing.first?.rate?.unit ?? Rate.Unit(.bytes, per: .interval)
        let verb = isSure ? (growing.count == 1 ? "leaks" : "leak") : "may leak (few snapshots: watch it)"
        var line = "\(Format.plural(UInt64(growing.count), "call site")) \(verb), \(unit.sentence(rate))"
        if growing.count > 1 { line += " together" }
        if let stop = report.stop { line += "; " + ObstacleText.line(stop) }
        if let projection = projection(growing, report) { line += "; " + projection }
        return line
    }

    /// When the limit is reached at the rates of the surer sites: said from so many snapshots on, and no further ahead than
    /// so many times what was observed.
    private static let projectionSnapshots = 12
    private static let projectionSpans = 10.0

    private static func projection(_ growing: [ReportSite], _ report: HeapReport) -> String? {
        guard let limit = report.options.limitBytes ?? report.recording.memoryLimit,
            let clock = ProcessClock.all(of: report.recording).max(by: { $0.count < $1.count }),
            clock.count >= projectionSnapshots
        else { return nil }
        let sure = growing.compactMap { $0.confidence == .low || $0.rate?.unit != .bytesPerSecond ? nil : $0.rate }
        let rate = sure.reduce(0) { $0 + $1.value }
        let error = sure.reduce(0) { $0 + ($1.high - $1.value) * ($1.high - $1.value) }.squareRoot()
        let last = clock.rows.suffix(5).map(\.inUseBytes).sorted()
        guard rate > 0, !last.isEmpty else { return nil }
        let left = Double(limit) - Double(last[last.count / 2])
        if left <= 0 { return "limit of \(Format.bytes(limit)) reached" }
        guard left / rate <= projectionSpans * clock.seconds else {
            return "\(Format.bytes(limit)) not reached within 10x the observed time"
        }
        var line = "\(Format.bytes(limit)) limit reached in about \(Format.duration(left / rate))"
        if rate > 2 * error, error > 0 {
            line += " (\(Format.duration(left / (rate + 2 * error)))–\(Format.duration(left / (rate - 2 * error))))"
        }
        return line
    }
}

extension HeapReport {
    /// The first line.
    package var verdictLine: String {
        switch verdict {
        case .growing: "GROWING: " + Headline.line(self)
        case .notGrowing: "NOT GROWING: " + Headline.line(self)
        case .inconclusive: "INCONCLUSIVE: " + Headline.line(self)
        }
    }
}
