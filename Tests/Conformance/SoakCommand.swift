import ArgumentParser
import Foundation

struct SoakCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "Trace a program that keeps about the same, for long: neither it nor silt may grow.",
        discussion: """
            The program allocates and frees in some threads and starts short ones all the time. Resident sizes of the program
            and of silt are sampled; the median of the last quarter may be above that of the second quarter by --tolerance,
            and by 2 MiB.
            """
    )

    @OptionGroup var place: Place

    @Option(help: "How long.")
    var minutes = 20.0

    @Option(help: "Where the random numbers begin.")
    var seed: UInt64 = 1

    @Option(help: "Threads of the program.")
    var threads = 2

    @Option(help: "Growth that is allowed, in percent.")
    var tolerance = 5.0

    func validate() throws {
        guard minutes > 0, (1...64).contains(threads) else {
            throw ValidationError("a time above 0 and 1 to 64 threads")
        }
    }

    func run() throws {
        let grown = try place.with { silt, _, folder in
            let steady = try Steady(folder: folder)
            let started = try steady.start(
                behind: [silt, "run", "--out", folder + "/soak.silt", "--"],
                threads: threads,
                operations: 0,
                seed: seed,
                churn: true
            )
            let pid = try steady.waitUntilReady().pid
            var samples: [(target: Int, analyzer: Int)] = []
            let times = 40
            for sample in 1...times {
                usleep(UInt32(minutes * 60e6 / Double(times)))
                guard let target = residentBytes(pid), let analyzer = residentBytes(started.pid) else {
                    kill(started.pid, SIGTERM)
                    _ = started.wait(seconds: 60)
                    throw ConformanceError("it ended before its time: \(steady.complaints)")
                }
                samples.append((target, analyzer))
                if sample % 4 == 0 {
                    let words = "\(steady.counts.allocationsDone) allocations"
                    print(
                        "\(Int(minutes * 60) * sample / times) s: target \(mebibytes(target)), silt \(mebibytes(analyzer)), \(words)"
                    )
                    fflush(nil)
                }
            }
            kill(pid, SIGKILL)
            guard started.wait(seconds: 120).status == 137 else { throw ConformanceError("silt run did not end well") }
            let trust = try finishedRecording(folder + "/soak.silt").trust
            let lost = trust.map(\.lost).reduce(0, +)
            let same = trust.allSatisfy { $0.eventsSent == $0.eventsReceived }
            print(
                "\(trust.map(\.eventsSent).reduce(0, +)) events, \(lost) lost, sent = received: \(same ? "yes" : "no")"
            )
            return [grows(samples.map(\.target), "target"), grows(samples.map(\.analyzer), "silt"), lost > 0, !same]
        }
        if grown.contains(true) { throw ExitCode(1) }
    }

    private func mebibytes(_ bytes: Int) -> String { String(format: "%.1f MiB", Double(bytes) / 1_048_576) }

    private func grows(_ samples: [Int], _ name: String) -> Bool {
        func median(_ part: ArraySlice<Int>) -> Int { part.sorted()[part.count / 2] }
        let quarter = samples.count / 4
        let (before, after) = (median(samples[quarter..<2 * quarter]), median(samples[(3 * quarter)...]))
        let grows = Double(after) > Double(before) * (1 + tolerance / 100) + 2 * 1_048_576
        print(
            "\(name): \(mebibytes(before)) in the second quarter, \(mebibytes(after)) in the last\(grows ? ": GROWS" : "")"
        )
        return grows
    }
}
