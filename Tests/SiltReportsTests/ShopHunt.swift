import SiltGrowth
import SiltRecording
import SiltTestRecordings

@testable import SiltFindings
@testable import SiltReports

/// The order server as if it had been hunted: what grows in which phase is given here, not judged.
enum ShopHunt {
    static func report(_ options: ReportOptions = ReportOptions()) throws -> HeapReport {
        var report = try ReportBuilder.build(OrderServer.recording(), options: options)
        var idle = HuntPhases.Phase(name: "idle", isIdle: true, route: 0)
        (idle.rounds, idle.seconds) = (10, 20)
        report.phases = [idle, phase("users", route: 1), phase("orders", route: 2)]
        for index in report.sites.indices {
            switch report.sites[index].blame.function {
            case "order_create":
                grow(&report.sites[index], in: "orders", 101.3, confidence: .high)
                report.sites[index].caller = report.frames(ofStack: report.sites[index].stack)[3]
            case "cache_fill": grow(&report.sites[index], in: "users", 40, confidence: .medium)
            default: grow(&report.sites[index], in: "orders", 12, confidence: .low)
            }
        }
        report.sites.sort { ($0.rate?.value ?? 0) > ($1.rate?.value ?? 0) }
        for index in report.sites.indices { report.sites[index].rank = index + 1 }
        report.decide()
        return report
    }

    private static func phase(_ name: String, route: Int) -> HuntPhases.Phase {
        var phase = HuntPhases.Phase(name: name, route: route)
        (phase.rounds, phase.requests, phase.failedRequests) = (7, 14_000, 0)
        return phase
    }

    private static func grow(_ site: inout ReportSite, in phase: String, _ rate: Double, confidence: Confidence) {
        site.verdict = .growing
        site.isAcquitted = false
        site.confidence = confidence
        site.evidence = evidence(of: phase)
        site.phase = phase
        site.rate = Rate(value: rate, low: rate * 0.95, high: rate * 1.05, unit: .bytesPerRequest)
        site.stacks = [
            ReportSite.StackPart(stack: site.stack, inUseBytes: site.inUseBytes, allocatedBytes: site.allocatedBytes)
        ]
    }

    /// Five rounds that left as much each.
    static func evidence(of phase: String) -> Evidence {
        var facts = GrowthFacts()
        (facts.snapshots, facts.slices, facts.occupied) = (7, 5, 5)
        (facts.fewest, facts.most, facts.survivors, facts.survivorBytes) = (200, 200, 1_000, 1_013_000)
        let judged = GrowthVerdict(.growing, .leak, confidence: .high, facts: facts)
        return Evidence(.phase(judged, Evidence.Phase(name: phase, isIdle: false)))
    }

    static func settings(_ change: (inout CheckSettings) throws -> Void = { _ in }) rethrows -> CheckSettings {
        var settings = CheckSettings()
        settings.title = "plans/shop.yml"
        settings.phases = ["users", "orders"]
        try change(&settings)
        return settings
    }

    /// Function and outcome of each finding, in their order.
    static func outcomes(_ check: CheckReport) -> [String: CheckReport.Outcome] {
        Dictionary(uniqueKeysWithValues: check.findings.map { ($0.site.blame.function, $0.outcome) })
    }
}
