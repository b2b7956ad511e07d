import Foundation
import SiltPlan
import SiltTestSupport
import Testing

@testable import SiltHunt

private func run(_ script: String, environment: [String: String] = [:], timeout: Double = 60) throws -> LoadResult {
    try LoadScript(script: script, environment: environment, timeoutSeconds: timeout, phase: "orders", round: 3).run()
}

/// Whether a process runs that has the word among its arguments.
private func isRunning(_ word: String) throws -> Bool {
    let found = try runProgram(["pgrep", "-f", "--", word])
    return found.status == 0
}

@Suite(.serialized)
struct LoadScriptTests {
    /// In every form in which k6 tells of its requests: 50 that succeed and 2 that fail.
    @Test(arguments: [
        "", "--quiet", "--summary-mode=legacy", "--summary-mode=compact", "--summary-export=/dev/stdout",
        "--summary-export=/dev/stdout --quiet", "--out json=/dev/stdout",
    ])
    func k6IsCountedOnce(options: String) throws {
        let nginx = try Nginx()
        let k6 = try pythonPackages() + "/bin/k6"
        let script = packageRoot.appending(path: "Tests/Workloads/requests_k6.js").path()
        let result = try run(
            "'\(k6)' run \(options) '\(script)'",
            environment: ["URL": "http://127.0.0.1:\(nginx.port)", "K6_NO_USAGE_REPORT": "true"]
        )
        #expect(result.status == 0 && result.count == RequestCount(requests: 52, failed: 2), "\(result.output)")
    }

    @Test func realLoadToolsAreCounted() throws {
        let nginx = try Nginx()
        let http2 = try Nginx(http2: true)
        let redis = try Redis()
        let home = try ScratchFolder()
        let fixed: [(String, RequestCount)] = [
            ("ab -q -n 50 -c 2 \(nginx.url("ok"))", RequestCount(requests: 50)),
            ("ab -n 50 -c 2 \(nginx.url("bad"))", RequestCount(requests: 50, failed: 50)),
            ("ab -n 50 -c 2 \(nginx.url("pages"))", RequestCount(requests: 50)),
            ("hey -n 40 -c 4 \(nginx.url("ok"))", RequestCount(requests: 40)),
            ("hey -n 40 -c 4 \(nginx.url("bad"))", RequestCount(requests: 40, failed: 40)),
            ("hey -n 8 -c 2 http://127.0.0.1:1/", RequestCount(requests: 0, failed: 8)),
            ("h2load -n 30 -c 2 \(http2.url("ok"))", RequestCount(requests: 30)),
            ("h2load -n 30 -c 2 \(http2.url("bad"))", RequestCount(requests: 30, failed: 30)),
            ("siege -c 2 -r 10 \(nginx.url("ok"))", RequestCount(requests: 20)),
            ("siege -c 2 -r 10 \(nginx.url("bad"))", RequestCount(requests: 20, failed: 20)),
            ("redis-benchmark -s \(redis.socket) -n 1000 -t set,get", RequestCount(requests: 2000)),
            (
                "ab -n 50 \(nginx.url("ok")) && hey -n 40 -c 4 \(nginx.url("bad")) >&2",
                RequestCount(requests: 90, failed: 40)
            ),
            ("ab -n 50 \(nginx.url("ok")); echo silt: requests=51 failed=1", RequestCount(requests: 51, failed: 1)),
        ]
        for (script, count) in fixed {
            #expect(try run(script, environment: ["HOME": home.path]).count == count, "\(script)")
        }
        #expect(try run("redis-benchmark -s \(redis.socket) -n 1000 -t set -q").count == nil)
        // wrk runs for a time, so how many it makes is known from itself alone; the server's own count bounds it.
        for path in ["ok", "bad"] {
            let wrk = try run("wrk -d 1 -c 4 -t 1 \(nginx.url(path))")
            let count = try #require(wrk.count)
            #expect(count.requests > 100)
            #expect(count.failed == (path == "bad" ? count.requests : 0))
            #expect(wrk.output.contains("  \(count.requests) requests in 1."))
        }
    }

    @Test func theResultTellsOutputAndTimes() throws {
        let result = try run("echo one; echo two >&2; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 0.3")
        #expect(result.output == "one\ntwo\n")
        #expect(result.status == 0)
        #expect(result.count == nil)
        #expect(result.wallSeconds >= 0.3 && result.wallSeconds < 30)
        #expect(result.cpuSeconds > 0.01 && result.cpuSeconds < result.wallSeconds)
    }

    @Test func theScriptKnowsItsPhaseAndRound() throws {
        let result = try run(
            "env | grep -e ^SILT_ -e ^MINE= | sort; cat",
            environment: ["MINE": "a b", "SILT_ROUND": "9"]
        )
        #expect(result.output == "MINE=a b\nSILT_PHASE=orders\nSILT_ROUND=3\n")
    }

    @Test func theScriptIsNotTraced() {
        let traced = [
            "SILT_SOCKET": "/s", "SILT_OUT": "/o", "HOME": "/h",
            "LD_PRELOAD": "/home/x/.cache/silt/libsilt-1234.so:libjemalloc.so.2",
        ]
        #expect(LoadScript.untraced(traced) == ["HOME": "/h", "LD_PRELOAD": "libjemalloc.so.2"])
        #expect(LoadScript.untraced(["LD_PRELOAD": "/usr/local/lib/libsilt.so"]) == [:])
    }

    @Test func theScriptRunsInTheFolderOfThePlan() throws {
        var plan = try HuntPlan(phases: ["a=pwd; echo $X"])
        plan.workingDirectory = "/usr/lib"
        plan.environment = ["X": "x"]
        #expect(try LoadScript(plan.phases[0], of: plan, round: 0).run().output == "/usr/lib\nx\n")
        plan.workingDirectory = "/nowhere"
        #expect(throws: HuntError.system(call: "/bin/sh in /nowhere", reason: "No such file or directory")) {
            try LoadScript(plan.phases[0], of: plan, round: 0).run()
        }
    }

    @Test func aFailingScriptIsAnErrorWithItsOutput() {
        #expect(
            throws: HuntError.loadFailed(phase: "orders", round: 3, status: 7, output: "no server\n")
        ) { try run("echo no server; exit 7") }
        #expect(throws: HuntError.loadFailed(phase: "orders", round: 3, status: 137, output: "")) {
            try run("kill -9 $$")
        }
        let error = HuntError.loadFailed(phase: "orders", round: 3, status: 137, output: "no server\nend\n")
        #expect(
            "\(error)" == """
                the load of phase orders failed in round 3, with status 137 (signal 9): a script whose last command may \
                fail ends with `|| true`; it printed:
                  no server
                  end
                """
        )
    }

    @Test func aScriptThatTakesTooLongIsEndedWithAllThatItStarted() throws {
        let mark = "silt-load-\(UUID().uuidString)"
        let error = #expect(throws: HuntError.self) {
            try run("echo begun; sh -c 'trap \"\" TERM; sleep 61; :' \(mark) & sleep 61; echo over", timeout: 0.3)
        }
        #expect(error == .loadTimedOut(phase: "orders", round: 3, seconds: 0.3, output: "begun\n"))
        try waitUntil("its group is gone") { try !isRunning(mark) }
    }

    @Test func whatAScriptLeavesRunningEndsWithIt() throws {
        let mark = "silt-load-\(UUID().uuidString)"
        let result = try run("sh -c 'sleep 61; :' \(mark) & echo begun")
        #expect(result.output == "begun\n")
        #expect(result.wallSeconds < 30)
        try waitUntil("its group is gone") { try !isRunning(mark) }
    }

    @Test func anInterruptEndsTheGroup() throws {
        let mark = "silt-load-\(UUID().uuidString)"
        var asked = 0
        #expect(throws: HuntError.interrupted) {
            try LoadScript(script: "sh -c 'sleep 61; :' \(mark)", phase: "a", round: 1).run {
                asked += 1
                return asked > 4
            }
        }
        #expect(asked == 5)
        try waitUntil("its group is gone") { try !isRunning(mark) }
    }

    @Test func aStoppedGroupIsEndedToo() throws {
        #expect(throws: HuntError.loadTimedOut(phase: "orders", round: 3, seconds: 0.3, output: "")) {
            try run("kill -STOP $$", timeout: 0.3)
        }
    }

    @Test func aLoadThatIsDroppedIsEnded() throws {
        let mark = "silt-load-\(UUID().uuidString)"
        do {
            let load = try LoadScript(script: "sh -c 'echo begun; sleep 61; :' \(mark)", phase: "a", round: 1).start()
            try waitUntil("the script runs") { try isRunning(mark) }
            #expect(try load.advance() == nil)
        }
        try waitUntil("its group is gone") { try !isRunning(mark) }
    }

    @Test func aFailedStartLeavesNoProcessAndAKilledStarterNoneThatGoesOn() throws {
        let folder = try ScratchFolder()
        let system = packageRoot.appending(path: "Sources/CSiltSystem")
        let flags =
            ["-I", system.appending(path: "include").path()]
            + ["process.c", "signals.c", "files.c"].map { system.appending(path: $0).path() }
        let starter = try buildWorkload("starter", into: folder, flags: flags)
        let result = try runProgram([starter], seconds: 20)
        #expect(result.status == 137)
        let pid = result.output.trimmingCharacters(in: .newlines)
        try waitUntil("\(pid) has ended") {
            let state = try runProgram(["ps", "-o", "stat=", "-p", pid])
            return state.output.isEmpty || state.output.hasPrefix("Z")
        }
    }

    @Test func theMiddleOfALongOutputIsLeftOutButItsCountsAreNot() throws {
        let result = try run(
            """
            echo first; seq 100000; echo '  7 requests in 1.00s, 7MB read'; echo '  Non-2xx or 3xx responses: 2'
            seq 100000; echo last
            """
        )
        #expect(result.count == RequestCount(requests: 7, failed: 2))
        let numbers = (1...100_000).map { "\($0)\n" }.joined()
        let whole = Array(
            "first\n\(numbers)  7 requests in 1.00s, 7MB read\n  Non-2xx or 3xx responses: 2\n\(numbers)last\n".utf8
        )
        let left = "\n[\(whole.count - 2 * 65536) bytes left out]\n"
        #expect(Array(result.output.utf8) == whole.prefix(65536) + Array(left.utf8) + whole.suffix(65536))
    }
}
