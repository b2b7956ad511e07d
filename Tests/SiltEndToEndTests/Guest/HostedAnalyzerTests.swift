import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// The analyzer that a preloaded program starts lives in the program's unit: it takes nothing that is the program's,
    /// and ends with it.
    @Suite(.serialized)
    struct HostedAnalyzer {
        private struct Host {
            let folder: ScratchFolder
            let library: String
            let recording: String
            var environment: [String: String]

            init() throws {
                folder = try ScratchFolder()
                library = folder.file("libsilt.so")
                recording = folder.file("run.silt")
                #expect(try runProgram([siltExecutable, "shim", library]).status == 0)
                environment = ["LD_PRELOAD": library, "SILT_OUT": recording, "SILT_BIN": siltExecutable]
            }

            /// Pids of analyzers that write the recording.
            func analyzers() throws -> [Int] {
                let found = try runProgram(["pgrep", "-f", "[l]isten.*\(recording)"])
                return found.output.split(separator: "\n").compactMap { Int($0) }
            }

            /// Seconds until no analyzer is left; nil when one is after `limit`.
            func secondsToEnd(limit: Double) throws -> Double? {
                let start = Date()
                while Date().timeIntervalSince(start) < limit {
                    if try analyzers().isEmpty { return Date().timeIntervalSince(start) }
                    usleep(100_000)
                }
                return nil
            }
        }

        @Test func theAnalyzerEndsSoonAfterAProgramThatNeverSaidHelloAndSaysWhy() throws {
            let host = try Host()
            let jemalloc = Operators.jemalloc
            let first = host.environment.merging(["LD_PRELOAD": "\(jemalloc):\(host.library)"]) { $1 }
            let result = try runProgram(["/bin/true"], environment: first)
            #expect(result.status == 0)
            #expect(result.errors == "")
            #expect(try #require(try host.secondsToEnd(limit: 20)) < 15)
            let text = try runProgram([siltExecutable, "report", host.recording]).output
            let flat = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(flat.contains("/true was not traced: its malloc is that of \(jemalloc)"), "\(text)")
        }

        @Test func theAnalyzerHasNothingOfWhatAServiceManagerGaveTheProgram() throws {
            let host = try Host()
            let given = [
                "NOTIFY_SOCKET": "/nonexistent/notify", "LISTEN_FDS": "1", "LISTEN_PID": "1", "LISTEN_FDNAMES": "web",
                "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1", "JOURNAL_STREAM": "8:1", "INVOCATION_ID": "0123",
                "SECRET_OF_THE_SERVICE": "yes",
            ]
            let script = """
                sleep 1; pid=$(pgrep -f '[l]isten.*\(host.recording)')
                tr '\\0' '\\n' < /proc/$pid/environ | cut -d= -f1
                echo score $(cat /proc/$pid/oom_score_adj) of $(cat /proc/self/oom_score_adj)
                """
            let result = try runProgram(
                ["sh", "-c", script],
                environment: host.environment.merging(given) { $1 }
            )
            #expect(result.errors == "")
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(lines.contains("PATH"), "\(result.output)")
            for name in given.keys { #expect(!lines.contains(name)) }
            let scores = try #require(lines.last { $0.hasPrefix("score ") }).split(separator: " ").compactMap {
                Int($0)
            }
            #expect(scores.count == 2 && scores[0] == min(1000, scores[1] + 500), "\(scores)")
            #expect(try host.secondsToEnd(limit: 20) != nil)
        }

        /// Nor one that waits for whatever there is.
        @Test func aProgramThatTakesInOrphansDoesNotSeeTheAnalyzer() throws {
            let host = try Host()
            let program = try buildWorkload("reaper", into: host.folder)
            let plain = try runProgram([program, program])
            #expect(plain.output == "takes in 1, waits for -1, errno 10\nan orphan 1, status 7, then -1\n")
            // The first image that has the library is one that takes them in.
            let variables = host.environment.map { "\($0.key)=\($0.value)" }
            let result = try runProgram([program, "env"] + variables + [program])
            #expect(result.output == plain.output)
            #expect(result.errors == "")
            #expect(try host.secondsToEnd(limit: 20) != nil)
            let sites = try report(of: host.recording).sites(named: "reaper_block")
            #expect(sites.map(\.allocObjects).reduce(0, +) == 1)
        }

        @Test func theRecordingStopsWhenTheAnalyzerReachesItsMemoryLimit() throws {
            let host = try Host()
            // More than 32 MiB of tables, at 16 bytes a block.
            let program = host.folder.file("many")
            let text = """
                #include <stdio.h>
                #include <stdlib.h>
                #include <unistd.h>
                int main(void) {
                    for (int i = 0; i < 3000000; i++) if (!malloc(16)) return 1;
                    sleep(3);
                    for (int i = 0; i < 100000; i++) free(malloc(33));
                    puts("done");
                    return 7;
                }
                """
            try text.write(toFile: host.folder.file("many.c"), atomically: false, encoding: .utf8)
            #expect(try runProgram(["gcc", "-O0", host.folder.file("many.c"), "-o", program]).status == 0)
            let small = host.environment.merging(["SILT_MEMORY_MIB": "32"]) { $1 }
            let result = try runProgram([program], environment: small)
            #expect(result.status == 7)
            #expect(result.output == "done\n")
            #expect(result.errors == "")
            #expect(try host.secondsToEnd(limit: 30) != nil)
            let report = try runProgram([siltExecutable, "report", host.recording]).output
            let flat = report.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(flat.contains("the analyzer reached its memory limit of 32 MiB"), "\(report)")
        }
    }
}
