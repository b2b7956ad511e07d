internal import SiltFindings
internal import SiltText

/// The first line of a check, and the words for what is said of each finding.
enum CheckHeadline {
    static func line(_ check: CheckReport) -> String {
        switch check.verdict {
        case .passed: passed(check)
        case .failed: failed(check)
        case .inconclusive: check.doubt.map { line($0).firstLine } ?? ""
        }
    }

    /// Why something was not measured.
    static func line(_ doubt: CheckReport.Doubt) -> String {
        switch doubt {
        case .failure(let words): return words
        case .notReached: return "the hunt did not reach it"
        case .nothingRecorded: return "nothing was recorded"
        case .unmeasured(let obstacle): return ObstacleText.line(obstacle)
        case .phase(let obstacle): return ObstacleText.line(obstacle)
        case .fewRounds(let blame, let phase, let isIdle, let rounds):
            return isIdle
                ? "it may grow at \(blame.label): it was watched for too short to be sure"
                : "\(phase) may grow at \(blame.label): \(Format.plural(UInt64(rounds), "round")) \(rounds == 1 ? "is" : "are") too few to be sure"
        case .fewSnapshots(let blame, let count):
            return "\(blame.label) may grow: \(count) snapshots are too few to be sure "
                + "(run it longer, or with a shorter --snapshot-every)"
        }
    }

    private static func failed(_ check: CheckReport) -> String {
        let failures = check.failures
        guard !check.phases.isEmpty else {
            return "\(Format.plural(UInt64(failures.count), "call site")) \(failures.count == 1 ? "grows" : "grow"), "
                + words(failures)
        }
        let failing = check.phases.filter { $0.outcome == .failed }
        let parts = failing.map { phase in
            "\(phase.name) grows " + words(check.findings(of: phase).filter(\.isFailure))
        }
        let open = check.phases.filter { if case .inconclusive = $0.outcome { true } else { false } }
        return "\(failing.count) of \(Format.plural(UInt64(check.phases.count), "phase")): "
            + parts.joined(separator: ", ")
            + (open.isEmpty ? "" : "; not measured: " + open.map(\.name).joined(separator: ", "))
    }

    /// As `101 B per request at make_record shop.c:34 and 1 more (limit 64 B)`.
    private static func words(_ failures: [CheckReport.Finding]) -> String {
        guard let first = failures.first else { return "" }
        var text = rate(failures.map(\.site)) + " at \(first.site.label)"
        if failures.count > 1 { text += " and \(failures.count - 1) more" }
        guard case .failed(let breach) = first.outcome, let limit = limit(breach, first.site) else { return text }
        return text + " (\(limit))"
    }

    /// What sites lose together in the unit of the first: `101 B per request`.
    static func rate(_ sites: [ReportSite]) -> String {
        guard let unit = sites.compactMap(\.rate).first?.unit else { return "" }
        let sum = sites.compactMap(\.rate).filter { $0.unit == unit }.reduce(0) { $0 + $1.value }
        return unit.sentence(sum)
    }

    private static func limit(_ breach: CheckReport.Breach, _ site: ReportSite) -> String? {
        switch breach {
        case .growth: nil
        case .siteLimit(let limit): "limit \(Format.bytes(limit)) a call site"
        case .phaseLimit(let limit, _): "limit \(site.rate?.unit.amount(limit) ?? Format.bytes(limit))"
        case .baseline(let rate): "\(site.rate?.unit.amount(rate) ?? Format.bytes(rate)) in the baseline"
        }
    }

    private static func passed(_ check: CheckReport) -> String {
        var parts: [String] = []
        if check.phases.isEmpty {
            parts.append(check.findings.isEmpty ? check.report.map(Headline.line) ?? "" : "nothing grows that may not")
        } else {
            let whole = Format.plural(UInt64(check.phases.count), "phase")
            parts.append(check.findings.isEmpty ? "\(whole), nothing grows" : "\(whole), nothing grows that may not")
        }
        func add(_ text: String, _ isCounted: (CheckReport.Outcome) -> Bool) {
            let count = check.findings.count { isCounted($0.outcome) }
            if count > 0 { parts.append("\(Format.plural(UInt64(count), "call site")) \(text)") }
        }
        add("allowed") { if case .allowed = $0 { true } else { false } }
        add("within the limits") { $0 == .withinLimit }
        add("in doubt") { $0 == .doubtful }
        return parts.joined(separator: ", ")
    }

    /// The sentence that says why a finding failed or passed.
    static func sentence(_ finding: CheckReport.Finding, _ settings: CheckSettings) -> String {
        switch finding.outcome {
        case .failed(let breach): sentence(breach, finding.site, settings)
        case .allowed(.suppression(let line, let source)): "allowed by \(line) (\(source))"
        case .allowed(.baseline(let rate)): "allowed by the baseline: \(amount(rate, finding.site)) there"
        case .withinLimit: "within the limits"
        case .doubtful:
            finding.site.isConclusive
                ? "low confidence: watch it (--strict makes it fail)"
                : "too many requests of the phase failed for it to count"
        }
    }

    private static func sentence(
        _ breach: CheckReport.Breach,
        _ site: ReportSite,
        _ settings: CheckSettings
    ) -> String {
        switch breach {
        case .growth:
            let units = settings.limitedUnits.map { unit in
                switch unit.quantity {
                case .bytes: "bytes"
                case .objects(let resource): resource.units
                }
            }
            return units.isEmpty
                ? "nothing may grow: no limit, suppression or baseline lets it pass"
                : "nothing may grow per \(site.rate?.unit.per.rawValue ?? "interval"): the limits are in "
                    + "\(units.joined(separator: " and ")) per request"
        case .siteLimit(let limit):
            return "more than the limit of \(Format.bytes(limit)) per request for each call site"
        case .phaseLimit(let limit, let sum):
            let amount = { site.rate?.unit.amount($0) ?? Format.bytes($0) }
            return "the phase loses \(amount(sum)) per request in all, more than the limit of \(amount(limit))"
        case .baseline(let rate):
            return "faster than in the baseline: \(amount(rate, site)) there, "
                + "\(Format.share(100 * settings.tolerance)) more are allowed"
        }
    }

    private static func amount(_ rate: Double, _ site: ReportSite) -> String {
        site.rate?.unit.sentence(rate) ?? Format.bytes(rate)
    }
}

extension CheckReport {
    /// The first line without its first word.
    package var headline: String { CheckHeadline.line(self) }

    /// Why not all was measured; empty when it was.
    package var reason: String { doubt.map(CheckHeadline.line) ?? "" }
}

extension ReportFrame {
    /// Function and place in a sentence, as `make_record shop.c:34`; of a long name the parameters go first.
    var label: String {
        (shortName + (place.isEmpty ? "" : " " + place)).printable
    }

    /// The name in a sentence.
    var shortName: String { name(width: 60) }
}

extension String {
    /// Messages may quote what a program printed, in lines of their own: with the last of them, which tells most.
    var firstLine: String {
        let lines = split(whereSeparator: \.isNewline)
        guard lines.count > 1, let first = lines.first, let last = lines.last else { return self }
        return first + (lines.count > 2 ? " … " : " ") + last.drop { $0 == " " }
    }
}
