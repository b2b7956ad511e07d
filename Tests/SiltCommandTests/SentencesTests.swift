import Glibc
import SiltEvents
import SiltHunt
import SiltPlan
import SiltRecording
import SiltSystem
import SiltTestSupport
import Testing

@testable import SiltSession
@testable import silt

/// Every sentence that silt says outside its reports, in one file to be read aloud.
@Suite struct SentencesTests {
    var lines: [String] = []

    init() throws {
        title("Usage errors")
        refusals()
        title("Notices")
        notices()
        title("A hunt's progress")
        hunt()
        title("silt doctor")
        try doctor()
        title("Errors")
        try errors()
        title("What modules say besides, as it stands in their sources")
        try literals()
    }

    @Test func everySentenceIsAsItWasRead() throws {
        let changes = try differences(of: lines.joined(separator: "\n") + "\n", fromGolden: "sentences.txt")
        #expect(changes == [], "\(changes.joined(separator: "\n"))")
    }

    mutating func title(_ text: String) { lines += lines.isEmpty ? ["# " + text, ""] : ["", "# " + text, ""] }

    // MARK: The command line

    private mutating func refusals() {
        let unknown = Refusal.unknownOption("--jsno", near: "--json", help: "silt run --help")
        let all: [any Error] = [
            Refusal.noCommand("rnu", Refusal.meant("silt run")), Refusal.noCommand("x", Refusal.noneNear("x")),
            Refusal.noCommand("reprot", Refusal.meant(Refusal.help(of: "report"))),
            Refusal.noCommand("a.silt", Refusal.noneNear("a.silt")),
            Refusal.noCommand("attach", Refusal.onlyFromTheStart), Refusal.noSubcommand(["./server", "--port"]),
            unknown, Refusal.unknownOption("--x", near: nil, help: "silt run --help"),
            Refusal.optionBeforeCommand("--out", of: "run"), Refusal.commandBehindDashes(unknown),
            Refusal.commandBehindDashes(Refusal.unknownOption("--x", near: nil, help: "silt run --help")),
            Refusal.runNeedsCommand, Refusal.huntNeedsPlan, Refusal.checkNeedsPlan, Refusal.shimPath("/a b.so"),
            Refusal.markNeedsName, Refusal.markNeedsSocket, Refusal.worksOnlyWith("--label", "--push"),
            Refusal.stackChoice("--tree, --flame"), Refusal.resourceWorksWith("--top, --tree"),
            Refusal.twoViews("--json", "--flame"), Refusal.twoOutputsToOnePlace,
            Refusal.eventsInRecording("run.silt"), Refusal.profileToTerminal,
            Refusal.diffNeedsTwo, Refusal.betweenOfTwo, Refusal.betweenNeedsTwo("diff"), Refusal.filesAreOfTheWholeRun,
            Refusal.filesHaveNoRates, Refusal.profileHasNoPeak, Refusal.listenAddress("6070"), Refusal.listenNeedsToken,
            Refusal.localAddress("here"), Refusal.addressOfOthers("0.0.0.0:6070"),
            Refusal.said(HuntError.noService), Refusal.profilesOnlyNeedsAddress, Refusal.rounds(3...1000),
        ]
        lines += all.map { "\($0)" }
    }

    private mutating func notices() {
        let all: [Notice] = [
            .recording("run.silt", isLast: false), .recording("~/.local/state/silt/server.silt", isLast: true),
            .lastRecording("server.silt"), .nothingKept("~/.local/state/silt", "No space left on device"),
            .events("server.events"), .noChecksum("heap.pb"), .wrotePlan("plan.yml"),
            .wroteBaseline("growth.json", sites: 1), .wroteBaseline("growth.json", sites: 3),
            .baselineNotWritten("growth.json"), .checkOfRecording("hunt.silt"), .notTraced("No space left on device"),
            .tooFewFiles(needed: 16, free: 7), .recordedUntil(seconds: 7.5, "No space left on device"), .neverLoaded,
            .stillRunning(1), .stillRunning(3), .serving("4711", at: "http://127.0.0.1:6070/"),
            .servingReport(at: "http://127.0.0.1:6070/"),
            .listening("/run/silt.sock"), .tracing("server", 4711),
            .marked(TraceStatus.afterRounds(0).done(by: "start"), bytes: 1 << 20, blocks: 1),
            .marked(TraceStatus.afterRounds(3).done(by: "orders"), bytes: 1 << 20, blocks: 12_345), .topNeedsTerminal,
            .nothingTraced, .severalTraced([(4711, "server"), (4712, "worker")], "top"), .traceEnded, .huntEndedEarly,
            .demo(seconds: 12), .noPortFile("port", FileError.system(errno: 28)),
            .noDemoPort(8080, "Address already in use"), .demoFailed,
        ]
        lines += all.map(\.text)
    }

    private mutating func hunt() {
        var growing = GrowingCounts()
        (growing.high, growing.suspect) = (1, "handle_order → keep_order")
        let round = RoundMark(phase: "orders", kind: .round, requests: 2000, failedRequests: 3)
        let all: [HuntStep] = [
            .waiting(.time(seconds: 5)), .idle(seconds: 10, isFinal: false), .idle(seconds: 10, isFinal: true),
            .load(phase: "orders", round: 0, planned: 6, repeats: 1),
            .load(phase: "orders", round: 2, planned: 6, repeats: 1),
            .load(phase: "orders", round: 7, planned: 6, repeats: 2), .confirming(phase: "orders", seconds: 60),
            .ended(RoundMark(phase: "orders", kind: .warmUp), seconds: 2, growing: []),
            .ended(round, seconds: 2, growing: [growing]), .ended(round, seconds: 2, growing: [growing, growing]),
            .writing,
        ]
        lines += all.compactMap(\.words)
    }

    // MARK: The doctor

    private mutating func doctor() throws {
        var process = try ProcessInspection(getpid())
        (process.command, process.interpreter, process.unit) = ("./server --port 8080", nil, nil)
        (process.otherUser, process.otherRoot, process.debugger, process.tracing) = (nil, nil, nil, .none)
        process.ownNamespaces = []
        process.program = TargetInspection(executable: "/opt/server")
        process.program.interpreter = "/lib64/ld-linux-x86-64.so.2"
        var service = process
        (service.unit, service.otherUser, service.debugger) = ("shop@1.service", "shop", 4712)
        var contained = process
        (contained.ownNamespaces, contained.otherRoot) = (["mnt", "pid"], "/var/lib/image")
        (process.program.hasLineTables, process.tracing) = (true, .traced(recording: "server.silt"))
        var silent = process
        silent.tracing = .silent(why: "its recording server.silt has ended")
        var unloaded = process
        unloaded.tracing = .notLoaded(library: "/usr/local/lib/libsilt.so")
        for inspection in [service, contained, process, silent, unloaded] {
            var page = DoctorPage(width: 120)
            page.add(inspection)
            lines += page.text.replacing("\(process.pid)", with: "4711").split(separator: "\n").map(String.init)
        }
        var script = TargetInspection(executable: "/usr/bin/python3", scripts: ["./app.py"])
        script.notes = ["only what cgo allocates is seen"]
        var page = DoctorPage(width: 120)
        page.add(script, named: "./app.py")
        script.obstacle = .staticallyLinked
        page.add(script, named: "./app.py")
        lines += page.text.split(separator: "\n").map(String.init)
    }
}

extension TraceStatus {
    fileprivate static func afterRounds(_ count: Int) -> TraceStatus {
        var status = TraceStatus()
        status.rounds = count
        return status
    }
}
