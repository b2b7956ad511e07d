import SiltHunt
import SiltPlan
import SiltTestNumbers
import Testing

private let shortest = """
    phases:
      - name: orders
        script: hey -n 100 http://127.0.0.1:1/
    """

private func plan(_ yaml: String) throws -> HuntPlan { try HuntPlan(yaml: yaml, file: "plan.yml") }

/// The message of the error that reading gives.
private func problem(_ yaml: String) -> String {
    do {
        return "read: \(try plan(yaml))"
    } catch {
        return "\(error)"
    }
}

@Suite
struct PlanFileTests {
    @Test func aPlanOfPhasesAloneHasTheDefaults() throws {
        var expected = HuntPlan()
        expected.phases = [HuntPhase(name: "orders", script: "hey -n 100 http://127.0.0.1:1/")]
        #expect(try plan(shortest) == expected)
    }

    @Test func everyFieldIsRead() throws {
        let read = try plan(
            #"""
            command: ./server --name "a b" --path=C:\\d
            environment: {LOG: debug, EMPTY: }
            working_directory: /
            ready: {log: "listening on [0-9]+"}
            ready_timeout: 1.5m
            idle: 500ms
            final_idle: 0
            settle: 3
            rounds: 5
            max_rounds: 20
            confirm: 1m
            phases:
              - {name: users, script: "true", requests: 40, weight: 2.5, rounds: 9, timeout: 1h}
              - name: orders
                script: |
                  a
                  b
            limits:
              bytes_per_request: 0.5
              site_bytes_per_request: 1KiB
              descriptors_per_request: 0.25
              unjoined_threads_per_request: 2
              allow: [leak:foo, "leak:^bar*$"]
            pprof: http://[::1]:6060/debug/pprof
            memory_limit: 1.5GiB
            """#
        )
        var expected = HuntPlan()
        expected.command = ["./server", "--name", "a b", #"--path=C:\d"#]
        expected.environment = ["LOG": "debug", "EMPTY": ""]
        expected.workingDirectory = "/"
        expected.ready = .log(pattern: "listening on [0-9]+")
        expected.readyTimeoutSeconds = 90
        expected.idleSeconds = 0.5
        expected.finalIdleSeconds = 0
        expected.settleSeconds = 3
        expected.rounds = 5
        expected.maxRounds = 20
        expected.confirmSeconds = 60
        var users = HuntPhase(name: "users", script: "true")
        users.requestsPerRun = 40
        users.weight = 2.5
        users.rounds = 9
        users.timeoutSeconds = 3600
        expected.phases = [users, HuntPhase(name: "orders", script: "a\nb\n")]
        expected.limits.maxBytesPerRequest = 0.5
        expected.limits.maxSiteBytesPerRequest = 1024
        expected.limits.maxObjectsPerRequest = [.descriptor: 0.25, .unjoined: 2]
        expected.limits.allow = ["leak:foo", "leak:^bar*$"]
        expected.pprof = "http://[::1]:6060/debug/pprof"
        expected.memoryLimitBytes = 3 << 29
        #expect(read == expected)
    }

    @Test func theTemplateIsAPlan() throws {
        let template = try HuntPlan(yaml: HuntPlan.template, file: "plan.yml")
        #expect(template.command == ["./server", "--port", "8080"])
        #expect(template.ready == .http(HTTPAddress(host: "127.0.0.1", port: 8080)))
        #expect(template.phases.map(\.name) == ["users", "orders"])
        #expect(template.phases[1].requestsPerRun == 500)
        #expect(template.phases[1].script.hasPrefix("for i in $(seq 500); do\n    curl"))
    }

    /// What stands behind a `#` without a space, or with two of them, is meant to be used.
    @Test func theTemplateIsAPlanWithItsExamplesUncommented() throws {
        let lines = HuntPlan.template.split(separator: "\n", omittingEmptySubsequences: false).filter {
            !$0.hasPrefix("ready: ") && !$0.hasPrefix("#ready: ") || $0.hasPrefix("#ready: {log")
        }
        let whole = lines.map { line in
            let isExample = line.hasPrefix("#") && (!line.hasPrefix("# ") || line.hasPrefix("#  "))
            return isExample ? line.dropFirst() : line
        }
        let template = try plan(whole.joined(separator: "\n"))
        var expected = try plan(HuntPlan.template)
        expected.environment = ["LOG_LEVEL": "warn"]
        expected.workingDirectory = "."
        expected.ready = .log(pattern: "listening on")
        expected.limits.maxBytesPerRequest = 64
        expected.limits.maxSiteBytesPerRequest = 16
        expected.limits.maxObjectsPerRequest = [.descriptor: 0.1]
        expected.limits.allow = ["leak:known_leak"]
        expected.pprof = "http://127.0.0.1:6060/debug/pprof"
        expected.confirmSeconds = 60
        expected.memoryLimitBytes = 512 << 20
        #expect(template == expected)
    }

    @Test(arguments: [
        ("rounds: many", #"plan.yml:1: rounds: expected a whole number, found "many""#),
        ("rounds:", "plan.yml:1: rounds: expected a whole number, found nothing"),
        ("rounds: [3]", "plan.yml:1: rounds: expected a whole number, found a list"),
        ("rounds: 2", #"plan.yml:1: rounds: expected a whole number of at least 3, found "2""#),
        ("rounds: 9\nmax_rounds: 8", "plan.yml:2: max_rounds: it is 8, less than the 9 rounds that are planned"),
        ("idel: 3s", "plan.yml:1: idel: unknown field; did you mean idle?"),
        ("\nsettel: 3s", "plan.yml:2: settel: unknown field; did you mean settle?"),
        (
            "threads: 3",
            "plan.yml:1: threads: unknown field; there are command, environment, working_directory, ready, "
                + "ready_timeout, idle, final_idle, settle, rounds, max_rounds, confirm, phases, limits, pprof, memory_limit"
        ),
        ("idle: 1s\nidle: 2s", "plan.yml:2: idle: there twice, first in line 1"),
        ("idle: 10 parsecs", #"plan.yml:1: idle: expected a duration as 500ms, 10s or 2m, found "10 parsecs""#),
        ("idle: -1s", #"plan.yml:1: idle: expected a duration as 500ms, 10s or 2m, found "-1s""#),
        (
            "ready_timeout: 0",
            #"plan.yml:1: ready_timeout: expected a duration of more than 0 and at most a week, found "0""#
        ),
        (
            "memory_limit: 5 apples",
            #"plan.yml:1: memory_limit: expected a size as 512MiB, 64KiB or 100, found "5 apples""#
        ),
        ("memory_limit: 0", #"plan.yml:1: memory_limit: expected a size greater than 0, found "0""#),
        (
            "ready: soon",
            #"plan.yml:1: ready: expected quiet, tcp:HOST:PORT, unix:PATH, http://HOST:PORT/PATH, log:REGEX or a time as 5s, found "soon""#
        ),
        ("ready: {tcp: here}", #"plan.yml:1: ready: expected tcp:PORT or tcp:HOST:PORT, found "tcp:here""#),
        ("ready: tcp:h:99999", #"plan.yml:1: ready: expected HOST:PORT with a port from 1 to 65535, found "h:99999""#),
        (
            #"ready: {log: '(a*)\1'}"#,
            #"plan.yml:1: ready: (a*)\1 is no extended regular expression: back references are not supported"#
        ),
        ("ready: {log: '('}", "plan.yml:1: ready: ( is no extended regular expression: Unmatched ( or \\("),
        ("ready: {tcp: a:1, time: 5s}", "plan.yml:1: ready: expected one of tcp, unix, http, log, time"),
        ("ready: https://h/", "plan.yml:1: ready: https://h/: it is asked without TLS; use http://, or tcp:HOST:PORT"),
        (
            "pprof: ftp://h:6060",
            "plan.yml:1: pprof: ftp://h:6060 is no profile address: only http://, https:// and unix: are supported"
        ),
        (
            "command: a | b",
            "plan.yml:1: command: silt starts the command without a shell, which | needs: quote it, or write [sh, -c, \"exec …\"]"
        ),
        ("command: a 'b", "plan.yml:1: command: a quote is not closed"),
        ("command: []", "plan.yml:1: command: there is no word in it"),
        ("command:\n- a\n- {b: c}", "plan.yml:3: command[1]: expected a text, found a mapping"),
        ("environment: [A=b]", "plan.yml:1: environment: expected a mapping of names to values, found a list"),
        ("environment:\n  A: b\n  A: c", "plan.yml:3: environment.A: there twice"),
        ("working_directory: /nowhere", "plan.yml:1: working_directory: /nowhere is no folder"),
        (
            "limits:\n  bytes: 3",
            "plan.yml:2: limits.bytes: unknown field; there are bytes_per_request, site_bytes_per_request, "
                + "descriptors_per_request, threads_per_request, timers_per_request, goroutines_per_request, "
                + "unjoined_threads_per_request, semaphores_per_request, locales_per_request, zombies_per_request, "
                + "modules_per_request, allow"
        ),
        (
            "limits:\n  byte_per_request: 3",
            "plan.yml:2: limits.byte_per_request: unknown field; did you mean bytes_per_request?"
        ),
        ("limits:\n  allow:\n    - race:x", #"plan.yml:3: limits.allow[0]: expected leak:PATTERN, found "race:x""#),
        ("limits: {allow: /nowhere}", "plan.yml:1: limits.allow: /nowhere: No such file or directory"),
        ("idle: *gone", "plan.yml:1: found undefined alias"),
        ("idle: [", "plan.yml:3: did not find expected node content while parsing a flow node"),
        (
            "idle: 'a",
            "plan.yml:4: found unexpected end of stream while scanning a quoted scalar that begins in line 1"
        ),
        ("idle: a: b", "plan.yml:1: mapping values are not allowed in this context"),
        ("\tidle: 3", "plan.yml:1: found character that cannot start any token while scanning for the next token"),
        ("limits: &a\n  allow: [*a]", "plan.yml:2: nested too deep, or an alias that repeats too much"),
    ])
    func whatIsWrongInAPlanIsSaidWithItsLine(text: String, message: String) {
        #expect(problem(text + "\n" + shortest) == message)
    }

    @Test(arguments: [
        ("", "plan.yml: the plan is empty; silt hunt --init writes one to begin with"),
        ("# nothing", "plan.yml: the plan is empty; silt hunt --init writes one to begin with"),
        (
            "- 1",
            "plan.yml:1: expected a mapping with command, environment, working_directory, ready, ready_timeout, idle, final_idle, settle, rounds, max_rounds, confirm, phases, limits, pprof, memory_limit, found a list"
        ),
        ("idle: 3s", "plan.yml:1: phases is missing"),
        ("phases:", "plan.yml:1: phases: expected a list of phases, each with name and script, found nothing"),
        ("phases: []", "plan.yml:1: phases: expected a list of phases, each with name and script, found a list"),
        (
            "phases: [orders]",
            #"plan.yml:1: phases[0]: expected a mapping with name, script, requests, weight, rounds, timeout, found "orders""#
        ),
        ("phases:\n- name: a\n- script: b", "plan.yml:2: phases[0]: script is missing"),
        ("phases:\n- {name: a, script: b}\n- {script: b}", "plan.yml:3: phases[1]: name is missing"),
        (
            "phases:\n- {name: a, script: b}\n- {name: a, script: c}",
            #"plan.yml:3: phases[1].name: "a" is the name of phases[0] already"#
        ),
        (
            "phases:\n- {name: idle, script: b}",
            #"plan.yml:2: phases[0].name: "idle" is the phase without load; choose another name"#
        ),
        ("phases:\n- {name: '', script: b}", #"plan.yml:2: phases[0].name: expected a text, found """#),
        ("phases:\n- {name: a, script: ' '}", "plan.yml:2: phases[0].script: it does nothing"),
        (
            "phases:\n- name: a\n  script: b\n  requests: many",
            #"plan.yml:4: phases[0].requests: expected a whole number, found "many""#
        ),
        (
            "phases:\n- name: a\n  script: b\n  requests: 0",
            #"plan.yml:4: phases[0].requests: expected a whole number of at least 1, found "0""#
        ),
        (
            "phases:\n- name: a\n  script: b\n  weight: -1",
            #"plan.yml:4: phases[0].weight: expected a number greater than 0, found "-1""#
        ),
        (
            "phases:\n- name: a\n  script: b\n  sript: b",
            "plan.yml:4: phases[0].sript: unknown field; did you mean script?"
        ),
        ("phases: [{name: a, script: b}]\n---\nphases: []", "plan.yml:2: a second document begins here; a plan is one"),
    ])
    func aPlanWithoutProperPhasesIsRefused(text: String, message: String) {
        #expect(problem(text) == message)
    }

    /// A megabyte of them; libyaml alone takes minutes for the first two.
    @Test(arguments: ["[", "{", "[a,", "{a: ", "- ", "? "])
    func aPlanNestedDeepIsRefusedAtOnce(part: String) {
        let text = "\n" + String(repeating: part, count: (1 << 20) / part.utf8.count)
        #expect(problem(text) == "plan.yml:2: lists and mappings are nested more than 32 deep")
    }

    @Test func listsMayStandInsideEachOtherAsDeepAsAnyPlanNeeds() {
        let text = String(repeating: "[", count: 31) + String(repeating: "]", count: 31)
        #expect(problem(text).hasPrefix("plan.yml:1: expected a mapping"))
    }

    @Test func anUnreadableFileIsNamed() {
        #expect(throws: HuntError.system(call: "/nowhere.yml", reason: "No such file or directory")) {
            try HuntPlan(path: "/nowhere.yml")
        }
    }

    /// Whatever a file holds, it is a plan or it is said what is wrong.
    @Test(arguments: 0..<40)
    func damagedPlansAreRefusedOrRead(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        func random(_ limit: Int) -> Int { .random(in: 0..<limit, using: &generator) }
        for _ in 0..<50 {
            var bytes = Array(HuntPlan.template.utf8)
            for _ in 0...random(4) {
                let start = random(bytes.count)
                let end = min(bytes.count, start + random(40))
                switch random(3) {
                case 0: bytes.removeSubrange(start..<end)
                case 1: bytes.insert(contentsOf: bytes[start..<end], at: random(bytes.count))
                default: bytes[start] = Array(":-[]{}#&*!|>'\"%@`\n\t 0a\u{0}".utf8)[random(22)]
                }
            }
            do {
                let read = try plan(String(decoding: bytes, as: UTF8.self))
                #expect(!read.phases.isEmpty && read.rounds >= 3 && read.maxRounds >= read.rounds)
            } catch {
                #expect("\(error)".hasPrefix("plan.yml:"), "seed \(seed): \(error)")
            }
        }
    }
}
