import ArgumentParser
import Foundation
import SiltRecording

struct KillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill",
        abstract: "Kill the target, and kill the analyzer, at random moments.",
        discussion: """
            A killed target: every allocation and free that had been done is in the recording, and none that had not been
            begun; nothing is lost. A killed analyzer (that of a preloaded program, and silt run itself, in turn): the
            program goes on to its end, prints what it prints natively, and no block is changed.

            The kills that failed are printed with their number: --seed S --from N --target 1 does the same again.
            """
    )

    @OptionGroup var place: Place

    @Option(help: "How often the target is killed.")
    var target = 20

    @Option(help: "How often the analyzer is killed.")
    var analyzer = 20

    @Option(help: "Where the random numbers begin.")
    var seed: UInt64 = 1

    @Option(help: "Number of the first kill.")
    var from = 0

    @Option(help: "Longest time until the kill, in milliseconds.")
    var within = 400

    func run() throws {
        var failures = 0
        try place.with { silt, library, folder in
            let steady = try Steady(folder: folder)
            let killer = Killer(silt: silt, library: library, steady: steady, within: within)
            for (what, count, kill) in [
                ("target", target, killer.killTarget), ("analyzer", analyzer, killer.killAnalyzer),
            ] {
                for number in from..<from + count {
                    // Of each kill its own, so that it can be done again alone.
                    var numbers = SeededNumbers(seed: seed &* 1_000_003 &+ UInt64(number))
                    guard let failure = try kill(number, &numbers) else { continue }
                    failures += 1
                    print("\(what) \(number) of seed \(seed): \(failure)")
                }
                print("\(what) killed \(count) times")
                fflush(nil)
            }
        }
        print("\(failures) failures")
        if failures > 0 { throw ExitCode(1) }
    }
}

/// Kills one side of a trace and says what was wrong after it.
private struct Killer {
    var silt: String
    var library: String
    var steady: Steady
    var within: Int

    private var recording: String { steady.folder + "/run.silt" }

    private func removeRecording() { for suffix in ["", "-wal", "-shm"] { unlink(recording + suffix) } }

    /// What the program does before its threads begin: one run in which they only wait.
    private func startUp(threads: Int) throws -> (allocations: UInt64, frees: UInt64) {
        let started = try start(threads: threads, operations: -1, seed: 0)
        let counts = try steady.waitUntilReady()
        usleep(50_000)
        kill(counts.pid, SIGKILL)
        _ = started.wait(seconds: 60)
        let trust = try finishedRecording(recording).trust
        return (trust.map(\.allocations).reduce(0, +), trust.map(\.frees).reduce(0, +))
    }

    private func start(threads: Int, operations: Int, seed: UInt64) throws -> StartedCommand {
        removeRecording()
        return try steady.start(
            behind: [silt, "run", "--out", recording, "--"],
            threads: threads,
            operations: operations,
            seed: seed
        )
    }

    func killTarget(_ number: Int, _ numbers: inout SeededNumbers) throws -> String? {
        let threads = Int.random(in: 1...6, using: &numbers)
        let microseconds = UInt32.random(in: 0...UInt32(within * 1000), using: &numbers)
        let before = try startUp(threads: threads)
        let started = try start(threads: threads, operations: 0, seed: UInt64(number))
        let pid = try steady.waitUntilReady().pid
        usleep(microseconds)
        kill(pid, SIGKILL)
        let outcome = started.wait(seconds: 120)
        guard outcome.status == 137 else {
            return "silt run ended with \(outcome.status.map(String.init) ?? "nothing")"
        }
        let counts = steady.counts
        let trust = try finishedRecording(recording).trust
        let (allocations, frees) = (
            trust.map(\.allocations).reduce(0, +) - before.allocations, trust.map(\.frees).reduce(0, +) - before.frees
        )
        if trust.contains(where: { $0.lost > 0 }) { return "\(trust.map(\.lost).reduce(0, +)) events lost" }
        if let one = trust.first(where: { $0.eventsSent != $0.eventsReceived }) {
            return "\(one.eventsSent) events sent, \(one.eventsReceived) received"
        }
        guard (counts.allocationsDone...counts.allocationsBegun).contains(allocations) else {
            return "\(allocations) allocations, \(counts.allocationsDone) done, \(counts.allocationsBegun) begun"
        }
        guard (counts.freesDone...counts.freesBegun).contains(frees) else {
            return "\(frees) frees, \(counts.freesDone) done, \(counts.freesBegun) begun"
        }
        return nil
    }

    /// The process that collects for a preloaded program: its command line names the recording.
    private func analyzer() throws -> pid_t {
        for _ in 0..<1000 {
            for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
                guard let pid = pid_t(name), pid != getpid() else { continue }
                let words = text(of: "/proc/\(pid)/cmdline").split(separator: "\0")
                if words.contains("listen"), words.contains(Substring(recording)) { return pid }
            }
            usleep(5000)
        }
        throw ConformanceError("no analyzer was started: \(steady.complaints)")
    }

    func killAnalyzer(_ number: Int, _ numbers: inout SeededNumbers) throws -> String? {
        let threads = Int.random(in: 1...6, using: &numbers)
        let operations = Int.random(in: 20_000...200_000, using: &numbers)
        let microseconds = UInt32.random(in: 0...UInt32(within * 1000), using: &numbers)
        let native = try steady.start(behind: [], threads: threads, operations: operations, seed: UInt64(number))
            .wait(seconds: 60)
        let expected = steady.printed
        guard native.status == 7 else { throw ConformanceError("steady ended with \(native.status ?? -1) natively") }
        removeRecording()
        if number % 2 == 0 {
            let started = try steady.start(
                behind: [],
                environment: ["LD_PRELOAD": library, "SILT_BIN": silt, "SILT_OUT": recording],
                threads: threads,
                operations: operations,
                seed: UInt64(number)
            )
            kill(try analyzer(), SIGKILL)
            let outcome = started.wait(seconds: 60)
            guard outcome.status == 7 else {
                return "the program ended with \(outcome.status.map(String.init) ?? "nothing")"
            }
        } else {
            let started = try start(threads: threads, operations: operations, seed: UInt64(number))
            let pid = try steady.waitUntilReady().pid
            usleep(microseconds)
            kill(started.pid, SIGKILL)
            _ = started.wait(seconds: 10)
            for _ in 0..<6000 where residentBytes(pid) ?? 0 > 0 { usleep(10_000) }
            if residentBytes(pid) ?? 0 > 0 {
                kill(pid, SIGKILL)
                return "the program did not end within a minute"
            }
        }
        // Killed after the program's end, silt run may have printed its report first.
        guard steady.printed == expected else { return "printed \(steady.printed), natively \(expected)" }
        return nil
    }
}
