internal import SiltRecording

/// The verdict on the whole run, and the first line that says it.
enum Headline {
    static func decide(_ report: inout HeapReport, clocks: [ProcessClock]) {
        decideGrowth(&report, clocks: clocks)
        if let line = Untraced.line(report) { report.headline += "; " + line }
    }

    private static func decideGrowth(_ report: inout HeapReport, clocks: [ProcessClock]) {
        if !report.phases.isEmpty { return HuntHeadline.decide(&report) }
        let snapshots = clocks.map(\.count).max() ?? 0
        let growing = report.sites.filter(\.isGrowing)
        if !growing.isEmpty {
            report.verdict = .growing
            report.headline = growingLine(growing, report, clocks)
        } else if let reason = inconclusive(report, snapshots: snapshots) {
            report.verdict = .inconclusive
            report.reason = reason
            report.headline = reason
        } else {
            report.verdict = .notGrowing
            let seconds = clocks.map(\.seconds).max() ?? 0
            report.headline =
                "none of \(Format.plural(UInt64(report.sites.count), "call site")) grew over \(snapshots) snapshots"
                + " (\(Format.duration(seconds))); \(inUse(report.totals)) in use at the end"
        }
    }

    static func inUse(_ totals: RecordedTotals) -> String {
        "\(Format.bytes(totals.inUseBytes)) in \(Format.plural(totals.inUseCount, "block"))"
    }

    /// Why nothing can be said; nil when something can.
    private static func inconclusive(_ report: HeapReport, snapshots: Int) -> String? {
        if let reason = unmeasured(report) { return reason }
        if snapshots < SiteOpinion.minimumSnapshots {
            return "run too short to judge growth: \(snapshots) of \(SiteOpinion.minimumSnapshots) snapshots "
                + "(run it longer, or with a shorter --snapshot-every)"
        }
        return nil
    }

    /// Why the target's heap was not seen, or not to the end; nil when it was.
    static func unmeasured(_ report: HeapReport) -> String? {
        if let reason = report.recording.target.untraceable { return reason }
        if let reason = Untraced.obstacle(report) { return reason }
        if report.recording.processes.isEmpty { return "no process was traced: the shim never reported" }
        if report.isOfProfiles, report.phases.isEmpty { return "one profile says what is in use, not what grows" }
        if report.totals.allocatedCount == 0, !report.isOfProfiles {
            return "no allocation was seen: the target made none through malloc, or has its own allocator"
        }
        if report.trust.counters.offReason == UInt64(TrustCounters.eventFileEnds) {
            return "the event file is cut or damaged: this is what could be read of it"
        }
        return stopped(report)
    }

    /// Since when events are missing, and why; nil when none are.
    static func stopped(_ report: HeapReport) -> String? {
        let counters = report.trust.counters
        guard counters.offReason != 0, counters.offReason != UInt64(TrustCounters.eventFileEnds) else { return nil }
        let several = report.recording.trust.count { $0.offReason != 0 }
        let whose = several > 1 ? " of \(several) processes" : ""
        return "recording\(whose) stopped at \(Format.fixed(Double(counters.offNs) / 1e9, 1)) s: "
            + offReason(counters.offReason)
    }

    /// `enum silt_off` of the wire header.
    static func offReason(_ reason: UInt64) -> String {
        switch reason {
        case 1: "the analyzer was gone"
        case 2: "no memory for it in the target"
        case 4: "the analyzer stood still for 5 s"
        case 5: "the program entered a sandbox without futex (seccomp)"
        case UInt64(TrustCounters.eventFileEnds): "the event file is cut or damaged"
        default: "an error in the preload library"
        }
    }

    private static func growingLine(_ growing: [ReportSite], _ report: HeapReport, _ clocks: [ProcessClock]) -> String {
        let isSure = growing.contains { $0.confidence != .low }
        let rate = growing.reduce(0) { $0 + ($1.rate?.value ?? 0) }
        let unit = growing.first?.rate?.unit ?? Rate.Unit(.bytes, per: .interval)
        let verb = isSure ? (growing.count == 1 ? "leaks" : "leak") : "may leak (few snapshots: watch it)"
        var line = "\(Format.plural(UInt64(growing.count), "call site")) \(verb), \(unit.sentence(rate))"
        if growing.count > 1 { line += " together" }
        if let stopped = stopped(report) { line += "; " + stopped }
        if let projection = projection(growing, report, clocks) { line += "; " + projection }
        return line
    }

    /// When the limit is reached at the rates of the surer sites (GROWTH: only from 12 snapshots, and not further than
    /// ten times what was observed).
    private static func projection(
        _ growing: [ReportSite],
        _ report: HeapReport,
        _ clocks: [ProcessClock]
    ) -> String? {
        guard let limit = report.options.limitBytes ?? report.recording.memoryLimit,
            let clock = clocks.max(by: { $0.count < $1.count }),
            clock.count >= 12
        else { return nil }
        let sure = growing.compactMap { $0.confidence == .low || $0.rate?.unit != .bytesPerSecond ? nil : $0.rate }
        let rate = sure.reduce(0) { $0 + $1.value }
        let error = sure.reduce(0) { $0 + ($1.high - $1.value) * ($1.high - $1.value) }.squareRoot()
        let last = clock.rows.suffix(5).map(\.inUseBytes).sorted()
        guard rate > 0, !last.isEmpty else { return nil }
        let left = Double(limit) - Double(last[last.count / 2])
        if left <= 0 { return "limit of \(Format.bytes(limit)) reached" }
        guard left / rate <= 10 * clock.seconds else {
            return "\(Format.bytes(limit)) not reached within 10x the observed time"
        }
        var line = "\(Format.bytes(limit)) limit reached in about \(Format.duration(left / rate))"
        if rate > 2 * error, error > 0 {
            line += " (\(Format.duration(left / (rate + 2 * error)))–\(Format.duration(left / (rate - 2 * error))))"
        }
        return line
    }
}
