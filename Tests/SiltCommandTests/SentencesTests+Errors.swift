import Glibc
import SiltHTTP
import SiltRecording
import SiltShim
import SiltSystem

@testable import SiltEvents
@testable import SiltFindings
@testable import SiltPlan
@testable import SiltPprof
@testable import SiltReports
@testable import SiltServer
@testable import SiltSession
@testable import SiltSymbols
@testable import SiltText
@testable import silt

extension SentencesTests {
    /// Of each module, in the order of the manifest; every case of every error.
    mutating func errors() throws {
        add([PatternError(pattern: "a**", reason: "back references are not supported")])
        add([
            ShimError.damagedImage, .cannotWrite(path: "/x.so", reason: full), .foreign(path: "/x.so"),
            .noUsableDirectory(tried: ["/a", "/b"]),
        ])
        add([FileError.system(errno: 28), .tooLarge(limit: 1 << 20)])
        add(eventErrors)
        add(wireErrors)
        add([
            RecordingError.cannotOpen(path: file, reason: full), .notARecording(path: file), .inUse(path: file),
            .otherVersion(path: file, found: 9, supported: 7), .otherVersion(path: file, found: 1, supported: 7),
            .damaged(path: file, reason: "stack 3 after 5"), .cannotWrite(path: file, reason: full),
        ])
        add([
            ReportError.cannotRead(path: file, reason: full), .cannotWrite(path: file, reason: full),
            .cannotWrite(path: "-", reason: full),
            .suppression(source: "known.supp:2", problem: "leak: without a pattern"),
            .suppression(source: Refusal.ofThePlan, problem: "leak: without a pattern"),
            .baseline(path: "growth.json", problem: "there are no entries"),
            .notRecorded(path: file, what: "no requests were counted in it"),
            .noMoment(.phase("orders", round: 9), known: "orders has 7 rounds"),
            .noTimeBetween(.seconds(2.5), .seconds(2.5), isReversed: false),
            .noTimeBetween(.end, .phase("orders", round: 2), isReversed: true),
        ])
        add([NoSuchFunction(try FunctionPattern("place_ordr"), shown: "inuse_space", among: ["place_order"])])
        add([SymbolError.gone, .differs, .replaced, .overwritten, .unreadable("it is no regular file")])
        add(profileErrors)
        for text in ["a b", "ftp://a", "a@b", "a:0", "unix:s"] {
            do { _ = try PprofAddress(text) } catch { add([error]) }
        }
        add(addressErrors)
        add(sessionErrors)
        add([ControlError("the phase's name is too long")])
        add([
            ProcessInspection.Unreadable.notThere(4711), .ended(4711), .kernelThread(2),
            .otherUsers(4711, user: "shop", isRoot: true), .otherUsers(4711, user: "shop", isRoot: false),
        ])
        add([
            SharedImage.Damage.notAMemoryFile, .otherVersion(9), .cannotMap("Cannot allocate memory"),
            .slotCounters(slot: 3, committed: 9_999_999, consumed: 0),
        ])
        errno = ENOSPC
        add([
            EventReplay.ReplayError.unknownImage(3), .badImage(3), .outOfOrder(slot: 1, offset: 64),
            .system("writing a memory file"),
        ])
        add([WordError("expected HOST:PORT, found \"x\"")])
        add(huntErrors)
        add([ServerError("cannot listen at 127.0.0.1:80: Permission denied")])
        add([PushError(HTTPError.timedOut("http://127.0.0.1:4040", seconds: 10))])
        let text = PprofError.truncated(bytes: 3)
        add([
            InputError.isRecording(path: "run.silt"), .nothingKept(folder: nil),
            .nothingKept(folder: "~/.local/state/silt"),
            .unreadable(path: "a", .notAProfile("it is empty"), isBinary: false),
            .unreadable(path: "a", .cannotRead(path: "a", reason: full), isBinary: true),
            .unreadable(path: "a", text, isBinary: true), .unreadable(path: "a", text, isBinary: false),
        ])
    }

    private mutating func add<Failure: Error>(_ errors: [Failure]) {
        lines += errors.map { "\(Failure.self): \($0)" }
    }

    private var file: String { "run.silt" }
    private var full: String { "No space left on device" }
    private var address: String { "http://127.0.0.1:6060" }

    private var eventErrors: [RawStreamError] {
        [
            .system(call: "write", path: "run.events", errno: 28), .foreign(path: "run.events"),
            .version(path: "run.events", 9),
            .truncated(path: "run.events", offset: 4096, needed: 512, available: 100),
            .unended(path: "run.events", offset: 4096), .badChunk(path: "run.events", offset: 4096),
        ]
    }

    private var wireErrors: [WireError] {
        let badModules: [WireError.BadModule] = [
            .length(3), .index(9), .text(buildIDBytes: 20, pathBytes: 9_999), .range,
        ]
        return [
            .badSlot(slot: 99), .unknownKind(slot: 1, offset: 64, kind: 77), .badLength(slot: 1, offset: 64, words: 0),
            .unknownStack(slot: 1, offset: 64, id: 5), .badNode(slot: 1, offset: 64, id: 5),
            .unknownParent(slot: 1, offset: 64, id: 5, parent: 9), .unknownModule(slot: 1, offset: 64, module: 3),
            .nullAddress(slot: 1, offset: 64),
        ] + badModules.map { .badModule(offset: 64, reason: $0) }
    }

    private var profileErrors: [PprofError] {
        [
            .truncated(bytes: 100), .notAProfile("it is JSON"), .damaged("a record in it is broken"),
            .tooLarge(limit: 1000, unit: "frames"), .badReference(.location, id: 7), .badID(.location, id: 0),
            .badID(.location, id: 7), .wrongValueCount(sample: 3, found: 1, expected: 4),
            .nothingInUse(found: [PprofValueType(type: "cpu", unit: "nanoseconds")]),
            .unknownCount(PprofValueType(type: "open_connections", unit: "count")),
            .cannotRead(path: "heap.pb.gz", reason: "Permission denied"),
        ]
    }

    private var addressErrors: [HTTPError] {
        [
            .cannotConnect(address, reason: "Connection refused"),
            .notSecure(address, reason: "its certificate is for another host"), .timedOut(address, seconds: 30),
            .refused(address, status: 404, detail: ""), .refused(address, status: 302, detail: "/login"),
            .refused(address, status: 403, detail: ""), .refused(address, status: 500, detail: "out of memory"),
            .badAnswer(address, reason: "not HTTP, or cut off"), .tooLong(address, limit: 1 << 28),
            .badProfile(address, .notAProfile("it is JSON")),
        ]
    }

    private var sessionErrors: [SessionError] {
        let missing = TargetInspection(executable: "./server", obstacle: .notFound("./server"))
        let linked = TargetInspection(executable: "./server", obstacle: .staticallyLinked)
        return [
            .cannotTrace(missing), .cannotTrace(linked), .cannotTrace(TargetInspection(executable: "./server")),
            .cannotStart(command: "./server", reason: "Exec format error"), .system(call: "signalfd", reason: full),
            .noExecutable, .noPrivateDirectory(tried: ["/run/user/1000", "/tmp"]),
            .socketInUse(path: "/run/silt.sock"), .notASocket(path: "/run/silt.sock"),
        ]
    }

    private var huntErrors: [HuntError] {
        let output = (1...22).map { "line \($0)" }.joined(separator: "\n")
        return [
            .plan(file: "plan.yml", line: 3, problem: "name is missing"),
            .plan(file: "plan.yml", line: 0, problem: "it is a folder"),
            .option(name: "--ready", problem: "expected HOST:PORT, found \"x\""), .noService, .profilesOfAttached,
            .pattern("a**", reason: "Invalid preceding regular expression"), .endedBeforeReady(status: 7),
            .endedBeforeReady(status: nil), .serviceEnded(status: 137),
            .alreadyAnswered(.tcp(host: "127.0.0.1", port: 80)),
            .notReady(.log(pattern: "listening"), seconds: 2, lastProblem: "it closed the connection"),
            .loadFailed(phase: "orders", round: 0, status: 4, output: ""),
            .loadFailed(phase: "orders", round: 2, status: 137, output: output),
            .loadTimedOut(phase: "orders", round: 2, seconds: 60, output: ""), .interrupted,
            .system(call: "pipe2", reason: "Too many open files"),
        ]
    }
}
