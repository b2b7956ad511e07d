import SiltEvents
import SiltGrowth
import SiltRecording
import SiltSymbols
import Testing

@testable import SiltFindings
@testable import SiltReports

extension PhrasesTests {
    /// What is seldom said.
    mutating func rest() throws {
        evidence()
        obstaclesOfBusyMachines()
        projections()
        try notes()
        try functions()
        try sites()
    }

    private mutating func evidence() {
        run(.growing, .leak, "watched for a short time") { $0.keptSnapshots = 5 }
        run(.growing, .leak, "watched for a short time", resource: .descriptor) { $0.keptSnapshots = 5 }
        run(.stable, .none, "without a change") { $0.wobble = 0.001 }
        run(.stable, .none, "of what comes and goes") { $0.wobble = 1 }
        run(.stillFilling, .decel, "of ever less")
        run(.stillFilling, .flat, "of bursts") { $0.bursts = 7 }
        run(.stillFilling, .flat, "of a load that ended") { $0.restSeconds = 5 }
        run(.stillFilling, .flat, "of what was filled evenly") { $0.sinceHigh = 3 }
        run(.stillFilling, .backlog, "of a load that rises") { $0.loadRatio = 1.62 }
        run(.stillFilling, .decel, "of a load that falls") { $0.loadRatio = 0.4 }
        hunt(.growing, .leak, "not sure") { $0.keptSeconds = 15 }
        hunt(.plateauing, .gap, "at idle", isIdle: true)
        hunt(.plateauing, .doubling)
        let phase = Evidence.Phase(name: "orders", isIdle: false, failedShare: nil)
        add("evidence", EvidenceText.line(Evidence(.inTurn(stacks: 7, nil)), .heap))
        add("evidence, in a hunt", EvidenceText.line(Evidence(.inTurn(stacks: 7, phase)), .heap))
        add("evidence", EvidenceText.line(Evidence(.loading), .heap))
        add("evidence", EvidenceText.line(Evidence(.inCaches(blocks: 3076, nil)), .heap))
        add("evidence, in a hunt", EvidenceText.line(Evidence(.inCaches(blocks: 3076, phase)), .heap))
    }

    private mutating func obstaclesOfBusyMachines() {
        let short = ShortWorkers(blame: blame, workers: 8, generations: 4, snapshots: 5, seconds: 5)
        var unequal = short
        unequal.snapshots = nil
        var growth = MemoryGrowth(process: 0)
        var parts = MemoryUses<Double>()
        parts[.mapped] = 112 * mebibytes
        (growth.workers, growth.risen, growth.parts) = (8, 112 * mebibytes, parts)
        var slow = growth
        parts[.mapped] = mebibytes
        (slow.workers, slow.risen, slow.parts, slow.phase) = (1, mebibytes, parts, "orders")
        let all: [Obstacle] = [
            .stoodStill(7, of: 20), .shortWorkers(short), .shortWorkers(unequal), .outsideMalloc(growth),
            .outsideMalloc(slow),
            .loading(blame, others: 2, seconds: 12), .filling(blame, others: 2, seconds: 12),
            .fading(blame, others: 2, seconds: 12), .resting(blame, others: 2, bursts: 7, seconds: 2),
            .resting(blame, others: 2, bursts: 0, seconds: 2),
            .full(blame, others: 2, seconds: 2), .usedUp(blame, others: 0),
            .unevenLoad(blame, others: 2, ratio: 1.62), .unevenLoad(blame, others: 0, ratio: 0.4),
            .phase(.tooFewSamples(phase: "orders", samples: 0.3, period: 524_288, bytes: 100, requests: 1_600)),
        ]
        for obstacle in all { add("inconclusive", ObstacleText.line(obstacle) + ObstacleText.advice(obstacle)) }
    }

    private mutating func projections() {
        let all: [Projection] = [
            .reached, .after(seconds: 480, range: nil), .after(seconds: 480, range: 420...540), .beyond(spans: 10),
            .afterRequests(498_000, isMix: false), .afterRequests(498_000, isMix: true),
        ]
        for projection in all { add("headline, the limit", Headline.line(projection, limit: "512 MiB limit")) }
        add("headline, the limit", Headline.openFiles(1_024, .reached))
    }

    private mutating func notes() throws {
        for count in [1, 3] { add("ended", EndText.heldBefore(processes: count)) }
        for signal in EndText.faults.keys.sorted() {
            var target = RecordedTarget(command: ["./server"])
            target.signal = Int(signal)
            add("the end", EndText.line(target))
        }
        for hasArenas in [false, true] { add("Python", PoolAllocators.python(hasArenas: hasArenas)) }
        for interpreter in Interpreter.allCases where interpreter != .python {
            add(interpreter.name, PoolAllocators.note(interpreter, hasArenas: true))
        }
        add("wrappers", SkippedWrappers.line(["my_alloc pool.c:7"]))
        add("wrappers", SkippedWrappers.line(["a_alloc", "b_alloc", "c_alloc", "d_alloc", "e_alloc"]))
        for use in MemoryUse.allCases { add("RSS, a part", MemoryText.name(use)) }
        add("RSS, after the last look", MemoryText.parts(RecordedMemory(process: 1, snapshot: 1), later: 16 << 20))
        add("descriptors", Resource.unseenCalls)
        for resource in [Resource.heap, .descriptor, .mapping] { add("given back", resource.beforeTheWayOut) }
        for isChosen in [true, false] {
            add("a difference", Resource.descriptor.compared(besides: [.heap, .thread], isChosen: isChosen))
        }
        for processes in [1, 2] {
            add("in use", MemoryText.counted("3 threads", isOver: true, processes: processes))
        }
        var report = try OrderServer.growingReport()
        add("RSS, what helps", LedgerText.remedy(.controlGroup, nil, report))
        (report.recording.target.command, report.options.recordingPlace) = ([], .newest)
        for line in NextStep.more(report) { add("next, of no command", line) }
        for obstacle in [Obstacle.tooShort(1), .tooFewSnapshots(3), .singleProfile] {
            var open = try OrderServer.growingReport()
            for index in open.sites.indices { open.sites[index].verdict = .notEnoughData }
            (open.obstacle, open.options.recordingPlace) = (obstacle, .file("server.silt"))
            for line in NextStep.more(open) { add("next, nothing being decided", line) }
        }
        for index in report.sites.indices { (report.sites[index].blame.line, report.sites[index].caller) = (nil, nil) }
        for index in report.recording.modules.indices {
            report.recording.modules[index].missingLines = "build it with -g"
        }
        for line in MissingLines.notes(report, limit: 10) { add("lines", line) }
        var phase = HuntPhases.Phase(name: "orders", route: 1)
        (phase.rounds, phase.requests, phase.failedRequests) = (7, 14_000, 12)
        add("phase", HuntHeadline.size(of: phase))
    }

    private mutating func functions() throws {
        let names = ["order_create", "shop::Server::login(int)", "shop::Client::login()"]
        for pattern in ["nosuch", "order_craete", "logni", "login", "order"] {
            let error = NoSuchFunction(try FunctionPattern(pattern), shown: "inuse_space", among: names)
            add("no such function", error.description)
        }
    }

    private mutating func sites() throws {
        var report = try OrderServer.growingReport()
        for index in report.sites.indices { report.sites[index].confidence = .low }
        add("headline, of low confidence", report.verdictLine)
        for index in report.sites.indices { report.sites[index].confidence = .high }
        var site = try #require(report.growing.first)
        for why: ReportSite.Following.Reason? in [nil, .lockStep] {
            var other = site
            (other.rank, other.follows) = (99, why.map { .init(rank: site.rank, why: $0) })
            var both = report
            both.sites.append(other)
            add("headline, of two", Headline.line(both))
        }
        for count in [1, 12] { add("findings that are not shown", "and " + Headline.more(count)) }
        (site.caller, site.origin) = (nil, blame)
        add("why, in whole", WhyText.line(site, isWhole: true))
        (site.allocatedCount, site.temporaryCount, site.movedCount, site.stackCount) = (60_000, 59_000, 0, 1)
        add("temporary", TemporaryPhrase.line(site))
        (site.temporaryCount, site.movedCount, site.movedBytes) = (0, 5_970, 610_000_000)
        add("temporary", TemporaryPhrase.line(site))
        (site.temporaryCount, site.stackCount) = (30, 7)
        add("temporary", TemporaryPhrase.line(site))
    }
}
