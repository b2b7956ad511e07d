/// Where a service serves its profiles: what users give as http://127.0.0.1:6060/debug/pprof, or shorter.
package struct PprofAddress: Hashable, Sendable {
    package enum Place: Hashable, Sendable {
        case internet(host: String, port: Int)
        case unixSocket(path: String)
    }

    package let place: Place
    /// Spoken to by TLS.
    package let isSecure: Bool
    /// Begins with a slash, does not end with one.
    package let path: String
    /// What follows the question mark, sent with each request.
    package let query: String

    /// Reads `http[s]://host[:port][/path][?query]`, `host:port` or `unix:/path/of/socket`.
    ///
    /// Without a path it is /debug/pprof; the name of a single profile at its end is left out.
    package init(_ text: String) throws(PprofAddressError) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !text.isEmpty else {
            throw PprofAddressError(text, "it is empty or has blanks or other than ASCII characters in it")
        }
        if let socket = text.after("unix:") {
            guard socket.hasPrefix("/"), socket.utf8.count < 108 else {
                throw PprofAddressError(text, "give an absolute path of at most 107 bytes, as unix:/run/service.sock")
            }
            (place, isSecure, path, query) = (.unixSocket(path: socket), false, "/debug/pprof", "")
            return
        }
        let secure = text.after("https://")
        isSecure = secure != nil
        let rest = secure ?? text.after("http://") ?? text
        guard !rest.contains("://") else {
            throw PprofAddressError(text, "only http://, https:// and unix: are supported")
        }
        let (beforeFragment, _) = rest.split(at: "#")
        let (beforeQuery, query) = beforeFragment.split(at: "?")
        let (authority, path) = beforeQuery.split(at: "/")
        place = try PprofAddress.place(authority, port: isSecure ? 443 : 80, in: text)
        self.path = PprofAddress.base(of: path)
        self.query = query
    }

    /// `port` is that of an authority without one.
    private static func place(_ authority: String, port: Int, in text: String) throws(PprofAddressError) -> Place {
        guard !authority.contains("@") else {
            throw PprofAddressError(text, "user names and passwords are not supported")
        }
        var (host, port) = (authority, port)
        let afterBracket = authority.lastIndex(of: "]") ?? authority.startIndex
        if let colon = authority[afterBracket...].lastIndex(of: ":") {
            guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0 else {
                throw PprofAddressError(text, "the port must be a number from 1 to 65535")
            }
            (host, port) = (String(authority[..<colon]), Int(number))
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { throw PprofAddressError(text, "give it as http://127.0.0.1:6060/debug/pprof") }
        return .internet(host: host, port: port)
    }

    /// `path` without its first slash → the path that profiles' names are appended to.
    private static func base(of path: String) -> String {
        var parts = path.split(separator: "/")
        if let last = parts.last, ["heap", "goroutine", "allocs"].contains(last) { parts.removeLast() }
        return parts.isEmpty ? "/debug/pprof" : "/" + parts.joined(separator: "/")
    }

    /// What the Host header says.
    package var host: String {
        switch place {
        case .internet(let host, let port): (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
        case .unixSocket: "localhost"
        }
    }

    private var scheme: String { isSecure ? "https://" : "http://" }

    /// The path as it was given; empty when none was.
    package var givenPath: String { path == "/debug/pprof" ? "" : path }

    /// The target of a request for one profile.
    package func target(_ kind: PprofKind) -> String {
        let queries = [query, kind.query].filter { !$0.isEmpty }
        return "\(path)/\(kind.name)" + (queries.isEmpty ? "" : "?" + queries.joined(separator: "&"))
    }

    /// The address of one profile, as messages show it.
    package func description(_ kind: PprofKind) -> String {
        switch place {
        case .internet: "\(scheme)\(host)\(target(kind))"
        case .unixSocket(let path): "unix:\(path) \(target(kind))"
        }
    }
}

extension PprofAddress: CustomStringConvertible {
    /// As one gives it on the command line.
    package var description: String {
        let target = path + (query.isEmpty ? "" : "?" + query)
        return switch place {
        case .internet: "\(scheme)\(host)\(target)"
        case .unixSocket(let socket): "unix:\(socket)"
        }
    }
}

/// What is no address of a service that serves profiles; its description is a sentence that says what to do.
package struct PprofAddressError: Error, Equatable, CustomStringConvertible {
    private let address: String
    private let reason: String

    fileprivate init(_ address: String, _ reason: String) {
        self.address = address
        self.reason = reason
    }

    package var description: String { "\(address) is no profile address: \(reason)" }
}

/// The profiles that endpoints serve.
package enum PprofKind: Hashable, Sendable {
    /// Memory in use, right after a garbage collection: what is only waiting for one is not a leak.
    case heap
    case goroutine
    /// Go's heap profile as text, which has every frame's address.
    case heapAsText
    /// Go's table of functions, by code address.
    case symbol
    /// Any other, by the last part of its path: allocs, or a counting profile of the service's own.
    case named(String)

    var name: String {
        switch self {
        case .heap: "heap"
        case .heapAsText: "heap"
        case .goroutine: "goroutine"
        case .symbol: "symbol"
        case .named(let name): name
        }
    }

    var query: String {
        switch self {
        case .heap: "gc=1"
        case .heapAsText: "debug=1"
        case .goroutine, .symbol, .named: ""
        }
    }
}

extension String {
    /// What follows the prefix; nil: it does not begin so.
    fileprivate func after(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }

    /// What is before and after the first such character; without it all is before.
    fileprivate func split(at separator: Character) -> (String, String) {
        guard let position = firstIndex(of: separator) else { return (self, "") }
        return (String(self[..<position]), String(self[index(after: position)...]))
    }
}
