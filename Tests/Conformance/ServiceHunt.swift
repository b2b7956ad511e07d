import Foundation
import SiltTestSupport

/// Hunts of one service: what `silt hunt` says of it, beside what is known of it.
struct ServiceHunt {
    /// What a hunt said.
    struct Row {
        var name: String
        var requests: Int
        var isFixed: Bool
        var verdict: String
        /// Bytes per request that are charged, and those that are kept.
        var charged: Double
        var planted: Double
        var isRSSInDoubt: Bool
        var rounds: Int
        var seconds: Double
        /// Why the row is wrong; empty when it is right.
        var faults: [String] = []

        var line: String {
            let ratio = isFixed ? "" : String(format: "%.3f", charged / planted)
            let cells = [
                name, "\(requests)", isFixed ? "fixed" : "planted", verdict, String(format: "%.2f", charged),
                isFixed ? "" : String(format: "%.1f", planted), ratio, isRSSInDoubt ? "in doubt" : "explained",
                "\(rounds)", String(format: "%.0f s", seconds), faults.isEmpty ? "right" : "WRONG",
            ]
            return ServiceHunt.line(cells) + faults.map { "\n    \($0)" }.joined()
        }
    }

    private static let titles = [
        "service", "requests", "program", "verdict", "B/request", "planted", "ratio", "RSS", "rounds", "time", "",
    ]
    private static let widths = [18, 8, 8, 14, 9, 8, 6, 9, 6, 6, 5]

    static let heading = line(titles)

    private static func line(_ cells: [String]) -> String {
        zip(cells, widths).map { $0.padding(toLength: max($1, $0.count), withPad: " ", startingAt: 0) }
            .joined(separator: " ")
    }

    /// A planted leak is charged with its bytes within this share.
    private static let tolerance = 0.1

    private let service: Service
    private let silt: String
    private let folder: String
    private let limit: Double
    private var built: String { folder + "/built" }
    private var work: String { folder + "/work" }

    /// Builds it, in a folder of its own.
    init(_ service: Service, silt: String, folder: String, limit: Double) throws {
        self.service = service
        self.silt = silt
        self.folder = folder + "/" + service.name.replacing(" ", with: "-")
        self.limit = limit
        try FileManager.default.createDirectory(atPath: built, withIntermediateDirectories: true)
        let outcome = try StartedCommand(
            ["/bin/bash", "-ec", "cd \"$built\"; " + service.build],
            environment: environment(["built": built]),
            output: built + "/log",
            errors: built + "/log"
        ).wait(seconds: 300)
        guard outcome.status == 0 else {
            throw ConformanceError("\(service.name) is not built: \(text(of: built + "/log"))")
        }
    }

    /// Hunts it once.
    func row(requests: Int, isFixed: Bool) throws -> Row {
        try? FileManager.default.removeItem(atPath: work)
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
        let environment = environment([
            "built": built, "work": work, "port": "\(try freePort())", "port2": "\(try freePort())",
            "requests": "\(requests)", "fixed": isFixed ? "fixed" : "",
        ])
        func bash(_ script: String) -> [String] { ["/bin/bash", "-ec", "cd \"$work\"; " + script] }
        func started(_ words: [String], _ name: String) throws -> StartedCommand {
            try StartedCommand(words, environment: environment, output: "\(work)/\(name)", errors: "\(work)/errors")
        }
        let beside = try service.beside.map { try started(bash($0), "beside") }
        defer {
            if let beside {
                kill(beside.pid, SIGTERM)
                _ = beside.wait(seconds: 10)
            }
        }
        let ready = service.ready.replacing("$port", with: environment["port"] ?? "").replacing("$work", with: work)
        let hunted = try Hunts(silt: silt, folder: work, limit: limit).hunt(
            "hunt",
            service: bash(service.start),
            ready: ready,
            phases: [("order", service.load)],
            environment: environment
        )
        guard hunted.status != nil, let report = hunted.report else {
            throw ConformanceError("\(service.name) was not hunted: \(hunted.complaints.suffix(2000))")
        }
        return Self.row(
            report,
            of: service,
            requests: requests,
            isFixed: isFixed,
            seconds: hunted.seconds
        )
    }

    /// What a report says of the service, and what of that is wrong.
    static func row(
        _ report: TraceReport,
        of service: Service,
        requests: Int,
        isFixed: Bool,
        seconds: Double = 0
    ) -> Row {
        let growing = report.sites.filter(\.isGrowing)
        // Descriptors and threads would be charged with other units.
        let charged = growing.filter { $0.rate?.unit == "bytes/request" }.reduce(0) { $0 + ($1.rate?.value ?? 0) }
        let planted = isFixed ? [] : service.planted
        let sum = planted.reduce(0, +)
        let headline = report.headline ?? ""
        var row = Row(
            name: service.name,
            requests: requests,
            isFixed: isFixed,
            verdict: report.verdict,
            charged: charged,
            planted: sum,
            isRSSInDoubt: headline.contains("outside malloc") && !headline.contains("still filling?"),
            rounds: report.phases?.first { $0.name == "order" }?.rounds ?? 0,
            seconds: seconds
        )
        row.faults = growing.filter { !isPlanted($0, planted, service.culprit) }.map { site in
            let rate = site.rate.map { String(format: "%.2f ", $0.value) + $0.unit } ?? "nothing"
            return "charged: \(rate) in \(site.phase ?? "") at \(site.blame.function): \(site.evidence ?? "")"
        }
        if report.verdict == "inconclusive" {
            row.verdict = headline.contains("still filling?") ? "still filling?" : report.verdict
            if row.verdict == report.verdict { row.faults.append(headline) }
        }
        if headline.contains("ended early") { row.faults.append(headline) }
        if row.isRSSInDoubt { row.faults.append("RSS: \(headline)") }
        if !isFixed, abs(charged - sum) > tolerance * sum {
            row.faults.append("the planted leak is not charged with its bytes")
        }
        return row
    }

    /// By its stack, or where that does not tell by what a request keeps.
    private static func isPlanted(_ site: TraceReport.Site, _ planted: [Double], _ culprit: String?) -> Bool {
        if let culprit { return !planted.isEmpty && site.stack.contains { $0.function == culprit } }
        let rate = site.rate?.value ?? 0
        return planted.contains { abs(rate - $0) <= tolerance * $0 }
    }

    private func environment(_ more: [String: String]) -> [String: String] {
        let workloads = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Workloads").path()
        // Recordings are named; nothing is kept below a user's home.
        return ["PATH": searchPath, "HOME": folder, "LC_ALL": "C.UTF-8", "workloads": workloads].merging(more) { $1 }
    }
}
