import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Hunts of a real Go service (Tests/Workloads/goserver) by its profiles.
    @Suite(.serialized)
    struct GoHunts {
        private static let leaking = ["slice", "ticker", "context", "conn", "rows", "redis"]
        private static let innocent = ["clean", "cache", "pool"]

        /// Hunts all routes, 100 requests a round.
        private static func hunt(
            _ routes: [String],
            options: [String] = [],
            rate: Int = 1,
            requests: Int = 100
        ) throws -> (result: ProgramResult, report: TraceReport) {
            let scratch = try ScratchFolder()
            let executable = try buildGoWorkload("goserver", into: scratch)
            let (port, redisPort) = (try freePort(), try freePort())
            let redis = try StartedProgram(
                ["redis-server", "--port", "\(redisPort)", "--bind", "127.0.0.1", "--save", "", "--dir", scratch.path],
                output: scratch.file("redis.log")
            )
            defer { redis.end() }
            try waitUntil("redis listens") { connects(port: redisPort) }
            let scripts = routes.map { route in
                let url = "http://127.0.0.1:\(port)/\(route)?[1-\(requests)]"
                return (route, "curl -sS --fail -o /dev/null '\(url)'; echo silt: requests=\(requests)")
            }
            return try SiltTestSupport.hunt(
                ["--pprof", "http://127.0.0.1:\(port)/debug/pprof", "--idle", "1s", "--settle", "100ms"]
                    + phases(scripts),
                command: [
                    executable, "-listen", "127.0.0.1:\(port)", "-rate", "\(rate)", "-redis", "127.0.0.1:\(redisPort)",
                ] + options
            )
        }

        @Test func eachClassicIsFoundAtItsLineAndTheInnocentAreAcquitted() throws {
            let (result, report) = try Self.hunt(Self.leaking + Self.innocent)
            #expect(result.status == 1, "\(result.errors)")
            #expect(report.verdict == "growing")
            // What the marked line asks for per request; nil: what a connection takes is the library's affair.
            let rates: [String: Double?] = [
                "slice": 1536, "ticker": 640, "context": 896, "conn": nil, "rows": 3072, "redis": nil,
            ]
            for route in Self.leaking {
                let (file, line) = try leakingLine(of: "goserver", route)
                let first = try #require(report.charged(route).first { $0.kind == "heap" }, "\(route)")
                #expect(first.blame.file?.hasSuffix("/" + file) == true && first.blame.line == line, "\(first.blame)")
                if let truth = rates[route] ?? nil {
                    let rate = try #require(first.rate)
                    #expect(rate.unit == "bytes/request" && abs(rate.value - truth) <= 0.1 * truth, "\(route) \(rate)")
                }
            }
            // One poller each; a reader and a writer of the client, and the server's own.
            for (route, count) in ["ticker": 1, "conn": 3] {
                let goroutines = report.charged(route).filter { $0.kind == "goroutine" }
                #expect(goroutines.count == count)
                #expect(goroutines.allSatisfy { $0.rate?.unit == "objects/request" })
                #expect(goroutines.allSatisfy { abs(($0.rate?.value ?? 0) - 1) <= 0.1 })
            }
            for route in ["slice", "context", "rows"] {
                #expect(report.charged(route).allSatisfy { $0.kind == "heap" }, "\(route)")
            }
            for phase in try #require(report.phases) {
                let isLeaking = Self.leaking.contains(phase.name)
                #expect(phase.verdict == (isLeaking ? "growing" : "not-growing"), "\(phase.name)")
            }
        }

        @Test func theRepairedServiceIsAcquitted() throws {
            let (result, report) = try Self.hunt(Self.leaking + Self.innocent, options: ["-fixed"])
            #expect(result.status == 0, "\(result.output)")
            #expect(report.verdict == "not-growing")
            #expect(report.phases?.count == 10)
        }

        @Test func sampledProfilesGiveARateWithAnHonestRange() throws {
            let (_, report) = try Self.hunt(["slice", "clean"], rate: 65536, requests: 2000)
            let site = try #require(report.charged("slice").first)
            #expect(site.blame.function == "main.newOrder")
            let rate = try #require(site.rate)
            #expect(rate.low - 100 <= 1536 && 1536 <= rate.high + 100, "\(rate)")
            #expect(report.charged("clean").isEmpty)
        }

        /// At Go's own rate: a hundred bytes of each request would have left no sample.
        @Test func tooFewSamplesAcquitNobody() throws {
            let (result, report) = try Self.hunt(["clean"], options: ["-fixed"], rate: 524_288, requests: 50)
            #expect(result.status == 3, "\(result.errors)")
            #expect(report.phases?.first { $0.name == "clean" }?.verdict == "inconclusive")
            #expect(report.verdict == "inconclusive")
        }

        @Test func serviceWithoutProfilesIsNamedAsSuch() throws {
            let port = try freePort()
            let result = try runProgram([
                siltExecutable, "hunt", "--pprof", "http://127.0.0.1:\(port)/debug/pprof", "--phase", "a=true",
            ])
            #expect(result.status == 3)
            #expect(result.errors.contains("127.0.0.1:\(port)"), "\(result.errors)")
        }
    }
}
