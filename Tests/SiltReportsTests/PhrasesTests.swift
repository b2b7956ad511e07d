import SiltEvents
import SiltGrowth
import SiltRecording
import SiltTestRecordings
import Testing

@testable import SiltFindings
@testable import SiltReports

/// Every sentence that reports say of findings, verdicts and what they rest on, in one file to be read aloud.
@Suite struct PhrasesTests {
    var lines: [String] = []

    @Test mutating func everySentenceIsAsItWasRead() throws {
        runs()
        hunts()
        bases()
        obstacles()
        try memory()
        try trust()
        try findings()
        try checks()
        try rest()
        try expectGolden(lines.joined(separator: "\n") + "\n", "phrases.txt")
    }

    @Test mutating func noSentenceSpeaksOfSlicesOrOfOneInThePlural() throws {
        runs()
        hunts()
        for line in lines {
            #expect(!line.contains("slice") && !line.contains("..") && !line.contains("->"), "\(line)")
            #expect(!line.contains(/\b1 (blocks|mappings|rounds|steps|times|snapshots)\b/), "\(line)")
        }
    }

    mutating func add(_ kind: String, _ sentence: String?) { lines.append("\(kind): \(sentence ?? "–")") }

    // MARK: Evidence

    private func facts(_ change: (inout GrowthFacts) -> Void = { _ in }) -> GrowthFacts {
        var facts = GrowthFacts()
        (facts.snapshots, facts.slices, facts.occupied) = (20, 15, 15)
        (facts.fewest, facts.most, facts.survivors, facts.survivorBytes) = (80, 200, 1_550, 1_583_350)
        (facts.from, facts.to, facts.since, facts.settledAt, facts.sinceHigh) = (0.2, 0.95, 0.4, 0.6, 7)
        (facts.baseline, facts.live, facts.older, facts.newer) = (1_048_576, 3_145_728, 40, 6)
        (facts.biggestRise, facts.biggestRiseAt, facts.wobble, facts.drops) = (524_288, 0.3, 0.04, 14)
        facts.jumps = 4
        change(&facts)
        return facts
    }

    mutating func run(
        _ verdict: Verdict,
        _ reason: Reason,
        _ what: String = "",
        error: Double = 1,
        resource: Resource = .heap,
        period: Double = 1,
        wasGivenBack: Bool = false,
        _ change: (inout GrowthFacts) -> Void = { _ in }
    ) {
        let judged = GrowthVerdict(verdict, reason, confidence: .high, slope: 100, error: error, facts: facts(change))
        let line = EvidenceText.line(Evidence(.run(judged, period: period)), resource, wasGivenBack: wasGivenBack)
        add("run, \(verdict.rawValue), \(reason.rawValue)\(what.isEmpty ? "" : ", " + what)", line)
    }

    private mutating func runs() {
        for reason in [Reason.leak, .late, .deep, .slowed, .doubling, .backlog, .trend] { run(.growing, reason) }
        run(.growing, .leak, "not exactly known", error: 14)
        run(.growing, .leak, "not in every second") { $0.occupied = 13 }
        run(.growing, .leak, "of half seconds", period: 0.5)
        run(.growing, .leak, "without times", period: 0)
        run(.growing, .leak, "one at a time") { ($0.fewest, $0.most) = (1, 1) }
        run(.growing, .leak, "given back at exit", wasGivenBack: true)
        run(.growing, .leak, "mappings", resource: .mapping)
        run(.growing, .doubling, "mappings", resource: .mapping)
        run(.growing, .doubling, "once") { $0.jumps = 1 }
        run(.slowGrowing, .leak)
        for reason in [Reason.decel, .turnover, .stalled, .flat, .none] { run(.plateauing, reason) }
        run(.plateauing, .flat, "of the start") { $0.settledAt = 0.05 }
        run(.plateauing, .stalled, "late") { $0.settledAt = 0.9 }
        run(.step, .none)
        run(.sawtooth, .none)
        run(.sawtooth, .none, "once") { $0.drops = 1 }
        run(.stable, .none)
        run(.shrinking, .none) { $0.live = 524_288 }
        run(.notEnoughData, .none) { $0.snapshots = 4 }
        var workers = Evidence(
            .workers(GrowthVerdict(.growing, .leak, slope: 9, facts: facts()), period: 1, count: 8, generations: 4)
        )
        add("workers in turn", EvidenceText.line(workers, .heap))
        workers.processes = 2
        add("workers in turn, two of them", EvidenceText.line(workers, .heap))
        var several = Evidence(.run(GrowthVerdict(.growing, .leak, slope: 9, facts: facts()), period: 1))
        several.processes = 3
        add("several processes", EvidenceText.line(several, .heap))
        several.process = Evidence.Process(pid: 4712)
        add("several processes", EvidenceText.line(several, .heap))
        several.processes = 1
        add("several processes", EvidenceText.line(several, .heap))
        several.process = Evidence.Process(pid: 4712, name: "worker")
        add("several processes", EvidenceText.line(several, .heap))
    }

    mutating func hunt(
        _ verdict: Verdict,
        _ reason: Reason,
        _ what: String = "",
        isIdle: Bool = false,
        failed: Double? = nil,
        resource: Resource = .heap,
        workers: Evidence.Phase.Workers? = nil,
        _ change: (inout GrowthFacts) -> Void = { _ in }
    ) {
        let judged = GrowthVerdict(verdict, reason, confidence: .medium, slope: 100, facts: facts(change))
        var phase = Evidence.Phase(name: isIdle ? "idle" : "orders", isIdle: isIdle, failedShare: failed)
        phase.workers = workers
        let line = EvidenceText.line(Evidence(.phase(judged, phase)), resource)
        add("hunt, \(verdict.rawValue), \(reason.rawValue)\(what.isEmpty ? "" : ", " + what)", line)
    }

    private mutating func hunts() {
        hunt(.growing, .leak) { ($0.fewest, $0.most, $0.requests, $0.keptSeconds) = (50, 50, 9_500, 15) }
        hunt(.growing, .leak, "with more of idle and of the warm-up") { ($0.idleBytes, $0.oneOffBytes) = (640, 40_960) }
        hunt(.growing, .leak, "few rounds") { $0.occupied = 4 }
        hunt(.growing, .leak, "one a round") { ($0.fewest, $0.most) = (1, 1) }
        hunt(.growing, .leak, "with failed requests", failed: 0.03)
        hunt(.growing, .idle, "at idle", isIdle: true)
        hunt(.growing, .trend, "goroutines", resource: .goroutine)
        for reason in [Reason.doubling, .everyRound, .backlog] { hunt(.growing, reason) }
        for reason in [Reason.decel, .turnover, .stalled, .gap, .flat, .idleRate, .late, .sparse, .none] {
            hunt(.plateauing, reason)
        }
        hunt(.plateauing, .sparse, "few rounds") { $0.occupied = 4 }
        hunt(.plateauing, .none, "once") { $0.oneOffBytes = 49_357 }
        hunt(.plateauing, .none, "without births") { ($0.slices, $0.settledAt) = (0, 0.3) }
        let workers = Evidence.Phase.Workers(count: 14, generations: 6)
        hunt(.growing, .leak, "of workers", workers: workers) { ($0.oneOffBytes, $0.requests) = (40_960, 9_500) }
        hunt(.plateauing, .none, "of workers", workers: workers) { $0.oneOffBytes = 49_357 }
        hunt(.plateauing, .decel, "of workers", workers: workers)
        hunt(.stillFilling, .decel)
        hunt(.stillFilling, .decel, "evenly") { ($0.older, $0.newer) = (40, 40) }
        hunt(.stable, .none) { $0.live = $0.baseline }
        hunt(.notEnoughData, .none) { $0.snapshots = 2 }
    }

    private mutating func bases() {
        let all: [Evidence.Basis] = [
            .tooFewSnapshots(4), .allFreed, .onlyYoungBlocks, .hardlyTouched, .keptByRuntime, .nothingAfterARound,
            .processEnded, .damaged,
        ]
        for basis in all { add("evidence", EvidenceText.line(Evidence(basis), .heap)) }
        for confidence in Confidence.allCases { add("confidence", ConfidenceText.word(confidence)) }
        for verdict in Verdict.allCases { add("in a table", verdict.words) }
    }

    // MARK: Obstacles

    let mebibytes = 1_048_576.0

    let blame = ReportFrame(
        function: "keep_order",
        file: "/src/orders.c",
        line: 88,
        module: "/opt/server",
        offset: 1,
        inlined: false
    )

    private mutating func obstacles() {
        var child = RecordedUntraced(program: "./server", reason: "it is statically linked")
        child.grownBytes = 12 << 20
        var became = child
        became.became = "sh"
        var all: [Obstacle] = [
            .untraceable("./server is statically linked: nothing can be preloaded into it"), .becameUntraced(became),
            .untraced(child), .untracedChild(child), .nothingTraced, .singleProfile, .noAllocation, .damagedEventFile,
            .tooFewSnapshots(3), .tooShort(1.5),
            .endedEarly(HuntFailure(reason: "interrupted", missing: ["users", "orders"])),
            .phase(.failedRequests(phase: "orders", share: 0.05)), .phase(.tooFewRounds(phase: "orders", 2)),
            .phase(.endedProcesses(phase: "orders", 2, share: 0.4)),
            .phase(.tooFewSamples(phase: "orders", samples: 3, period: 524_288, bytes: 100, requests: 16_000)),
            .phase(.stillFilling(phase: "orders", blame, others: 0, rounds: 24)),
            .phase(.stillFilling(phase: "orders", blame, others: 2, rounds: 24)),
        ]
        for use in MemoryUse.outsideMalloc {
            var growth = MemoryGrowth(process: 0)
            var parts = MemoryUses<Double>()
            parts[use] = 112 * mebibytes
            (growth.risen, growth.parts, growth.phase) = (112 * mebibytes, parts, use == .stacks ? "orders" : nil)
            growth.rate = Rate(value: 9e6, low: 9e6, high: 9e6, unit: .bytesPerSecond)
            all.append(.outsideMalloc(growth))
        }
        let reasons: [TrustCounters.StopReason] = [
            .analyzerGone, .noMemory, .internalError, .analyzerStoodStill, .sandbox, .eventFileEnds,
        ]
        for (index, reason) in reasons.enumerated() {
            all.append(.stopped(Obstacle.Stop(reason: reason, seconds: 7.25, processes: index == 0 ? 3 : 1)))
        }
        for obstacle in all { add("inconclusive", ObstacleText.line(obstacle) + ObstacleText.advice(obstacle)) }
    }

    // MARK: The process

    private mutating func memory() throws {
        var report = try OrderServer.growingReport()
        report.recording.target.allocator = "/lib/libc.so.6"
        report.recording.memoryLimit = 512 << 20
        var look = RecordedMemory(process: 1, snapshot: 1)
        look.bytes[.files] = 298 << 20
        for detail in MemoryDetail.allCases { look.details[detail] = 98 << 20 }
        (look.details[.arenas], look.details[.threads], look.details[.sparseLive]) = (16, 100, 6 << 20)
        report.recording.pins = [RecordedPin(process: 1, stack: report.recording.counters[0].stack, bytes: 80 << 20)]
        let retentions: [MemoryCause?] = [.fragmentation, .arenas, .threadCaches, .untrimmed, nil]
        let causes: [WholeMemory.Cause] =
            retentions.map { .retention(held: 98 * mebibytes, risen: 112 * mebibytes, $0) } + [
                .retention(held: 130 * mebibytes, risen: 112 * mebibytes, nil),
                .kept(held: 98 << 20, live: 3 << 20, peak: 120 << 20, .untrimmed),
                .touched(112 * mebibytes, live: 1 << 30, huge: 0),
                .touched(112 * mebibytes, live: 1 << 30, huge: 112 * mebibytes), .swapped(98 * mebibytes),
                .outside(112 * mebibytes, .mapped), .outside(112 * mebibytes, .stacks),
                .outside(112 * mebibytes, .other), .files(112 * mebibytes), .shared(112 * mebibytes),
                .variables(112 * mebibytes),
            ]
        for cause in causes { add("RSS", MemoryText.cause(cause, look, in: report)) }
        let lates: [(MemoryCause, UInt64, resident: UInt64)] = [
            (.touchedLate, 0, 1 << 20), (.touchedLate, 0, 1 << 30), (.hugePages, 1 << 30, 1 << 20),
        ]
        for (cause, bytes, resident) in lates {
            let mapped = max(report.sites[0].lastInUseBytes, report.sites[0].inUseBytes) + bytes
            let late = LateMapping(site: report.sites[0], mappedBytes: mapped, residentBytes: resident, cause: cause)
            add("RSS, mapped earlier", MemoryText.cause(.outside(1 * mebibytes, .mapped), look, late, in: report))
        }
        add("RSS, control group", LedgerText.line(.controlGroup, look, report))
        for allocator in ["libjemalloc.so.2", "libtcmalloc.so.4", "libmimalloc.so.2", "libhoard.so", ""] {
            report.recording.target.allocator = allocator
            add("RSS, \(allocator)", MemoryText.cause(causes[3], look, in: report))
        }
    }

    private mutating func trust() throws {
        var report = try OrderServer.growingReport()
        report.trust = ReportTrust()
        report.trust.counters.allocations = 1_184_417
        report.trust.counters.eventsSent = report.trust.counters.eventsReceived
        report.trust.symbolizedPercent = 99.5
        add("trust", TrustText.line(report))
        report.trust.completeStacksPercent = 98.4
        add("trust", TrustText.line(report))
        report.trust.counters.eventsSent += 12
        report.trust.counters.lost = 12
        report.trust.counters.unknownFrees = 1
        report.trust.counters.inheritedFrees = 2
        report.trust.counters.overwritten = 3
        report.trust.counters.unmatchedUnfrees = 1
        report.trust.counters.unknownKinds = 1
        report.trust.counters.offReason = 1
        report.trust.counters.importsUnbound = 2
        report.trust.counters.unseenDescriptors = 2
        report.trust.counters.modulesLost = 1
        report.trust.counters.waits = 6
        report.trust.counters.waitNs = 3_000_000_000
        report.trust.isClosed = false
        add("trust", TrustText.line(report))
        var counters = TrustCounters()
        counters.inheritedFrees = 7
        report.trust.counters.inheritedFrees = 9
        (report.recording.processes, report.recording.trust) = ([RecordedProcess(id: 1, pid: 1)], [counters])
        add("trust", TrustText.line(report))
    }

    // MARK: Findings

    private mutating func findings() throws {
        var report = try OrderServer.growingReport()
        add("headline", report.verdictLine)
        report.options.limitBytes = 512 << 20
        add("headline, with a limit", report.verdictLine)
        let hunt = try ShopHunt.report()
        add("headline of a hunt", hunt.verdictLine)
        for phase in hunt.phases { add("phase", HuntHeadline.size(of: phase)) }
        var quiet = try OrderServer.growingReport()
        quiet.sites.removeAll(where: \.isGrowing)
        quiet.decide()
        add("headline", quiet.verdictLine)
        var site = try #require(report.growing.first)
        add("why", WhyText.line(site))
        add("why, in whole", WhyText.line(site, isWhole: true))
        (site.phase, site.leakFraction) = ("orders", 0.1)
        site.freedBy = FreedBy(frame: blame, share: 0.9)
        add("why, in a hunt", WhyText.line(site))
        add("next", NextStep.line(site, report))
        for line in NextStep.more(report) { add("next", line) }
        add("next", NextStep.allowance(site))
        report.options.recordingPlace = .newest
        add("next, of the last run", NextStep.line(site, report))
        report.options.recordingPlace = .file("it's here.silt")
        add("next", NextStep.line(site, report))
        site.caller = ReportFrame(
            function: "place_order",
            file: Scene.source("question.c"),
            line: 3,
            module: "/opt/shop/server",
            offset: 0x4000,
            inlined: false
        )
        add("next, with the source", NextStep.line(site, report))
        for line in NextStep.more(report) { add("next, of a file", line) }
        site.caller = nil
        site.blame.line = nil
        add("next, without a line", NextStep.line(site, report))
        site.blame.function = ""
        add("next, without a name", NextStep.line(site, report))
    }

    private mutating func checks() throws {
        let doubts: [CheckReport.Doubt] = [
            .failure("interrupted"), .notReached, .nothingRecorded, .unmeasured(.nothingTraced),
            .phase(.tooFewRounds(phase: "orders", 2)), .fewRounds(blame, phase: "orders", isIdle: false, 1),
            .fewRounds(blame, phase: "idle", isIdle: true, 5), .fewSnapshots(blame, 8),
        ]
        for doubt in doubts { add("check, not measured", CheckHeadline.line(doubt)) }
        let hunted = CheckReport(try ShopHunt.report(), settings: ShopHunt.settings { $0.siteBytesPerRequest = 64 })
        add("check", hunted.headline)
        var finding = try #require(hunted.findings.first)
        let breaches: [CheckReport.Breach] = [
            .growth, .siteLimit(64), .phaseLimit(64, sum: 101.3), .baseline(64),
        ]
        let outcomes: [CheckReport.Outcome] =
            breaches.map { .failed($0) } + [
                .allowed(.suppression("leak:^cache_fill$", source: "known.supp:2")), .allowed(.baseline(64)),
                .withinLimit, .doubtful,
            ]
        for outcome in outcomes {
            finding.outcome = outcome
            add("check, a finding", CheckHeadline.sentence(finding, hunted.settings))
        }
        finding.site.isConclusive = false
        add("check, a finding", CheckHeadline.sentence(finding, hunted.settings))
        finding.outcome = .failed(.growth)
        add("check, a finding", CheckHeadline.sentence(finding, CheckSettings()))
    }

    @Test(arguments: [
        ("place_order", "place_order"), ("shop::AuditLog::note(int, std::string const&)", "AuditLog::note"),
        ("silt.DemoServer.handleOrder() -> ()", "DemoServer.handleOrder"),
        ("std::vector<int>::push_back(int)", "vector<.*>::push_back"),
        ("app::Op::operator()(int)", "Op::operator\\(\\)"),
        ("(anonymous namespace)::dial(int)", "dial"),
        ("operator new(unsigned long)", "operator new"), ("main.(*shop).order", "order"),
    ])
    func aCommandNamesAFunctionByAPatternThatFindsIt(function: String, pattern: String) throws {
        let made = try #require(NextStep.pattern(function))
        #expect(made == pattern)
        let frame = ReportFrame(function: function, module: "/opt/server", offset: 0, inlined: false)
        #expect(try FunctionPattern(made).matches(frame.name))
    }
}
