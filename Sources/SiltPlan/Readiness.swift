package import SiltPprof

/// How one sees that the service is ready for load.
package enum Readiness: Sendable, Equatable {
    /// Its allocations have died down after its start: what the hunt sees itself, as it traces them.
    case quiet
    /// A connection to that port succeeds; the host is a name or an address.
    case tcp(host: String, port: UInt16)
    /// A connection to that Unix socket succeeds.
    case unix(path: String)
    /// A GET is answered with a status below 500.
    case http(HTTPAddress)
    /// A line of its standard output or error matches that POSIX extended regular expression.
    case log(pattern: String)
    /// That much time has passed since its start.
    case time(seconds: Double)
}

extension Readiness {
    /// The endpoint answers.
    package init(_ endpoint: PprofAddress) {
        self =
            switch endpoint.place {
            case .internet(let host, let port):
                .http(HTTPAddress(host: host, port: UInt16(clamping: port), path: endpoint.path + "/"))
            case .unixSocket(let path): .unix(path: path)
            }
    }
}

/// An http URL, taken apart.
package struct HTTPAddress: Sendable, Equatable {
    /// A name or an address, IPv6 without its brackets.
    package var host: String
    package var port: UInt16 = 80
    /// With the query, beginning with a slash.
    package var path = "/"

    package init(host: String, port: UInt16 = 80, path: String = "/") {
        self.host = host
        self.port = port
        self.path = path
    }
}

extension Readiness: CustomStringConvertible {
    /// As one writes it on the command line.
    package var description: String {
        switch self {
        case .quiet: "quiet"
        case .tcp(let host, let port): "tcp:" + (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
        case .unix(let path): "unix:\(path)"
        case .http(let address): address.description
        case .log(let pattern): "log:\(pattern)"
        case .time(let seconds): "\(seconds.shortest)s"
        }
    }
}

extension HTTPAddress: CustomStringConvertible {
    package var description: String {
        "http://" + (host.contains(":") ? "[\(host)]" : host) + (port == 80 ? "" : ":\(port)") + path
    }
}
