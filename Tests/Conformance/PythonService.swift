import Foundation
import SiltTestSupport

/// One row: a package as a service, under one of Python's allocators, with a leak of ours or without.
struct PythonService: Sendable {
    enum Allocator: String, CaseIterable, Sendable {
        /// Objects of up to 512 bytes are kept in arenas.
        case own = "unset"
        case malloc

        var environment: [String: String] { self == .own ? [:] : ["PYTHONMALLOC": rawValue] }
    }

    /// A leak that service.py adds: bytes that a list keeps, and bytes with a reference too many.
    enum Leak: String, CaseIterable, Sendable {
        case list, reference

        /// Asked for by a request: the content with its header of 33 bytes.
        var bytesPerRequest: Double { self == .list ? 1033 : 733 }
        /// Functions of CPython that make bytes have this in their names, and those that make what keeps them.
        var makes: String { "bytes" }
        var keeps: String? { self == .list ? "list" : nil }
    }

    var package: String
    var version: String
    var allocator: Allocator
    var leak: Leak?

    var name: String { package + (leak.map { "+\($0.rawValue)" } ?? "") }

    /// Of so many packages with a leak beside them.
    private static let leaking = ["jinja2", "msgpack", "lxml"]
    private static let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "python").path()

    /// All rows, packages in the order of requirements.txt.
    static var all: [PythonService] {
        get throws {
            let lines = text(of: sources + "/requirements.txt").split(separator: "\n").filter { !$0.hasPrefix("#") }
            let packages = try lines.map { line in
                let words = line.split(separator: "=", omittingEmptySubsequences: true)
                guard words.count == 2 else { throw ConformanceError("requirements.txt: not pinned: \(line)") }
                return (name: words[0].lowercased(), version: String(words[1]))
            }
            return packages.flatMap { package in
                let leaks: [Leak?] = [nil] + (leaking.contains(package.name) ? Leak.allCases : [])
                return leaks.flatMap { leak in
                    Allocator.allCases.map {
                        PythonService(package: package.name, version: package.version, allocator: $0, leak: leak)
                    }
                }
            }
        }
    }

    /// Makes a virtual environment with those packages; returns its Python.
    static func install(_ packages: Set<String>, into folder: String) throws -> String {
        guard let python = find("python3") else {
            throw ConformanceError("python3 is missing: apt-get install python3 python3-venv")
        }
        let own = folder + "/python/bin/python"
        let pins = Set(try all.filter { packages.contains($0.package) }.map { "\($0.package)==\($0.version)" })
        for command in [
            [python, "-m", "venv", folder + "/python"],
            [own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"] + pins.sorted(),
        ] {
            let made = try StartedCommand(command, environment: ProcessInfo.processInfo.environment).wait(seconds: 600)
            guard made.status == 0 else { throw ConformanceError("failed: \(command.joined(separator: " "))") }
        }
        return own
    }

    func row(_ hunts: Hunts, python: String, requests: Int) -> PythonRow {
        do {
            let port = try freePort()
            let script = "'\(python)' '\(Self.sources)/service.py' load \(port) \(requests)"
            let hunted = try hunts.hunt(
                "\(name)-\(allocator.rawValue)",
                service: [python, Self.sources + "/service.py", "serve", package, "\(port)"]
                    + (leak.map { [$0.rawValue] } ?? []),
                ready: "tcp:127.0.0.1:\(port)",
                phases: [("use", script)],
                environment: allocator.environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
            )
            return PythonRow(service: self, seconds: hunted.seconds, verdict: verdict(hunted))
        } catch {
            return PythonRow(service: self, seconds: 0, verdict: .failed("\(error)"))
        }
    }

    private func verdict(_ hunted: Hunted) -> PythonRow.Verdict {
        let wasLoaded = hunted.report?.phases?.contains { $0.name == "use" } ?? false
        guard let report = hunted.report, [0, 1, 3].contains(hunted.status), wasLoaded else {
            return .failed(hunted.complaints)
        }
        let headline = report.headline ?? report.verdict
        if headline.contains("ended early") { return .failed(headline) }
        var others = hunted.charged
        if let leak {
            guard let found = others.firstIndex(where: { leak.explains($0) }) else {
                return .missed(headline)
            }
            others.remove(at: found)
            others.removeAll(where: leak.isKeeper)
            guard others.isEmpty else { return .accused(others.map(charge)) }
            return .found(charge(hunted.charged[found]))
        }
        if !others.isEmpty || report.verdict == "growing" { return .accused(others.map(charge)) }
        if report.verdict != "inconclusive" { return .acquitted }
        return headline.contains("still filling?") ? .open(headline) : .failed(headline)
    }
}

extension PythonService.Leak {
    /// A rate may be off by this share.
    private static let tolerance = 0.1

    /// The charge is that of the list: a place of 8 bytes for each of what it keeps, and an eighth of room.
    fileprivate func isKeeper(_ site: TraceReport.Site) -> Bool {
        guard let keeps, let rate = site.rate, rate.unit == "bytes/request" else { return false }
        return site.blame.function.lowercased().contains(keeps) && rate.value <= 10
    }

    /// The charge is that of this leak: at its place, where functions have names, and at its rate.
    fileprivate func explains(_ site: TraceReport.Site) -> Bool {
        guard let rate = site.rate, rate.unit == "bytes/request" else { return false }
        let isThere = site.blame.function.isEmpty || site.blame.function.lowercased().contains(makes)
        return isThere && abs(rate.value - bytesPerRequest) <= Self.tolerance * bytesPerRequest
    }
}
