import ArgumentParser
import Foundation
import SiltRecording
import SiltTestSupport

/// How a program is traced.
enum Way: String, CaseIterable, Codable {
    case run = "silt run"
    case preload
}

/// What a traced run of a program showed.
struct Traced: Codable {
    var differences: [String] = []
    var processes = 0
    var events: UInt64 = 0
    var received: UInt64 = 0
    var lost: UInt64 = 0
    /// Of the allocations: those whose stack is whole.
    var completePercent = 100.0
    /// CPU time of the program over that of its native runs.
    var cpuRatio = 0.0
    var seconds = 0.0

    var isGood: Bool { differences.isEmpty }
}

/// A row of the matrix.
struct Row: Codable {
    var name: String
    /// What is not installed; the program was not run then.
    var missing: [String] = []
    /// Native runs differ from each other in what they print.
    var isMasked = false
    var nativeSeconds = 0.0
    var nativeCPUSeconds = 0.0
    var traced: [String: Traced] = [:]

    var isGood: Bool { missing.isEmpty && traced.values.allSatisfy(\.isGood) }
}

/// Runs programs natively, under `silt run` and under plain preload.
struct Matrix {
    var silt: String
    var library: String
    /// Where programs run and recordings are made.
    var folder: String
    /// Longest time of one run.
    var limit = 240.0

    private var work: String { folder + "/work" }

    func row(_ program: Program) throws -> Row {
        var row = Row(name: program.name)
        row.missing = program.needs.filter { find($0) == nil }
        guard row.missing.isEmpty else { return row }
        let ports = ["port": "\(try freePort())", "port2": "\(try freePort())"]
        var natives = try (0..<2).map { _ in try outcome(of: program, ports) }
        for way in Way.allCases {
            let recording = "\(folder)/\(way == .run ? "run" : "preload").silt"
            for suffix in ["", "-wal", "-shm"] { unlink(recording + suffix) }
            let ran = try outcome(of: program, ports, way, recording)
            var differences = differences(of: ran, natives)
            // What a third to fifth native run prints otherwise is masked as well, before it is held against silt.
            for _ in 0..<3 where !differences.isEmpty && natives.count < 5 {
                natives.append(try outcome(of: program, ports))
                differences = self.differences(of: ran, natives)
            }
            var traced = Traced()
            traced.differences = differences
            traced.seconds = ran.elapsedSeconds
            let native = natives.prefix(2).map(\.cpuSeconds).reduce(0, +) / 2
            let cost = try read(recording, into: &traced)
            let used = way == .run ? Double(cost?.commandCPUNs ?? 0) / 1e9 : ran.cpuSeconds
            traced.cpuRatio = used / max(native, 0.001)
            row.traced[way.rawValue] = traced
        }
        row.isMasked = Masking(natives.map(\.output)).isNeeded || Masking(natives.map(\.errors)).isNeeded
        row.nativeSeconds = natives.prefix(2).map(\.elapsedSeconds).reduce(0, +) / 2
        row.nativeCPUSeconds = natives.prefix(2).map(\.cpuSeconds).reduce(0, +) / 2
        return row
    }

    private func differences(of traced: Outcome, _ natives: [Outcome]) -> [String] {
        var found: [String] = []
        if !natives.contains(where: { $0.status == traced.status }) {
            let status = traced.status.map { "status \($0)" } ?? "it did not end within \(Int(limit)) s"
            found.append("\(status), natively \(natives[0].status.map(String.init) ?? "none")")
        }
        if let text = Masking(natives.map(\.output)).difference(in: traced.output) { found.append("output: \(text)") }
        if let text = Masking(natives.map(\.errors)).difference(in: traced.errors) { found.append("errors: \(text)") }
        return found
    }

    /// One run in an empty folder.
    private func outcome(
        of program: Program,
        _ ports: [String: String],
        _ way: Way? = nil,
        _ recording: String = ""
    ) throws -> Outcome {
        // Not below its home, where silt keeps a library.
        let home = folder + "/home"
        for path in [work, home] {
            if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        let (script, output, errors, outer) = (
            folder + "/script", folder + "/output", folder + "/errors", folder + "/outer"
        )
        for file in [output, errors, outer] { unlink(file) }
        try ("exec > '\(output)' 2> '\(errors)'\ncd '\(work)'\n" + Program.prelude + program.script + "\n")
            .write(toFile: script, atomically: false, encoding: .utf8)
        let inherited = ProcessInfo.processInfo.environment
        var environment = [
            "PATH": searchPath, "HOME": home, "TMPDIR": work, "LC_ALL": "C.UTF-8", "TZ": "UTC", "USER": "someone",
        ].merging(ports) { $1 }
        // Where a toolchain that the user installed is, whose programs look for it below HOME.
        for (variable, place) in ["RUSTUP_HOME": ".rustup", "CARGO_HOME": ".cargo"] {
            environment[variable] = inherited[variable] ?? "\(inherited["HOME"] ?? "")/\(place)"
        }
        var words = ["/bin/bash", script]
        switch way {
        case nil: break
        case .run: words = [silt, "run", "--out", recording, "--"] + words
        case .preload: environment.merge(["LD_PRELOAD": library, "SILT_OUT": recording, "SILT_BIN": silt]) { $1 }
        }
        let command = try StartedCommand(
            words,
            environment: environment,
            output: outer,
            errors: way == .run ? folder + "/report" : outer
        )
        var outcome = command.wait(seconds: limit)
        outcome.output = text(of: output)
        // What comes before the script has redirected it is of the preloaded library.
        outcome.errors = text(of: outer) + text(of: errors)
        return outcome
    }

    /// Reads what was recorded, once the analyzer has closed it.
    private func read(_ path: String, into traced: inout Traced) throws -> RecordedCost? {
        let deadline = ContinuousClock.now + .seconds(60)
        var read: Recording?
        while read?.isClosed != true, ContinuousClock.now < deadline {
            read = try? Recording(path: path)
            if read?.isClosed != true { usleep(100_000) }
        }
        guard let read, read.isClosed else {
            traced.differences.append("the recording was not finished within a minute")
            return read?.cost
        }
        traced.processes = read.processes.count
        var (stacks, bad): (UInt64, UInt64) = (0, 0)
        for trust in read.trust {
            traced.events += trust.eventsSent
            traced.received += trust.eventsReceived
            traced.lost += trust.lost
            stacks += trust.allocations + trust.reallocations
            bad += trust.stacksTruncated + trust.stacksIncomplete + trust.stacksMissing
        }
        traced.completePercent = stacks == 0 ? 100 : 100 * (1 - Double(bad) / Double(stacks))
        if traced.lost > 0 { traced.differences.append("\(traced.lost) events lost") }
        if traced.events != traced.received {
            traced.differences.append("\(traced.events) events sent, \(traced.received) received")
        }
        return read.cost
    }
}
