import SiltReports
import Testing

@testable import SiltServer

@Suite struct ServerTests {
    @Test(arguments: [
        ("6070", ServerAddress.loopback(port: 6070)), (":0", .loopback(port: 0)), ("localhost:81", .loopback(port: 81)),
        ("127.0.0.1:6070", .loopback(port: 6070)), ("unix:/run/s", .unix(path: "/run/s")),
        ("0.0.0.0:80", .network(host: "0.0.0.0", port: 80)), ("[::1]:80", .network(host: "::1", port: 80)),
        ("", nil), ("x", nil), (":70000", nil), ("-1", nil), ("unix:", nil), ("host", nil),
    ])
    func addressesAreReadAsTheyAreWritten(text: String, address: ServerAddress?) {
        #expect(ServerAddress(text) == address)
    }

    @Test(arguments: [
        ("/", Route.page), ("/?x=1", .page), ("/metrics", .metrics),
        ("/api/page", .pageData),
        ("/api/events", .events), ("/debug/pprof/", .index), ("/metrics/", .nothing), ("", .nothing), ("//", .nothing),
        ("/debug/pprof/heap", .profile(isAllocated: false, isText: false, seconds: nil)),
        ("/debug/pprof/heap?gc=1&debug=1", .profile(isAllocated: false, isText: true, seconds: nil)),
        ("/debug/pprof/allocs?seconds=30&debug=0", .profile(isAllocated: true, isText: false, seconds: 30)),
        ("/debug/pprof/heap?seconds=301", .badQuery("seconds is a number from 1 to 300")),
        ("/debug/pprof/heap?seconds=", .badQuery("seconds is a number from 1 to 300")),
        ("/debug/pprof/heap?debug", .badQuery("debug is a number")),
    ])
    func targetsLeadToRoutes(target: String, route: Route) {
        #expect(Route(target) == route)
    }

    @Test(arguments: ReportOutput.all)
    func everyOutputOfAReportHasARoute(output: ReportOutput) {
        #expect(Route("/api/\(output.name)") == .output(output))
        #expect(Route("/api/\(output.name)x") == .nothing)
    }

    @Test func theReportIsItsJSON() {
        #expect(ReportOutput.named("json").map(Route.output) == Route("/api/report"))
    }

    @Test(
        arguments: [
            ("localhost:6070", nil, nil), ("127.0.0.1", nil, nil), ("[::1]:80", nil, nil), ("evil.example", nil, .host),
            ("localhost.evil.example:6070", nil, .host), (nil, nil, .host), ("", nil, .host),
            ("localhost:1", "http://localhost:1", nil), ("localhost:1", "http://evil.example", .origin),
            ("localhost:1", "null", .origin),
        ] as [(String?, String?, Access.Refusal?)]
    )
    func loopbackAnswersToItsOwnNamesAlone(host: String?, origin: String?, refusal: Access.Refusal?) {
        let access = Access(.loopback(port: 6070), token: nil)
        #expect(access.refusal(host: host, origin: origin, authorization: nil) == refusal)
    }

    @Test func aTokenMustBeTheWholeToken() {
        let access = Access(.network(host: "0.0.0.0", port: 1), token: "secret")
        for (given, refusal) in [
            ("Bearer secret", nil), ("Bearer secre", .token), ("Bearer secrets", .token), ("bearer secret", .token),
            ("", .token), (nil, .token),
        ] as [(String?, Access.Refusal?)] {
            #expect(access.refusal(host: "any.name", origin: nil, authorization: given) == refusal)
        }
        #expect(Access.areEqual("", "") && !Access.areEqual("a", "") && !Access.areEqual("", "a"))
    }
}
