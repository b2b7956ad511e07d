import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Endpoints that hand on a real service's profiles for a while, then fail (Tests/Workloads/failing_profiles.py).
    @Suite(.serialized)
    struct FailingProfiles {
        /// Hunts a route that leaks and one that does not; the endpoint fails after `count` answers.
        private static func hunt(_ failure: String, after count: Int, options: [String]) throws -> ProgramResult {
            let (port, upstream) = (try freePort(), try freePort())
            let folder = try ScratchFolder()
            let executable = try buildGoWorkload("cgoserver", into: folder)
            let service = try StartedProgram([executable, "-listen", "127.0.0.1:\(upstream)", "-rate", "1"])
            defer { service.end() }
            try waitUntil("the service listens") { connects(port: upstream) }
            let scripts = ["order", "clean"].map { route in
                let url = "http://127.0.0.1:\(upstream)/\(route)?[1-100]"
                return (route, "curl -sS --fail -o /dev/null '\(url)'; echo silt: requests=100")
            }
            let script = packageRoot.appending(path: "Tests/Workloads/failing_profiles.py").path()
            return try runProgram(
                [siltExecutable, "hunt", "--pprof", "127.0.0.1:\(port)", "--idle", "1s", "--settle", "100ms"] + options
                    + phases(scripts) + ["--", "python3", script]
                    + ["\(port)", "127.0.0.1:\(upstream)", "\(count)", failure]
            )
        }

        /// What the endpoint does, and what is said of that.
        private static let failures = [
            ("dies", "the service ended during the hunt, with status 3"),
            ("refuses", "/debug/pprof/goroutine "),
            ("missing", "/debug/pprof/goroutine is not there (404)"),
            ("broken", "/debug/pprof/goroutine answers with status 500 (out of memory) instead of a profile"),
            ("page", "/debug/pprof/goroutine: this is no pprof profile: it is an HTML or XML page"),
            ("text", "/debug/pprof/goroutine: this is no pprof profile: it is a profile in text form; take it without"),
            ("processor", "/debug/pprof/goroutine: the profile does not say what is in use, only samples/count, cpu/"),
            ("damaged", "/debug/pprof/goroutine: the profile is damaged"),
            ("short", "/debug/pprof/goroutine: the profile breaks off after"),
            ("empty", "/debug/pprof/goroutine: this is no pprof profile: it is empty"),
            ("huge", "/debug/pprof/goroutine: the answer has more than 134217728 bytes"),
        ]

        /// In the middle of the second route: the first one's verdict is reported all the same.
        @Test func whatWasMeasuredUntilAFailureIsReported() throws {
            let results = try atOnce(Self.failures.map(\.0)) {
                try Self.hunt($0, after: 32, options: ["--profiles-only"])
            }
            for (result, (failure, message)) in zip(results, Self.failures) {
                #expect(result.status == 3, "\(failure): \(result.errors)")
                #expect(result.errors.contains(message), "\(failure): \(result.errors)")
                #expect(result.errors.contains("the hunt ended early"), "\(failure): \(result.errors)")
                #expect(result.output.hasPrefix("GROWING: "), "\(failure): \(result.output)")
                #expect(result.output.contains(#/ main\.go:\d+  main\.newOrder/#), "\(failure): \(result.output)")
                // The last two were added in doubt, and run the load twice.
                #expect(
                    result.output.contains("\n  order  growing, 9 rounds, 1,100 requests\n"),
                    "\(failure): \(result.output)"
                )
            }
        }

        /// The endpoint's own program is traced besides: its rounds and the profiles' stay in step.
        @Test func aTraceKeepsTheRoundsThatHaveBoth() throws {
            let folder = try ScratchFolder()
            let recording = folder.file("hunt.silt")
            let result = try Self.hunt("short", after: 31, options: ["--out", recording])
            #expect(result.status == 3, "\(result.errors)")
            #expect(result.errors.contains("/debug/pprof/heap?gc=1: the profile breaks off"), "\(result.errors)")
            let report = try report(of: recording)
            #expect(report.charged("order").contains { $0.blame.function == "main.newOrder" })
            #expect(report.phases?.map(\.rounds).reduce(0, +) == 5 + 9)
            #expect(report.trust.eventsSent > 10_000)
        }

        @Test func anEndpointThatNeverWorkedLeavesNothingToReport() throws {
            let result = try Self.hunt("missing", after: 0, options: ["--profiles-only"])
            #expect(result.status == 3 && result.output.isEmpty, "\(result.output)")
            #expect(result.errors.contains("/debug/pprof/heap?gc=1 is not there (404)"), "\(result.errors)")
        }
    }
}
