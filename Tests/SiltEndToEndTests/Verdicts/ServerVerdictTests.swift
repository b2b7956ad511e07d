import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Verdicts on programs nobody wrote for silt: a Redis server with a module, interpreters with scripts.
    @Suite(.serialized)
    struct ServerVerdicts {
        private static let workloads = packageRoot.appending(path: "Tests/Workloads").path()

        /// Runs redis-server with the module under silt and a load beside it; what the module lost, bytes a second.
        private static func redis(
            _ argument: String,
            in folder: ScratchFolder
        ) throws -> (report: TraceReport, text: String, truth: Double) {
            let module = folder.file("shop.so")
            let built = try runProgram(
                ["gcc", "-O1", "-g", "-shared", "-fPIC", "-o", module, workloads + "/redis_leak_module.c"]
            )
            try #require(built.status == 0, "\(built.errors)")
            let recording = folder.file("run.silt")
            let socket = folder.file("redis.sock")
            let result = try runProgram([
                "bash", "-c",
                """
                '\(workloads)/redis_load.sh' '\(socket)' 10 &
                '\(siltExecutable)' run --out '\(recording)' --snapshot-every 400ms -- redis-server --port 0 \
                    --unixsocket '\(socket)' --save '' --dir '\(folder.path)' --loadmodule '\(module)' \(argument) \
                    > '\(folder.file("redis.log"))'
                status=$?
                wait
                exit $status
                """,
            ])
            try #require(result.status == 0, "\(result.errors)")
            let numbers = result.output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
            try #require(numbers.count == 2, "\(result.output)")
            let text = try runProgram([siltExecutable, "report", recording])
            return (try report(of: recording), text.output, 1000 * numbers[0] / numbers[1])
        }

        @Test func aRedisModuleThatLosesRecordsIsNamedAndRedisItselfIsAcquitted() throws {
            let run = try Self.redis("", in: ScratchFolder())
            #expect(run.report.verdict == "growing", "\(run.text)")
            let growing = run.report.sites.filter { $0.verdict.hasSuffix("growing") }
            #expect(growing.map(\.blame.function) == ["make_record"], "\(growing.map(\.evidence))")
            let site = try #require(growing.first)
            #expect(site.blame.file?.hasSuffix("redis_leak_module.c") == true)
            #expect(site.caller?.function == "place_order")
            #expect(site.confidence == "high")
            let rate = try #require(site.rate)
            #expect(abs(rate.value - run.truth) < 0.2 * run.truth, "\(rate.value) against \(run.truth)")
            let screen = run.text.split(separator: "\n").prefix(24).joined(separator: "\n")
            #expect(screen.hasPrefix("GROWING: 1 call site leaks"))
            // Where it would be mended, and through which function it allocates.
            let line = site.caller?.line ?? 0
            #expect(screen.contains("redis_leak_module.c:\(line)  place_order (through make_record)  certain  "))
            #expect(screen.contains(" → place_order → make_record redis_leak_module.c:\(site.blame.line ?? 0)\n"))
            #expect(screen.contains("only here: other callers of make_record do not grow"))
            // By the name it was started by, not that of the file that its link leads to.
            #expect(!run.text.contains("redis-check-rdb"))
            // Its data set and buffers: there, and acquitted.
            let acquitted = run.report.sites.filter { !$0.verdict.hasSuffix("growing") && $0.inuseSpace > 50_000 }
            #expect(acquitted.count >= 2)
            #expect(acquitted.allSatisfy { $0.evidence?.isEmpty == false })
        }

        @Test func redisWithTheMendedModuleIsAcquitted() throws {
            let run = try Self.redis("fixed", in: ScratchFolder())
            #expect(run.truth == 0)
            #expect(run.report.verdict == "not-growing", "\(run.text)")
        }

        private static func interpreter(
            _ program: [String]
        ) throws -> (report: TraceReport, growing: [TraceReport.Site]) {
            let (result, report) = try trace(
                program,
                options: ["--snapshot-every", "150ms"],
                environment: ["PYTHONMALLOC": "malloc"]
            )
            guard result.status == 0 else { throw TestSetupError(description: result.errors) }
            return (report, report.sites.filter(\.isGrowing))
        }

        /// Script and its leaking and mended run, of a language whose objects are single blocks.
        @Test(
            arguments: [
                ["/usr/bin/python3", "interpreter_leak.py"], ["/usr/bin/perl", "interpreter_leak.pl"],
            ]
        )
        func objectsThatAnInterpreterKeepsAreNamedAtFewSitesAndAcquittedWhenDropped(program: [String]) throws {
            let command = [program[0], Self.workloads + "/" + program[1], "8"]
            let runs = try atOnce([command, command + ["fixed"]]) { try Self.interpreter($0) }
            let (leaking, mended) = (runs[0], runs[1])
            #expect(leaking.report.verdict == "growing")
            #expect((4...30).contains(leaking.growing.count), "\(leaking.growing.count) sites")
            #expect(leaking.growing.count { $0.confidence == "high" } >= 4)
            #expect(leaking.growing.first?.confidence == "high")
            #expect(mended.report.verdict == "not-growing", "\(mended.growing.map(\.evidence))")
        }

        @Test func pythonsOwnAllocatorIsPointedOut() throws {
            let folder = try ScratchFolder()
            let recording = folder.file("run.silt")
            let result = try runProgram([
                siltExecutable, "run", "--out", recording, "--snapshot-every", "150ms", "--", "/usr/bin/python3",
                Self.workloads + "/interpreter_leak.py", "2",
            ])
            #expect(result.status == 0)
            #expect(try runProgram([siltExecutable, "report", recording]).output.contains("PYTHONMALLOC=malloc"))
        }
    }
}
