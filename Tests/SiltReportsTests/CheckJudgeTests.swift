import SiltEvents
import SiltTestRecordings
import Testing

@testable import SiltFindings
@testable import SiltReports

@Suite struct CheckJudgeTests {
    private func check(
        report: HeapReport? = nil,
        failure: String? = nil,
        _ change: (inout CheckSettings) throws -> Void = { _ in }
    ) throws -> CheckReport {
        CheckReport(try report ?? ShopHunt.report(), settings: try ShopHunt.settings(change), failure: failure)
    }

    @Test func nothingMayGrowWithoutALimit() throws {
        let check = try check()
        #expect(
            ShopHunt.outcomes(check)
                == ["order_create": .failed(.growth), "cache_fill": .failed(.growth), "": .doubtful]
        )
        #expect(check.exitStatus == 1)
        #expect(check.phases.map(\.outcome) == [.passed, .failed, .failed])
        #expect(check.headline.hasPrefix("2 of 3 phases: users grows 40 B per request at cache_fill cache.c:9, orders"))
    }

    @Test func aLimitForEachSiteLetsTheSmallerPass() throws {
        let check = try check { $0.siteBytesPerRequest = 64 }
        #expect(
            ShopHunt.outcomes(check)
                == ["order_create": .failed(.siteLimit(64)), "cache_fill": .withinLimit, "": .doubtful]
        )
        #expect(check.phases.map(\.outcome) == [.passed, .passed, .failed])
    }

    @Test func aLimitForAPhaseCountsWhatItsSitesLoseTogether() throws {
        var report = try ShopHunt.report()
        for index in report.sites.indices { report.sites[index].phase = "orders" }
        let limited = try check(report: report) { $0.bytesPerRequest = 141 }
        let sum = 101.3 + 40
        #expect(ShopHunt.outcomes(limited)["order_create"] == .failed(.phaseLimit(141, sum: sum)))
        #expect(ShopHunt.outcomes(limited)["cache_fill"] == .failed(.phaseLimit(141, sum: sum)))
        #expect(ShopHunt.outcomes(limited)[""] == .doubtful)
        #expect(try check(report: report) { $0.bytesPerRequest = 142 }.verdict == .passed)
        // What is allowed does not count.
        let allowed = try check(report: report) {
            $0.bytesPerRequest = 102
            try $0.suppressions.add("leak:cache_fill", from: "test")
        }
        #expect(allowed.verdict == .passed)
    }

    /// Each unit has its own; where there is none in a site's unit, it may not grow.
    @Test(arguments: [(Resource.descriptor, "descriptors"), (.unjoined, "unjoined threads")])
    func whatHasNoSizeHasALimitOfItsOwn(resource: Resource, units: String) throws {
        var report = try ShopHunt.report()
        let index = try #require(report.sites.firstIndex { $0.blame.function == "order_create" })
        report.sites[index].resource = resource
        report.sites[index].rate = Rate(
            value: 0.5,
            low: 0.5,
            high: 0.5,
            unit: Rate.Unit(.objects(resource), per: .request)
        )
        func outcome(_ change: (inout CheckSettings) throws -> Void) throws -> CheckReport.Outcome? {
            ShopHunt.outcomes(try check(report: report, change))["order_create"]
        }
        #expect(try outcome { $0.objectsPerRequest[resource] = 0.5 } == .withinLimit)
        #expect(try outcome { $0.objectsPerRequest[resource] = 0.4 } == .failed(.phaseLimit(0.4, sum: 0.5)))
        #expect(try outcome { $0.bytesPerRequest = 1000 } == .failed(.growth))
        let limited = try check(report: report) { $0.objectsPerRequest[resource] = 0.4 }
        let texts = limited.findings.map { CheckHeadline.sentence($0, limited.settings) }
        let sum = "the phase loses 0.50 \(units) per request in all, more than the limit of 0.40 \(units)"
        #expect(texts.contains(sum), "\(texts)")
        #expect(texts.contains("nothing may grow per request: the limits are in \(units) per request"), "\(texts)")
    }

    @Test func lowConfidenceFailsWhenTheCheckIsStrict() throws {
        let strict = try check {
            $0.isStrict = true
            $0.siteBytesPerRequest = 10
        }
        #expect(ShopHunt.outcomes(strict)[""] == .failed(.siteLimit(10)))
    }

    @Test func limitsSayNothingOfWhatGrowsWithoutRequests() throws {
        var report = try ShopHunt.report()
        report.sites[0].phase = "idle"
        report.sites[0].rate = Rate(value: 3, low: 2, high: 4, unit: .bytesPerSecond)
        let check = try check(report: report) {
            $0.bytesPerRequest = 1000
            $0.siteBytesPerRequest = 1000
        }
        #expect(ShopHunt.outcomes(check)["order_create"] == .failed(.growth))
        #expect(
            check.headline == "1 of 3 phases: idle grows 3 B per second at handle_order http.c:77, through order_create"
        )
    }

    @Test func suppressionsCountSitesAndBytes() throws {
        let check = try check {
            for line in ["leak:xmalloc", "leak:order_create", "leak:nowhere"] {
                try $0.suppressions.add(line, from: "lsan.supp:1")
            }
        }
        // The innermost frame of both is xmalloc.
        #expect(check.settings.suppressions.entries.map(\.hits) == [2, 0, 0])
        let bytes = try ShopHunt.report().sites.filter { !$0.blame.function.isEmpty }.reduce(0) { $0 + $1.inUseBytes }
        #expect(check.settings.suppressions.entries[0].bytes == bytes)
        #expect(check.settings.suppressions.unused.map(\.pattern) == ["order_create", "nowhere"])
        #expect(ShopHunt.outcomes(check)["cache_fill"] == .allowed(.suppression("leak:xmalloc", source: "lsan.supp:1")))
        #expect(check.verdict == .passed)
    }

    @Test func aSuppressionThatMatchesAPartOfTheStacksLetsNothingPass() throws {
        var report = try ShopHunt.report()
        let stack = report.sites[0].stack
        let other = try #require(report.sites.first { $0.blame.function == "cache_fill" }).stack
        func part(_ stack: StackID, _ bytes: UInt64) -> ReportSite.StackPart {
            ReportSite.StackPart(stack: stack, inUseBytes: bytes, allocatedBytes: bytes)
        }
        report.sites[0].stacks = [part(stack, 900), part(other, 100)]
        let partial = try check(report: report) { try $0.suppressions.add("leak:order_create", from: "test") }
        let finding = try #require(partial.findings.first)
        #expect(finding.outcome == .failed(.growth))
        #expect(finding.partly?.line == "leak:order_create")
        #expect(finding.partly?.share == 0.9)
        #expect(partial.settings.suppressions.entries[0].hits == 0)
        report.sites[0].stacks = [part(stack, 960), part(other, 40)]
        let covered = try check(report: report) { try $0.suppressions.add("leak:order_create", from: "test") }
        #expect(covered.findings.first?.outcome == .allowed(.suppression("leak:order_create", source: "test")))
    }

    @Test func anUnmeasuredPhaseIsNoPass() throws {
        var report = try ShopHunt.report()
        report.sites.removeAll { $0.phase != "orders" }
        report.phases[1].failedRequests = 141
        let failing = try check(report: report)
        #expect(failing.exitStatus == 1)
        #expect(failing.phases[1].outcome != .passed)
        report.sites.removeAll()
        let open = try check(report: report)
        #expect(open.exitStatus == 3)
        #expect(open.reason.contains("of the requests of users failed"))
        report.phases[1].failedRequests = 140
        #expect(try check(report: report).exitStatus == 0)
        report.phases[2].rounds = 2
        #expect(try check(report: report).exitStatus == 3)
    }

    @Test func lowConfidenceAfterFewRoundsIsNoPass() throws {
        var report = try ShopHunt.report()
        report.sites.removeAll { $0.confidence != .low }
        #expect(try check(report: report).exitStatus == 0)
        report.phases[2].rounds = 6
        let check = try check(report: report)
        #expect(check.exitStatus == 3)
        #expect(check.reason.contains("6 rounds are too few to be sure"))
    }

    @Test func aHuntThatEndedEarlyIsNoPass() throws {
        var report = try ShopHunt.report()
        let failing = try check(report: report, failure: "the service ended")
        #expect(failing.exitStatus == 1)
        #expect(failing.reason == "the service ended")
        report.sites.removeAll()
        report.phases.removeLast()
        let early = try check(report: report, failure: "the service ended; it printed:\n  this")
        #expect(early.exitStatus == 3)
        #expect(early.headline == "the service ended; it printed: this")
        #expect(early.phases.last?.name == "orders")
        #expect(early.phases.last?.outcome == .inconclusive(.failure("the service ended; it printed:\n  this")))
        let nothing = CheckReport(nil, settings: try ShopHunt.settings(), failure: "it did not start")
        #expect(nothing.exitStatus == 3)
        #expect(nothing.phases.map(\.name) == ["users", "orders"])
    }

    @Test func aTraceThatRanFreelyIsJudgedAsAWhole() throws {
        let report = try OrderServer.growingReport()
        let check = CheckReport(report, settings: CheckSettings())
        #expect(check.exitStatus == 1)
        #expect(
            check.headline == "1 call site grows, 1.00 MiB per second at handle_order http.c:77, through order_create"
        )
        let short = try ReportBuilder.build(OrderServer.recording(snapshots: 3), options: ReportOptions())
        #expect(CheckReport(short, settings: CheckSettings()).exitStatus == 3)
    }
}
