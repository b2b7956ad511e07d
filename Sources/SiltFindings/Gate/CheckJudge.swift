internal import SiltRecording

extension CheckReport {
    /// Judges a report; `failure`: why the hunt ended early, nil when it went to its end.
    ///
    /// Without a report nothing was measured, and `failure` says why.
    package init(_ report: HeapReport?, settings: CheckSettings, failure: String? = nil) {
        self.settings = settings
        self.report = report
        if let report {
            judge(report)
            phases = report.phases.map { phase(of: $0, in: report) }
        }
        let why = failure.map(Doubt.failure) ?? .notReached
        let measured = Set(phases.map(\.name))
        for name in settings.phases where !measured.contains(name) {
            phases.append(Phase(HuntPhases.Phase(name: name), outcome: .inconclusive(why)))
        }
        dropUnmeasuredFromMended()
        decide(failure: failure)
    }

    // MARK: Call sites

    private mutating func judge(_ report: HeapReport) {
        var budget = settings.baseline.map { BaselineBudget($0, tolerance: settings.tolerance) }
        for site in report.sites where site.isGrowing {
            var finding = Finding(site: site, outcome: .withinLimit)
            if let entry = suppression(of: site, in: report, &finding) {
                finding.outcome = .allowed(.suppression(entry.line, source: entry.source))
            } else {
                let stacks = budget == nil ? [] : BaselineStack.all(of: site, in: report, maximum: 1000)
                finding.outcome = outcome(of: site, budget?.ask(site, stacks) ?? .unknown)
            }
            findings.append(finding)
        }
        applyPhaseLimits(report)
        guard let baseline = settings.baseline, let budget else { return }
        mended = zip(baseline.entries, budget.isFound).compactMap { $1 ? nil : $0 }
    }

    /// What was not measured may still grow.
    private mutating func dropUnmeasuredFromMended() {
        let measured: [String?] =
            phases.isEmpty
            ? [nil] : phases.compactMap { $0.outcome == .passed || $0.outcome == .failed ? $0.name : nil }
        mended.removeAll { !measured.contains($0.phase) }
    }

    private func outcome(of site: ReportSite, _ answer: BaselineBudget.Answer) -> Outcome {
        if case .known(let rate) = answer { return .allowed(.baseline(rate)) }
        guard site.isConclusive, site.confidence != .low || settings.isStrict else { return .doubtful }
        if case .faster(let rate) = answer { return .failed(.baseline(rate)) }
        guard let rate = site.rate, settings.limitedUnits.contains(rate.unit) else { return .failed(.growth) }
        if rate.unit == .bytesPerRequest, let limit = settings.siteBytesPerRequest, rate.value > limit {
            return .failed(.siteLimit(limit))
        }
        return .withinLimit
    }

    /// What the sites of a phase lose together, those aside that are allowed or doubtful.
    private mutating func applyPhaseLimits(_ report: HeapReport) {
        for (unit, limit) in settings.phaseLimits { apply(limit, unit, report) }
    }

    private mutating func apply(_ limit: Double, _ unit: Rate.Unit, _ report: HeapReport) {
        for phase in report.phases {
            let counted = findings.indices.filter { index in
                let finding = findings[index]
                guard finding.site.phase == phase.name, finding.site.rate?.unit == unit else {
                    return false
                }
                return switch finding.outcome {
                case .failed, .withinLimit: true
                case .allowed, .doubtful: false
                }
            }
            let sum = counted.reduce(0.0) { $0 + (findings[$1].site.rate?.value ?? 0) }
            guard sum > limit else { continue }
            for index in counted where findings[index].outcome == .withinLimit {
                findings[index].outcome = .failed(.phaseLimit(limit, sum: sum))
            }
        }
    }

    /// A suppression covers a site when its stacks that hold at least this share match.
    private static let covered = 0.95

    /// The line that covers a site and counts the hit; nil when none does.
    private mutating func suppression(
        of site: ReportSite,
        in report: HeapReport,
        _ finding: inout Finding
    ) -> Suppressions.Entry? {
        guard !settings.suppressions.entries.isEmpty else { return nil }
        let holds = site.stacks.contains { $0.inUseBytes > 0 }
        var bytes: [Int: UInt64] = [:]
        var (matched, all) = (0.0, 0.0)
        for part in site.stacks {
            let weight = holds ? part.inUseBytes : part.allocatedBytes
            all += Double(weight)
            guard let index = settings.suppressions.match(report.frames(ofStack: part.stack)) else { continue }
            bytes[index, default: 0] &+= part.inUseBytes
            matched += Double(weight)
        }
        guard let top = bytes.max(by: { ($0.value, $1.key) < ($1.value, $0.key) })?.key else { return nil }
        let entry = settings.suppressions.entries[top]
        guard matched >= Self.covered * all else {
            finding.partly = (entry.line, matched / all)
            return nil
        }
        for (index, held) in bytes { settings.suppressions.hit(index, bytes: held) }
        return entry
    }

    // MARK: Phases

    private func phase(of phase: HuntPhases.Phase, in report: HeapReport) -> Phase {
        var result = Phase(phase)
        let own = findings(of: result)
        if own.contains(where: \.isFailure) {
            result.outcome = .failed
        } else if let problem = phase.problem ?? report.doubt(of: phase) {
            result.outcome = .inconclusive(.phase(problem))
        } else if phase.rounds < Self.enoughRounds, let doubt = own.first(where: { $0.outcome == .doubtful }) {
            result.outcome = .inconclusive(
                .fewRounds(doubt.site.blame, phase: phase.name, isIdle: phase.isIdle, phase.rounds)
            )
        }
        return result
    }

    /// Warm-up and the six rounds that a sure verdict needs: with fewer, low confidence says nothing either way.
    private static let enoughRounds = 7
    /// The same of a trace that ran freely.
    private static let enoughSnapshots = 12

    // MARK: The whole

    private mutating func decide(failure: String?) {
        let failures = failures
        let failed = failure.map(Doubt.failure)
        let open = phases.compactMap { phase -> Doubt? in
            if case .inconclusive(let reason) = phase.outcome { reason } else { nil }
        }
        if !failures.isEmpty {
            verdict = .failed
            doubt = failed
        } else if let why = failed ?? unmeasured ?? open.first ?? fewSnapshots {
            verdict = .inconclusive
            doubt = why
        }
    }

    private var unmeasured: Doubt? {
        guard let report else { return .nothingRecorded }
        let obstacle = report.verdict == .inconclusive && phases.isEmpty ? report.obstacle : report.unmeasured
        return obstacle.map(Doubt.unmeasured)
    }

    private var fewSnapshots: Doubt? {
        guard let report, phases.isEmpty, let doubt = findings.first(where: { $0.outcome == .doubtful }) else {
            return nil
        }
        guard report.periodCount < Self.enoughSnapshots else { return nil }
        return .fewSnapshots(doubt.site.blame, report.snapshotCount)
    }
}
