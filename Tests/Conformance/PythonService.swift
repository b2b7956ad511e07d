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

    /// What of it is lost at each request.
    enum Leak: Hashable, Sendable {
        /// service.py adds them: bytes that a list keeps, and bytes with a reference too many.
        case list, reference
        /// That version of the package leaks by itself, in this function.
        case own(function: String)

        static let added = [list, reference]

        /// As service.py takes it.
        var name: String {
            switch self {
            case .list: "list"
            case .reference: "reference"
            case .own: "own"
            }
        }

        /// Asked for by a request: the content with its header of 33 bytes; nil: not known.
        var bytesPerRequest: Double? {
            switch self {
            case .list: 1033
            case .reference: 733
            case .own: nil
            }
        }

        /// What makes it has this in its name, as functions of CPython that make bytes have, and so have those that make what
        /// keeps them.
        var makes: String {
            if case .own(let function) = self { return function }
            return "bytes"
        }
        var keeps: String? { self == .list ? "list" : nil }

        var isOwn: Bool { !Leak.added.contains(self) }
    }

    var package: String
    var version: String
    var allocator: Allocator
    var leak: Leak?

    var name: String { package + (leak.map { "+\($0.name)" } ?? "") }
    private var pin: String { "\(package)==\(version)" }
    var leaksByItself: Bool { leak?.isOwn ?? false }

    /// Of so many packages with a leak beside them.
    private static let leaking = ["jinja2", "msgpack", "lxml"]
    private static let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "python").path()

    /// The lines of a list of packages: each with its version, and what follows.
    private static func packages(in file: String) throws -> [(name: String, version: String, rest: String)] {
        try text(of: "\(sources)/\(file)").split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let words = line.split { $0 == "=" || $0 == " " }.map(String.init)
            guard words.count >= 2, line.contains("==") else { throw ConformanceError("\(file): not pinned: \(line)") }
            return (words[0].lowercased(), words[1], words.dropFirst(2).joined(separator: " "))
        }
    }

    /// All rows: packages in the order of requirements.txt, then versions that leak in that of leaks.txt.
    static var all: [PythonService] {
        get throws { try pinned + leakingVersions }
    }

    /// What Python's own allocator hands out is not seen one by one.
    private static var leakingVersions: [PythonService] {
        get throws {
            try packages(in: "leaks.txt").map {
                PythonService(
                    package: $0.name,
                    version: $0.version,
                    allocator: .malloc,
                    leak: .own(function: $0.rest)
                )
            }
        }
    }

    private static var pinned: [PythonService] {
        get throws {
            try packages(in: "requirements.txt").flatMap { package in
                let leaks: [Leak?] = [nil] + (leaking.contains(package.name) ? Leak.added : [])
                return leaks.flatMap { leak in
                    Allocator.allCases.map {
                        PythonService(package: package.name, version: package.version, allocator: $0, leak: leak)
                    }
                }
            }
        }
    }

    /// Makes a virtual environment with the packages of those services; returns its Python.
    ///
    /// Versions that leak come into folders of their own.
    static func install(_ services: [PythonService], into folder: String) throws -> String {
        guard let python = find("python3") else {
            throw ConformanceError("python3 is missing: apt-get install python3 python3-venv")
        }
        let own = folder + "/python/bin/python"
        let install = [own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        let together = services.filter { !$0.leaksByItself }
        let pins = Set(together.map(\.pin)).sorted()
        let alone = services.filter(\.leaksByItself).map {
            install + ["--no-deps", "--target", "\(folder)/\($0.pin)", $0.pin]
        }
        for command in [[python, "-m", "venv", folder + "/python"]] + (pins.isEmpty ? [] : [install + pins]) + alone {
            let made = try StartedCommand(command, environment: ProcessInfo.processInfo.environment).wait(seconds: 600)
            guard made.status == 0 else { throw ConformanceError("failed: \(command.joined(separator: " "))") }
        }
        return own
    }

    private func environment(in folder: String) -> [String: String] {
        var all = allocator.environment
        all["PYTHONDONTWRITEBYTECODE"] = "1"
        if leaksByItself { all["PYTHONPATH"] = "\(folder)/\(pin)" }
        return all
    }

    func row(_ hunts: Hunts, python: String, requests: Int) -> PythonRow {
        do {
            let port = try freePort()
            let script = "'\(python)' '\(Self.sources)/service.py' load \(port) \(requests)"
            let hunted = try hunts.hunt(
                "\(name)-\(allocator.rawValue)",
                service: [python, Self.sources + "/service.py", "serve", package, "\(port)"]
                    + (leak.map { [$0.name] } ?? []),
                ready: "tcp:127.0.0.1:\(port)",
                phases: [("use", script)],
                environment: environment(in: hunts.folder)
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
            // A package may lose several things.
            others.removeAll { leak.isOwn || leak.isKeeper($0) }
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
        let functions = [site.blame.function, site.caller?.function ?? ""]
        guard let bytesPerRequest else { return functions.contains { $0.contains(makes) } }
        guard let rate = site.rate, rate.unit == "bytes/request" else { return false }
        let isThere = site.blame.function.isEmpty || site.blame.function.lowercased().contains(makes)
        return isThere && abs(rate.value - bytesPerRequest) <= Self.tolerance * bytesPerRequest
    }
}
