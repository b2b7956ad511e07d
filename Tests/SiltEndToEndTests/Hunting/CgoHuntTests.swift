import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Hunts of a Go service with C in it (Tests/Workloads/cgoserver): two heaps, traced and profiled in one hunt.
    @Suite(.serialized)
    struct CgoHunts {
        private static let routes = ["order", "lookup", "both", "clean"]
        /// Bytes a request that the marked lines ask for.
        private static let rates = ["order": 1536.0, "lookup": 1237]

        private let folder: ScratchFolder
        private let port: Int

        init() throws { (folder, port) = (try ScratchFolder(), try freePort()) }

        private var url: String { "http://127.0.0.1:\(port)" }

        /// Hunts all routes with 100 requests a round; every allocation of Go's is in its profiles.
        private func hunt(
            _ routes: [String] = routes,
            options: [String] = [],
            server: [String] = [],
            environment: [String: String] = [:]
        ) throws -> (result: ProgramResult, report: TraceReport) {
            let executable = try buildGoWorkload("cgoserver", into: folder, environment: environment)
            let scripts = routes.map { route in
                (route, "curl -sS --fail -o /dev/null '\(url)/\(route)?[1-100]'; echo silt: requests=100")
            }
            return try SiltTestSupport.hunt(
                ["--pprof", url, "--idle", "1s", "--settle", "100ms"] + options + phases(scripts),
                command: [executable, "-listen", "127.0.0.1:\(port)", "-rate", "1"] + server
            )
        }

        @Test func whatGoAndCKeepIsInOneReport() throws {
            let (result, report) = try hunt()
            #expect(result.status == 1, "\(result.errors)")
            #expect(report.verdict == "growing")
            for (route, culprits) in ["order": ["order"], "lookup": ["lookup"], "both": ["order", "lookup"]] {
                let charged = report.charged(route)
                for culprit in culprits {
                    let (file, line) = try leakingLine(of: "cgoserver", culprit)
                    let site = try #require(
                        charged.first { $0.blame.line == line && $0.blame.file?.hasSuffix("/" + file) == true },
                        "\(route) \(culprit)"
                    )
                    let (rate, truth) = (try #require(site.rate), try #require(Self.rates[culprit]))
                    #expect(rate.unit == "bytes/request" && abs(rate.value - truth) <= 0.1 * truth, "\(rate)")
                    #expect(site.kind == "heap" && site.confidence != "low", "\(route) \(culprit)")
                    #expect(charged.prefix(culprits.count).map(\.rank).contains(site.rank), "\(route) \(culprit)")
                }
            }
            for phase in try #require(report.phases) {
                #expect(phase.verdict == (["idle", "clean"].contains(phase.name) ? "not-growing" : "growing"))
            }
            #expect(report.trust.eventsSent > 1000 && report.trust.eventsSent == report.trust.eventsReceived)
            #expect(Set(report.processes.map(\.pid)).count == 1)
            #expect(result.output.split(separator: "\n").suffix(2).joined().contains("profiles of"), "\(result.output)")
            #expect(result.output.contains("\(url)/debug/pprof"), "\(result.output)")
            #expect(!result.errors.contains("cgo"), "\(result.errors)")
        }

        @Test func repairedBothHeapsAreAcquitted() throws {
            let (result, report) = try hunt(server: ["-fixed"])
            #expect(result.status == 0, "\(result.output)")
            #expect(report.verdict == "not-growing")
            #expect(report.trust.eventsSent > 1000)
        }

        @Test func profilesAloneArePulledWhereTheUserWantsNoTrace() throws {
            let (result, report) = try hunt(["order", "lookup"], options: ["--profiles-only"])
            #expect(result.status == 1, "\(result.errors)")
            #expect(report.charged("order").first?.blame.function == "main.newOrder")
            #expect(report.charged("lookup").isEmpty && report.trust.eventsSent == 0)
        }

        /// A program that cannot be preloaded is hunted by its profiles, and told why.
        @Test func aProgramThatCannotBeTracedIsHuntedByItsProfiles() throws {
            let (result, report) = try hunt(
                ["order", "clean"],
                environment: ["CGO_LDFLAGS": "-static", "GOFLAGS": "-buildvcs=false -tags=netgo,osusergo"]
            )
            #expect(result.status == 1, "\(result.errors)")
            #expect(report.charged("order").first?.blame.function == "main.newOrder")
            let note = "only profiles are pulled, malloc is not traced: a Go program without libc"
            #expect(result.errors.contains(note), "\(result.errors)")
        }

        @Test func aTraceThatIsOnAlreadyTakesNoProfiles() throws {
            let result = try runProgram([
                siltExecutable, "hunt", "--pprof", url, "--attach-socket", folder.file("s"), "--phase", "a=true",
            ])
            #expect(result.status == 2)
            #expect(result.errors.contains("cannot go together"), "\(result.errors)")
        }
    }
}
