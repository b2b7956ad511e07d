/// Where a server listens, and whom it answers.
package enum ServerAddress: Equatable, Sendable {
    /// A port of the loopback interface; 0: any that is free.
    case loopback(port: Int)
    /// A Unix socket; only its owner can connect.
    case unix(path: String)
    /// Another address, which needs a token.
    case network(host: String, port: Int)

    /// `6070`, `:0`, `localhost:6070`, `127.0.0.1:6070`, `unix:PATH`, `HOST:PORT`; nil for what is none of these.
    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard !path.isEmpty, path.utf8.count < 108 else { return nil }
            self = .unix(path: path)
            return
        }
        let colon = text.lastIndex(of: ":")
        let host = colon.map { text[..<$0] } ?? ""
        guard let port = Int(colon.map { text[text.index(after: $0)...] } ?? text[...]), (0...65_535).contains(port)
        else { return nil }
        switch host {
        case "", "localhost", "127.0.0.1": self = .loopback(port: port)
        default: self = .network(host: host.filter { $0 != "[" && $0 != "]" }, port: port)
        }
    }
}

/// Decides who gets an answer, before anything else is looked at.
struct Access: Sendable {
    /// Needed by every request when it is not nil.
    var token: String?
    /// Names by which the server may be called; nil: any.
    ///
    /// A browser can be led to loopback under another name, and then sends that (DNS rebinding).
    var hosts: Set<String>?

    enum Refusal: Equatable {
        case host
        case origin
        case token
    }

    init(_ address: ServerAddress, token: String?) {
        self.token = token
        switch address {
        case .loopback: hosts = ["localhost", "127.0.0.1", "[::1]"]
        case .unix, .network: hosts = nil
        }
    }

    func refusal(host: String?, origin: String?, authorization: String?) -> Refusal? {
        if let hosts, !hosts.contains(Self.name(host ?? "")) { return .host }
        if let hosts, let origin, origin != "null" || token == nil {
            let parts = origin.split(separator: "/", omittingEmptySubsequences: true)
            guard parts.count == 2, hosts.contains(Self.name(String(parts[1]))) else { return .origin }
        }
        guard let token else { return nil }
        return Self.areEqual(authorization ?? "", "Bearer " + token) ? nil : .token
    }

    /// Without the port.
    private static func name(_ host: String) -> String {
        guard let colon = host.lastIndex(of: ":"), host[host.index(after: colon)...].allSatisfy(\.isNumber) else {
            return host
        }
        return String(host[..<colon])
    }

    /// In a time that does not tell how much of it is right.
    static func areEqual(_ given: String, _ wanted: String) -> Bool {
        let (given, wanted) = (Array(given.utf8), Array(wanted.utf8))
        var difference = given.count ^ wanted.count
        for (index, byte) in wanted.enumerated() {
            difference |= Int(byte ^ (index < given.count ? given[index] : 0))
        }
        return difference == 0
    }
}
