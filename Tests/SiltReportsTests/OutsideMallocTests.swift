import SiltRecording
import Testing

@testable import SiltFindings
@testable import SiltReports

/// Memory outside malloc that rises by a little in each round of a hunt is no chance.
struct OutsideMallocTests {
    private static let idle = 5

    /// Of a hunt whose rounds make RSS rise by so many KiB each; `requests`: of each round; `before`: snapshots that were
    /// taken until the service was ready.
    private static func report(
        rises: [UInt64],
        requests: [UInt64]? = nil,
        inFiles: Bool = false,
        before: Int = 0
    ) throws -> HeapReport {
        let levels = rises.indices.map { rises[...$0].reduce(0, +) }
        return try report(levels: levels, requests: requests, inFiles: inFiles, before: before)
    }

    /// `levels`: KiB above the start at the end of each round.
    private static func report(
        levels: [UInt64],
        requests: [UInt64]? = nil,
        inFiles: Bool = false,
        before: Int = 0
    ) throws -> HeapReport {
        let last = before + levels.count + 2 * idle
        var recording = try OrderServer.recording(snapshots: UInt32(last), period: 1_000_000_000)
        recording.phases = ["idle", "get", "idle"].map { RecordedPhase(name: $0, startNs: 0) }
        recording.rounds = (1...levels.count + 2 * idle).map { number in
            let round = number - idle - 1
            let isIdle = !levels.indices.contains(round)
            var row = RecordedRound(
                number: UInt32(number),
                phase: number <= idle ? 1 : isIdle ? 3 : 2,
                kind: isIdle ? .idle : round == 0 ? .warmUp : .round,
                startNs: UInt64(before + number - 1) * 1_000_000_000,
                endNs: UInt64(before + number) * 1_000_000_000
            )
            if !isIdle { row.requests = requests?[round] ?? 100 }
            return row
        }
        for index in recording.processes.indices {
            recording.processes[index].endNs = UInt64(last + 1) * 1_000_000_000
        }
        recording.memory = []
        for index in recording.snapshots.indices where recording.snapshots[index].process == 1 {
            let number = Int(recording.snapshots[index].snapshot)
            let risen = 1024 * (levels.prefix(max(0, number - before - idle)).last ?? 0)
            recording.snapshots[index].inUseBytes = 1_048_576
            recording.snapshots[index].rssBytes = 24 * 1_048_576 + risen
            var look = RecordedMemory(process: 1, snapshot: UInt32(number))
            look.bytes[.live] = 1_048_576
            look.bytes[.files] = 23 * 1_048_576 + (inFiles ? risen : 0)
            look.bytes[.mapped] = inFiles ? 0 : risen
            recording.memory.append(look)
        }
        return try ReportBuilder.build(recording, options: ReportOptions())
    }

    @Test func aMegabyteInEachRoundLeavesTheVerdictOpen() throws {
        let report = try Self.report(rises: Array(repeating: 1024, count: 7))
        #expect(report.verdict == .inconclusive)
        let start = "INCONCLUSIVE: RSS grew 6.00 MiB outside malloc in get (10.2 KiB per request): "
        #expect(report.verdictLine.hasPrefix(start), "\(report.verdictLine)")
    }

    /// As the arenas do of a runtime that fills them, or of one whose small objects are lost: nobody can tell.
    @Test func aFewPagesInEachOfManyRoundsAreAskedAbout() throws {
        let report = try Self.report(rises: Array(repeating: 48, count: 16))
        #expect(report.verdict == .inconclusive)
        let start = "INCONCLUSIVE: still filling? RSS grew 720 KiB outside malloc in get (492 B per request): "
        #expect(report.verdictLine.hasPrefix(start), "\(report.verdictLine)")
    }

    @Test(arguments: [(7, 7), (0, 60), (40, 30)])
    func soItDoesHoweverLongTheServiceTookAndTheHuntWent(before: Int, rounds: Int) throws {
        let report = try Self.report(rises: Array(repeating: 1024, count: rounds), before: before)
        let start = "INCONCLUSIVE: RSS grew \(rounds - 1)."
        #expect(report.verdictLine.hasPrefix(start), "\(report.verdictLine)")
        #expect(report.verdictLine.contains(" in get (10.2 KiB per request): "), "\(report.verdictLine)")
    }

    /// Rounds that are added in doubt run the load several times.
    @Test func heavierRoundsMayRiseByMore() throws {
        let requests: [UInt64] = [100, 100, 100, 100, 200, 400, 800]
        let report = try Self.report(rises: requests.map { 4 * $0 }, requests: requests)
        #expect(report.verdict == .inconclusive, "\(report.verdictLine)")
    }

    @Test(
        arguments: [
            // A pool that fills, a jump, hardly anything, and too few rounds to tell.
            [2048, 1024, 512, 256, 64, 0, 0], [0, 0, 0, 4096, 0, 0, 0], [64, 64, 64, 64, 64, 64, 64],
            [1024, 1024, 1024, 1024],
        ] as [[UInt64]]
    )
    func whatFillsOrJumpsOrIsLittleDoesNot(rises: [UInt64]) throws {
        let report = try Self.report(rises: rises)
        #expect(report.verdict == .notGrowing, "\(report.verdictLine)")
    }

    /// As a heap does that a runtime maps by the megabyte, and collects now and then; watched for longer, it is no chance.
    @Test func whatRisesByJumpsAndFallsNowAndThenLeavesTheVerdictOpen() throws {
        let one: [Int64] = [0, 2048, -256, 0, 1024, 3072, -512, 1024]
        var resident: Int64 = 0
        let levels = (one + one + one).map { rise in
            resident += rise
            return UInt64(max(0, resident))
        }
        let report = try Self.report(levels: levels)
        #expect(report.verdict == .inconclusive, "\(report.verdictLine)")
        let phase = try #require(report.phases.first { $0.name == "get" })
        #expect(report.verdict(of: phase) == .inconclusive)
        var text = ""
        TextReport.render(report, into: &text)
        #expect(text.contains("get   cannot tell: RSS grew "), "\(text)")
    }

    /// A runtime's heap that has reached its size stays below it.
    @Test func aHeapThatIsCollectedAtItsSizeIsAcquitted() throws {
        let levels: [UInt64] = [4096, 12288, 16384, 9216, 15360, 16128, 10240, 16384, 12288, 15360]
        let report = try Self.report(levels: levels)
        #expect(report.verdict == .notGrowing, "\(report.verdictLine)")
    }

    @Test func pagesOfFilesAreNoGrowth() throws {
        let report = try Self.report(rises: Array(repeating: 1024, count: 7), inFiles: true)
        #expect(report.verdict == .notGrowing, "\(report.verdictLine)")
    }

    /// Of a program that ran freely for 24 s, of so many MiB at each second.
    private static func freeReport(_ level: (Int) -> Double) throws -> HeapReport {
        var recording = try OrderServer.recording(snapshots: 24, period: 1_000_000_000)
        recording.memory = []
        for index in recording.snapshots.indices where recording.snapshots[index].process == 1 {
            let number = recording.snapshots[index].snapshot
            let risen = UInt64(level(Int(number)) * 1_048_576)
            recording.snapshots[index].inUseBytes = 1_048_576
            recording.snapshots[index].rssBytes = 24 * 1_048_576 + risen
            var look = RecordedMemory(process: 1, snapshot: number)
            (look.bytes[.live], look.bytes[.files], look.bytes[.mapped]) = (1_048_576, 23 * 1_048_576, risen)
            recording.memory.append(look)
        }
        return try ReportBuilder.build(recording, options: ReportOptions())
    }

    /// As a runtime's heap of its own does that is given work for most of the time.
    @Test func aRestOfTheLastQuarterIsNoPlateau() throws {
        let report = try Self.freeReport { 4 * Double(min($0, 18)) }
        #expect(report.verdict == .inconclusive)
        #expect(report.verdictLine.hasPrefix("INCONCLUSIVE: RSS grew "), "\(report.verdictLine)")
    }

    @Test func aWarmUpThatIsOverIsNoGrowth() throws {
        let report = try Self.freeReport { 6 * Double(min($0, 10)) }
        #expect(report.verdict == .notGrowing, "\(report.verdictLine)")
    }

    /// As Python's arenas do, in which small objects lie that are never freed.
    @Test func aSmallRiseThatNeverRestsLeavesTheVerdictOpen() throws {
        let report = try Self.freeReport { 0.1 * Double($0) }
        #expect(report.verdict == .inconclusive)
        #expect(report.verdictLine.hasPrefix("INCONCLUSIVE: RSS grew "), "\(report.verdictLine)")
    }

    @Test(arguments: [12, 15, 20]) func aSmallRiseThatRestsOrJumpsDoesNot(second: Int) throws {
        for level in [{ 0.1 * Double(min($0, second)) }, { $0 < second ? 0 : 2.4 }] as [(Int) -> Double] {
            let report = try Self.freeReport(level)
            #expect(report.verdict == .notGrowing, "\(report.verdictLine)")
        }
    }
}
