import ArgumentParser
import Foundation
import SiltTestSupport
import Synchronization

/// What a hunt said of a service.
struct Hunted {
    var report: TraceReport?
    /// Exit status; nil: it did not end in time.
    var status: Int32?
    var seconds = 0.0
    /// What silt wrote to standard error.
    var complaints = ""

    /// The sites that it charges, in the report's order.
    var charged: [TraceReport.Site] { report?.sites.filter(\.isGrowing) ?? [] }
}

/// Hunts services with silt's defaults, several at a time.
struct Hunts: Sendable {
    var silt: String
    /// Recordings are made there.
    var folder: String
    /// The longest time of one hunt.
    var limit = 900.0

    /// Starts the service, hunts it by those phases and reads the report.
    ///
    /// `name`: of the recording, which stays in the folder; `ready`: as `silt hunt --ready` takes it.
    func hunt(
        _ name: String,
        service: [String],
        ready: String,
        phases: [(name: String, script: String)],
        options: [String] = [],
        environment: [String: String] = [:]
    ) throws -> Hunted {
        let recording = "\(folder)/\(name).silt"
        let errors = "\(folder)/\(name).errors"
        // Of an earlier run in this folder.
        if FileManager.default.fileExists(atPath: recording) { try FileManager.default.removeItem(atPath: recording) }
        let scripts = SiltTestSupport.phases(phases)
        let outcome = try StartedCommand(
            [silt, "hunt", "--out", recording, "--ready", ready] + scripts + options + ["--"] + service,
            environment: ["PATH": searchPath, "HOME": folder, "LC_ALL": "C.UTF-8"].merging(environment) { $1 },
            output: "\(folder)/\(name).text",
            errors: errors
        ).wait(seconds: limit)
        var hunted = Hunted(status: outcome.status, seconds: outcome.elapsedSeconds, complaints: text(of: errors))
        if FileManager.default.fileExists(atPath: recording) {
            hunted.report = try SiltTestSupport.report(of: recording, silt: silt)
        }
        return hunted
    }
}

/// The rows whose names stand in a list with commas; all without a list.
func chosen<Row>(_ only: String?, of all: [Row], _ what: String, called name: (Row) -> String) throws -> [Row] {
    guard let only else { return all }
    return try only.split(separator: ",").flatMap { wanted in
        let found = all.filter { name($0) == wanted }
        guard !found.isEmpty else {
            let names = Set(all.map(name)).sorted().joined(separator: ", ")
            throw ValidationError("no \(what) is called \(wanted): \(names)")
        }
        return found
    }
}

/// The phrase of a charge: where, how much, how sure.
func charge(_ site: TraceReport.Site) -> String {
    let place = [site.blame.file.map { URL(filePath: $0).lastPathComponent }, site.blame.line.map { "\($0)" }]
    let rate = site.rate.map { String(format: "%.1f %@", $0.value, $0.unit) } ?? "no rate"
    let line = place.compactMap(\.self).joined(separator: ":")
    return "\(site.blame.function) \(line) \(rate), \(site.kind), \(site.confidence ?? "-") (\(site.reason ?? "-"))"
}

/// Does the work of all, at most so many at a time and no more than there are cores; tells each result as it comes.
func inParallel<Work: Sendable, Result: Sendable>(
    _ all: [Work],
    atMost jobs: Int,
    _ body: @Sendable (Work) -> Result,
    told: @Sendable (Result) -> Void
) -> [Result] {
    let state = Mutex((next: 0, results: [Int: Result]()))
    DispatchQueue.concurrentPerform(iterations: jobs) { _ in
        while true {
            let index = state.withLock { state in
                state.next += 1
                return state.next - 1
            }
            guard index < all.count else { return }
            let result = body(all[index])
            state.withLock { state in
                state.results[index] = result
                told(result)
            }
        }
    }
    return state.withLock { state in all.indices.compactMap { state.results[$0] } }
}
