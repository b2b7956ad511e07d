import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Profiles of another writer than Go's: mprofile's samples of a Python service, written by pypprof.
    @Suite(.serialized)
    struct PythonHunts {
        @Test func aServiceOfAnotherLanguageIsHuntedByItsProfiles() throws {
            let port = Int.random(in: 20_000...30_000)
            let url = "http://127.0.0.1:\(port)"
            let phases = ["order", "clean"].flatMap { route in
                // Another fragment each time, which curl does not send.
                ["--phase", "\(route)=curl -sS --fail -o /dev/null '\(url)/\(route)#[1-100]'; echo silt: requests=100"]
            }
            let (result, report) = try hunt(
                ["--pprof", url, "--profiles-only", "--idle", "2s", "--settle", "300ms"] + phases,
                command: [
                    "env", "PYTHONPATH=\(try pythonPackages())", "python3",
                    packageRoot.appending(path: "Tests/Workloads/pyserver.py").path(), "\(port)",
                ]
            )
            #expect(result.status == 1, "\(result.errors)")
            let first = try #require(report.charged("order").first)
            #expect(first.blame.function == "new_order" && first.blame.file?.hasSuffix("/pyserver.py") == true)
            let (rate, confidence) = (try #require(first.rate), first.confidence)
            #expect(rate.unit == "bytes/request" && abs(rate.value - 1500) <= 150 && confidence != "low", "\(first)")
            #expect(!report.charged("clean").contains { $0.blame.function == "new_order" })
        }
    }
}
