import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Profiles of another writer than Go's: mprofile's samples of a Python service, written by pypprof.
    @Suite(.serialized)
    struct PythonHunts {
        @Test func aServiceOfAnotherLanguageIsHuntedByItsProfiles() throws {
            let port = try freePort()
            let url = "http://127.0.0.1:\(port)"
            let scripts = ["order", "clean"].map { route in
                // Another fragment each time, which curl does not send.
                (route, "curl -sS --fail -o /dev/null '\(url)/\(route)#[1-100]'; echo silt: requests=100")
            }
            let (result, report) = try hunt(
                ["--pprof", url, "--profiles-only", "--idle", "1s", "--settle", "100ms"] + phases(scripts),
                command: ["env"] + (try pythonEnvironment().map { "\($0)=\($1)" }) + [
                    "python3", packageRoot.appending(path: "Tests/Workloads/pyserver.py").path(), "\(port)",
                ]
            )
            #expect(result.status == 1, "\(result.errors)")
            let first = try #require(report.charged("order").first)
            #expect(first.blame.function == "new_order" && first.blame.file?.hasSuffix("/pyserver.py") == true)
            let (rate, confidence) = (try #require(first.rate), first.confidence)
            #expect(rate.unit == "bytes/request" && abs(rate.value - 1500) <= 150 && confidence != "low", "\(first)")
            #expect(!report.charged("clean").contains { $0.blame.function == "new_order" })
        }

        /// Datadog's writer is of Rust, has names of its own for what is in use, and compresses with zstd.
        @Test func aProfileOfARustWriterIsReadAsGoToolReadsIt() throws {
            let folder = try ScratchFolder()
            let script = packageRoot.appending(path: "Tests/Workloads/keeper.py").path()
            let packages = try pythonPackages()
            let run = try runProgram(
                ["python3", packages + "/bin/ddtrace-run", "python3", script],
                environment: [
                    "PYTHONPATH": packages, "DD_PROFILING_ENABLED": "1",
                    "DD_PROFILING_OUTPUT_PPROF": folder.file("profile"), "DD_PROFILING_UPLOAD_INTERVAL": "60",
                    "DD_TRACE_ENABLED": "0", "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "0",
                    "DD_REMOTE_CONFIGURATION_ENABLED": "0",
                ]
            )
            #expect(run.status == 0, "\(run.errors)")
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            let profile = folder.file(try #require(files.first { $0.hasSuffix(".pprof") }, "\(run.errors)"))
            let plain = folder.file("plain.pb")
            _ = try consume(["zstd", "-q", "-d", profile, "-o", plain])
            let theirs = try consume([
                "sh", "-c", "go tool pprof -top -symbolize=none -sample_index=heap-space \"$1\" 2>/dev/null", "sh",
                plain,
            ])
            for file in [profile, plain] {
                let run = try runProgram([siltExecutable, "report", file, "--top"])
                #expect(run.status == 0)
                #expect(run.errors.contains("checksum") == (file == plain), "\(run.errors)")
                #expect(table(in: run.output) == table(in: theirs))
                #expect(run.output.contains("keep_order"))
            }
            var damaged = try Data(contentsOf: URL(filePath: profile))
            try damaged.dropLast(50).write(to: URL(filePath: folder.file("short")))
            damaged[damaged.count / 2] ^= 0x55
            try damaged.write(to: URL(filePath: folder.file("damaged")))
            for (name, words) in [("short", "breaks off"), ("damaged", "the profile ")] {
                let result = try runProgram([siltExecutable, "report", folder.file(name)])
                #expect(result.status == 3 && result.errors.contains(words), "\(result.errors)")
            }
        }
    }
}
