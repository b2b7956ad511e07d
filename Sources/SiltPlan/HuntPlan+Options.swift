internal import SiltText

/// Why a word of the command line or of a plan cannot be read.
package struct WordError: Error, Equatable, CustomStringConvertible {
    package var problem: String

    init(_ problem: String) { self.problem = problem }

    package var description: String { problem }
}

extension HuntPlan {
    /// A plan of the phases that are given as `--phase NAME='SHELL SCRIPT'`; the first `=` ends the name.
    package init(phases: [String], command: [String] = []) throws(HuntError) {
        self.init()
        self.command = command
        for text in phases {
            let phase = try HuntPlan.phase(text)
            guard !self.phases.contains(where: { $0.name == phase.name }) else {
                throw .option(name: "--phase", problem: "there are two phases with the name \"\(phase.name)\"")
            }
            self.phases.append(phase)
        }
        guard !self.phases.isEmpty else {
            throw .option(name: "--phase", problem: "name at least one: --phase orders='hey -n 2000 http://…'")
        }
    }

    private static func phase(_ text: String) throws(HuntError) -> HuntPhase {
        guard let equals = text.firstIndex(of: "=") else {
            throw .option(name: "--phase", problem: "expected NAME='SHELL SCRIPT', found \"\(text)\"")
        }
        let name = String(text[..<equals])
        let script = String(text[text.index(after: equals)...])
        if let problem = HuntPhase.problem(inName: name) {
            throw .option(name: "--phase", problem: "\(problem), in \"\(text)\"")
        }
        guard script.contains(where: { !$0.isWhitespace }) else {
            throw .option(name: "--phase", problem: "the script of \(name) is empty")
        }
        return HuntPhase(name: name, script: script)
    }
}

extension HuntPhase {
    /// What is wrong with a name; nil when it is fine.
    static func problem(inName name: String) -> String? {
        if name.isEmpty || name.allSatisfy(\.isWhitespace) { return "the name is empty" }
        if name == "idle" { return "\"idle\" is the phase without load; choose another name" }
        if name.count > 60 { return "the name has \(name.count) characters, 60 are the most" }
        let isPrintable = name.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f..<0xa0).contains($0.value) }
        return isPrintable ? nil : "the name has a control character in it"
    }
}

extension Readiness {
    /// Reads `quiet`, `tcp:[HOST:]PORT` (without a host: this machine), `unix:PATH`, `http://HOST:PORT/PATH`, `log:REGEX`, `time:5s` or `5s`.
    package init(_ text: String) throws(WordError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let rest = parts.count == 2 ? String(parts[1]) : ""
        switch parts[0] {
        case "quiet" where parts.count == 1: self = .quiet
        case "tcp":
            let isPort = !rest.isEmpty && rest.utf8.allSatisfy { (0x30...0x39).contains($0) }
            let (host, port) = try HTTPAddress.hostAndPort(isPort ? "127.0.0.1:" + rest : rest)
            guard let port else { throw WordError("expected tcp:PORT or tcp:HOST:PORT, found \"\(text)\"") }
            self = .tcp(host: host, port: port)
        case "unix" where !rest.isEmpty: self = .unix(path: rest)
        case "http", "https": self = .http(try HTTPAddress(text))
        case "log" where !rest.isEmpty:
            do {
                _ = try ExtendedPattern(rest)
            } catch {
                throw WordError("\(HuntError.pattern(error.pattern, reason: error.reason))")
            }
            self = .log(pattern: rest)
        default:
            guard let seconds = Quantity.seconds(parts[0] == "time" ? rest : text), seconds <= 86400 else {
                throw WordError(
                    "expected quiet, tcp:HOST:PORT, unix:PATH, http://HOST:PORT/PATH, log:REGEX or a time as 5s, "
                        + "found \"\(text)\""
                )
            }
            self = .time(seconds: seconds)
        }
    }
}

extension HTTPAddress {
    /// Reads `http://HOST[:PORT][/PATH]`; an IPv6 address stands in brackets.
    package init(_ url: String) throws(WordError) {
        guard !url.hasPrefix("https://") else {
            throw WordError("\(url): it is asked without TLS; use http://, or tcp:HOST:PORT")
        }
        guard url.hasPrefix("http://") else { throw WordError("expected http://HOST:PORT/PATH, found \"\(url)\"") }
        let rest = url.dropFirst("http://".count)
        let authority = rest.prefix { !"/?#".contains($0) }
        let (host, port) = try HTTPAddress.hostAndPort(String(authority))
        let target = rest.dropFirst(authority.count).prefix { $0 != "#" }
        let path = target.hasPrefix("/") ? String(target) : "/" + target
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw WordError("\(url): a space or control character in the path")
        }
        self.init(host: host, port: port ?? 80, path: path)
    }

    fileprivate static func hostAndPort(_ text: String) throws(WordError) -> (host: String, port: UInt16?) {
        let host: Substring
        var rest: Substring
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
        } else {
            host = text.prefix { $0 != ":" }
            rest = text.dropFirst(host.count)
        }
        let isHost = !host.isEmpty && host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } && !host.contains("@")
        guard isHost else { throw WordError("expected HOST:PORT, found \"\(text)\"") }
        guard !rest.isEmpty else { return (String(host), nil) }
        guard rest.removeFirst() == ":", let port = Int(count: rest), (1...65535).contains(port) else {
            throw WordError("expected HOST:PORT with a port from 1 to 65535, found \"\(text)\"")
        }
        return (String(host), UInt16(port))
    }
}
