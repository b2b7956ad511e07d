internal import SiltReports

/// What is asked for.
enum Route: Equatable, Sendable {
    case page
    case pageData
    case output(ReportOutput)
    case events
    case metrics
    case index
    /// What `go tool pprof` asks by POST for addresses without a name: there are none that this server could name.
    case symbols
    /// `isAllocated`: shown by what was allocated. `isText`: for people. `seconds`: what came in that time.
    case profile(isAllocated: Bool, isText: Bool, seconds: Int?)
    case nothing
    /// A number in the query is malformed or too large.
    case badQuery(String)

    /// The longest time a profile may be waited for.
    static let maximumSeconds = 300

    init(_ target: String) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var query: [Substring: Substring] = [:]
        for pair in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[sides[0]] = sides.count > 1 ? sides[1] : ""
        }
        switch parts.first ?? "" {
        case "/", "/index.html": self = .page
        case "/api/page": self = .pageData
        case "/api/events": self = .events
        case "/api/report": self = Route("/api/json")
        case "/metrics": self = .metrics
        case "/debug/pprof", "/debug/pprof/": self = .index
        case "/debug/pprof/symbol": self = .symbols
        case "/debug/pprof/heap": self = Self.profile(isAllocated: false, query)
        case "/debug/pprof/allocs": self = Self.profile(isAllocated: true, query)
        case let path:
            let name = path.hasPrefix("/api/") ? String(path.dropFirst("/api/".count)) : ""
            self = ReportOutput.named(name).map(Route.output) ?? .nothing
        }
    }

    /// `gc` is accepted: what is in use is exact without one.
    private static func profile(isAllocated: Bool, _ query: [Substring: Substring]) -> Route {
        var seconds: Int?
        if let text = query["seconds"] {
            guard let number = Int(text), (1...maximumSeconds).contains(number) else {
                return .badQuery("seconds is a number from 1 to \(maximumSeconds)")
            }
            seconds = number
        }
        let debug = query["debug"] ?? "0"
        guard let level = Int(debug) else { return .badQuery("debug is a number") }
        return .profile(isAllocated: isAllocated, isText: level > 0, seconds: seconds)
    }
}
