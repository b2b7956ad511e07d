/// What a hunt, or a recording, means for a build: the verdict, what broke a limit, and what was let pass by whom.
package struct CheckReport: Sendable {
    package enum Verdict: String, Sendable {
        case passed
        case failed
        /// Nothing failed, and not all could be measured; `doubt` says why.
        case inconclusive
    }

    package var verdict = Verdict.passed
    /// Why not all was measured; nil when it was.
    package var doubt: Doubt?
    /// All call sites that grow, those that cost most first.
    package var findings: [Finding] = []
    /// Those of a hunt, in the plan's order; empty when the trace ran freely.
    package var phases: [Phase] = []
    package var settings: CheckSettings
    /// Entries of the baseline that nothing was found for: they no longer grow.
    package var mended: [GrowthBaseline.Entry] = []
    /// nil when nothing was recorded.
    package let report: HeapReport?

    package struct Finding: Sendable {
        package var site: ReportSite
        package var outcome: Outcome
        /// A suppression that matches a part of its stacks only, and that part as a share; it lets nothing pass.
        package var partly: (line: String, share: Double)?
    }

    package enum Outcome: Equatable, Sendable {
        case failed(Breach)
        case allowed(Allowance)
        case withinLimit
        /// Low confidence, or too many of the phase's requests failed.
        case doubtful
    }

    /// What a finding broke.
    package enum Breach: Equatable, Sendable {
        /// Nothing may grow, or no limit applies: there is none in the unit of its rate.
        case growth
        case siteLimit(Double)
        /// `sum`: what the phase loses over all sites that count.
        case phaseLimit(Double, sum: Double)
        /// Its rate in the baseline.
        case baseline(Double)
    }

    package enum Allowance: Equatable, Sendable {
        /// The line, as `leak:pattern`, and where it stands.
        case suppression(String, source: String)
        /// Its rate in the baseline.
        case baseline(Double)
    }

    /// Why something was not measured, or not surely.
    package enum Doubt: Equatable, Sendable {
        /// The hunt ended early, in its own words.
        case failure(String)
        case notReached
        case nothingRecorded
        case unmeasured(Obstacle)
        case phase(PhaseObstacle)
        /// It may grow in a phase that had few rounds.
        case fewRounds(ReportFrame, phase: String, isIdle: Bool, Int)
        /// The same of a trace that ran freely.
        case fewSnapshots(ReportFrame, Int)
    }

    package struct Phase: Sendable {
        package enum Outcome: Equatable, Sendable {
            case passed
            case failed
            case inconclusive(Doubt)
        }

        package var measured: HuntPhases.Phase
        package var outcome = Outcome.passed

        package var name: String { measured.name }

        package init(_ measured: HuntPhases.Phase, outcome: Outcome = .passed) {
            (self.measured, self.outcome) = (measured, outcome)
        }
    }

    /// 0 passed, 1 failed, 3 could not measure.
    package var exitStatus: Int32 {
        switch verdict {
        case .passed: 0
        case .failed: 1
        case .inconclusive: 3
        }
    }

    package var failures: [Finding] { findings.filter(\.isFailure) }

    package func findings(of phase: Phase) -> [Finding] { findings.filter { $0.site.phase == phase.name } }
}

extension CheckReport.Finding {
    package var isFailure: Bool {
        if case .failed = outcome { true } else { false }
    }
}
