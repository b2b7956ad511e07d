import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Hunts on services and load scripts that misbehave: what is said, what is kept, and that nothing goes on afterwards.
    @Suite(.serialized)
    struct HuntServices {
        /// `service.c` under a hunt, in a folder whose name finds all that was started from it.
        private struct Scene {
            let folder: ScratchFolder
            let program: String
            let socket: String
            /// A sleep that only this scene's scripts do.
            let sleep = "sleep 7\(getpid())"

            init() throws {
                folder = try ScratchFolder()
                program = try buildWorkload("service", into: folder)
                socket = folder.file("s")
            }

            func load(_ letter: String, _ count: Int = 100) -> String {
                "'\(program)' load '\(socket)' \(letter) \(count)"
            }

            func words(_ mode: String, _ scripts: [String], _ options: [String] = []) -> [String] {
                // A hunt of seconds never makes a verdict certain.
                [siltExecutable, "hunt", "--idle", "1s", "--ready", "unix:\(socket)", "--max-rounds", "7"]
                    + scripts.enumerated().flatMap { ["--phase", "route\($0.offset)=\($0.element)"] }
                    + options + ["--", program, "serve", socket, mode]
            }

            /// Command lines of processes that still run and name the folder, or sleep.
            func leftovers() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }.compactMap {
                    pid in
                    guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return nil }
                    let line = String(decoding: data, as: UTF8.self).replacing("\0", with: " ")
                    return line.contains(folder.path) || line.hasPrefix(sleep) ? line : nil
                }
            }
        }

        /// The first line of the report is that of the verdict.
        private func verdict(_ result: ProgramResult) -> Substring {
            result.output.split(separator: "\n", omittingEmptySubsequences: false).first ?? ""
        }

        @Test func aServiceThatGoesIntoTheBackgroundIsHuntedThereAndEnded() throws {
            let scene = try Scene()
            let result = try runProgram(scene.words("daemon", [scene.load("k"), scene.load("f")]), seconds: 60)
            #expect(result.status == 1, "\(result.errors)")
            #expect(verdict(result) == "GROWING: 1 call site leaks on route0, 1000 B per request", "\(result.output)")
            #expect(result.output.contains(#/ service\.c:\d+  keep_order/#))
            #expect(result.errors.contains(#/; 1 call site grows: \w+ → keep_order\n/#), "\(result.errors)")
            #expect(try scene.leftovers() == [])
        }

        @Test func aServiceThatIgnoresBeingAskedToEndIsKilled() throws {
            let scene = try Scene()
            let result = try runProgram(scene.words("stubborn", [scene.load("f")]), seconds: 60)
            #expect(result.status == 0, "\(result.errors)")
            #expect(try scene.leftovers() == [])
        }

        @Test func workersThatAreReplacedLeaveTheirRouteOpen() throws {
            let scene = try Scene()
            let result = try runProgram(scene.words("workers", [scene.load("k")]), seconds: 60)
            #expect(result.status == 3)
            #expect(verdict(result).hasPrefix("INCONCLUSIVE: "), "\(result.output)")
            #expect(verdict(result).contains("processes with"))
            #expect(result.output.contains("--max-requests 0"))
            #expect(try scene.leftovers() == [])
        }

        @Test func aServiceThatDiesBeforeItIsReadyIsNamedWithItsStatus() throws {
            let scene = try Scene()
            let result = try runProgram(scene.words("dies", [scene.load("f")]), seconds: 60)
            #expect(result.status == 3)
            #expect(result.errors.contains("cannot open the database"))
            #expect(result.errors.contains("the service ended before it was ready, with status 7"))
        }

        @Test func aServiceThatIsNeverReadyIsEndedAndSoIsTheHunt() throws {
            let scene = try Scene()
            let plan = scene.folder.file("plan.yml")
            try """
            command: ['\(scene.program)', serve, '\(scene.socket)', never]
            ready: 'unix:\(scene.socket)'
            ready_timeout: 2s
            phases:
              - name: users
                script: 'true'

            """.write(toFile: plan, atomically: false, encoding: .utf8)
            let result = try runProgram([siltExecutable, "hunt", plan], seconds: 60)
            #expect(result.status == 3)
            #expect(result.errors.contains("the service was not ready within 2 s (unix:\(scene.socket))"))
            #expect(result.errors.contains("ready_timeout gives it longer"))
            #expect(try scene.leftovers() == [])
        }

        @Test func whatWasMeasuredBeforeAServiceDiesIsReportedAndKept() throws {
            let scene = try Scene()
            let recording = scene.folder.file("kept.silt")
            let result = try runProgram(
                scene.words("well", [scene.load("k"), scene.load("a")], ["--out", recording]),
                seconds: 60
            )
            #expect(result.status == 3)
            #expect(verdict(result).hasPrefix("GROWING: 1 call site leaks on route0, 1000 B per request"))
            #expect(result.errors.contains("the service ended during the hunt, with status 134 (signal 6)"))
            #expect(result.errors.contains("the report is of what was measured until then"))
            let again = try runProgram([siltExecutable, "report", recording])
            #expect(again.status == 0 && again.output == result.output)
            #expect(result.output.contains("the hunt ended early"))
            #expect(try scene.leftovers() == [])
        }

        @Test func aRecordingOfAHuntThatEndedEarlyPassesNoCheck() throws {
            let scene = try Scene()
            let recording = scene.folder.file("kept.silt")
            let result = try runProgram(
                scene.words("well", [scene.load("f"), scene.load("a")], ["--out", recording]),
                seconds: 60
            )
            #expect(result.status == 3)
            let check = try runProgram([siltExecutable, "check", recording])
            #expect(check.status == 3 && check.output.contains("route1"), "\(check.output)")
            #expect(check.output.contains("the service ended during the hunt"), "\(check.output)")
        }

        @Test func ctrlCEndsTheHuntTheServiceAndTheLoad() throws {
            let scene = try Scene()
            let output = scene.folder.file("output")
            let hunt = try StartedProgram(
                scene.words("well", [scene.load("k") + "; \(scene.sleep) & \(scene.sleep)"]),
                output: output,
                errors: scene.folder.file("errors")
            )
            defer { hunt.end() }
            try waitUntil("the load runs") {
                try scene.leftovers().contains { $0.hasPrefix(scene.sleep) }
            }
            kill(-hunt.pid, SIGINT)
            #expect(try hunt.wait(seconds: 30) == 3)
            let errors = try String(contentsOfFile: scene.folder.file("errors"), encoding: .utf8)
            #expect(errors.contains("interrupted"), "\(errors)")
            #expect(try String(contentsOfFile: output, encoding: .utf8).contains("phases:"))
            #expect(try scene.leftovers() == [])
        }

        @Test func aLoadThatFailsEndsTheHuntWithItsOutput() throws {
            let scene = try Scene()
            let script = scene.load("f", 10) + "; echo no such route >&2; \(scene.sleep) & exit 4"
            let result = try runProgram(scene.words("well", [script]), seconds: 60)
            #expect(result.status == 3)
            #expect(result.errors.contains("the load of phase route0 failed in its warm-up, with status 4"))
            #expect(result.errors.contains("no such route"))
            #expect(try scene.leftovers() == [])
        }

        @Test func aLoadThatHangsIsEndedAfterItsTimeout() throws {
            let scene = try Scene()
            let plan = scene.folder.file("plan.yml")
            try """
            command: ['\(scene.program)', serve, '\(scene.socket)', well]
            ready: 'unix:\(scene.socket)'
            idle: 1s
            phases:
              - name: users
                script: 'echo waiting; \(scene.sleep)'
                timeout: 1s

            """.write(toFile: plan, atomically: false, encoding: .utf8)
            let result = try runProgram([siltExecutable, "hunt", plan], seconds: 60)
            #expect(result.status == 3)
            #expect(result.errors.contains("the load of phase users did not end within 1 s in its warm-up"))
            #expect(result.errors.contains("waiting"))
            #expect(try scene.leftovers() == [])
        }

        @Test func requestsThatNobodyCountsGiveRatesPerRound() throws {
            let scene = try Scene()
            let result = try runProgram(scene.words("well", [scene.load("k") + " > /dev/null"]), seconds: 60)
            #expect(result.status == 1)
            #expect(verdict(result) == "GROWING: 1 call site leaks on route0, 97.7 KiB per round")
            #expect(result.errors.contains("requests not counted (a line silt: requests=N counts)"))
        }

        @Test func aPhaseInWhichMoreThanOneInAHundredFailsSaysNothing() throws {
            let results = try atOnce(["requests=100 failed=1", "requests=100 failed=2"]) { line in
                let scene = try Scene()
                let script = scene.load("k") + " > /dev/null; echo silt: \(line)"
                return try runProgram(scene.words("well", [script]), seconds: 60)
            }
            #expect(results.map(\.status) == [1, 3], "\(results.map(\.output))")
            #expect(
                verdict(results[1])
                    == "INCONCLUSIVE: 2 % of the requests of route0 failed: with more than 1 % nothing can be said "
                    + "of the others"
            )
        }

        /// The limit that is looked ahead to, and what is left of it at that rate.
        @Test func theLimitIsReachedWhenWhatIsLeftIsUsedUp() throws {
            let scene = try Scene()
            let text = try runProgram(
                scene.words("well", [scene.load("k", 2000)], ["--memory-limit", "100MiB"]),
                seconds: 60
            )
            let words = verdict(text).components(separatedBy: "limit reached after about ")
            try #require(words.count == 2, "\(text.output)")
            let digits = String(words[1].prefix { $0 != " " }.filter { $0 != "," })
            let left = try #require(Int(digits))
            // 100 MiB less some 12 MiB that it has and what the rounds have left, at 1,000 bytes and the allocator's 16.
            #expect((75_000...92_000).contains(left), "\(left)")
        }

        private static let memoryGroups = "/sys/fs/cgroup/memory"

        /// Without `--memory-limit` it is that of the control group; where version 1 is mounted.
        @Test(
            .enabled(if: access(memoryGroups + "/memory.limit_in_bytes", W_OK) == 0, "no writable memory control group")
        )
        func theLimitOfTheControlGroupIsLookedAheadTo() throws {
            let scene = try Scene()
            let group = Self.memoryGroups + "/silt-test-\(getpid())"
            try FileManager.default.createDirectory(atPath: group, withIntermediateDirectories: false)
            defer { rmdir(group) }
            try "\(256 << 20)".write(toFile: group + "/memory.limit_in_bytes", atomically: false, encoding: .utf8)
            let script = "echo $$ > \(group)/cgroup.procs && exec \"$@\""
            let result = try runProgram(
                ["sh", "-c", script, "sh"] + scene.words("well", [scene.load("k", 2000)]),
                seconds: 60
            )
            #expect(result.status == 1, "\(result.errors)")
            let words = verdict(result).components(separatedBy: "; 256 MiB limit reached after about ")
            try #require(words.count == 2, "\(result.output)")
            let digits = String(words[1].prefix { $0 != " " }.filter { $0 != "," })
            let left = try #require(Int(digits))
            #expect((230_000...264_000).contains(left), "\(left)")
        }
    }
}
