import SiltHunt
import SiltPlan
import SiltText
import Testing

@Suite
struct PlanOptionTests {
    @Test func theFirstEqualsSignEndsTheNameOfAPhase() throws {
        let plan = try HuntPlan(phases: ["orders=hey -n 2000 http://h/?a=b", "all users=true"], command: ["./server"])
        #expect(plan.command == ["./server"])
        #expect(
            plan.phases == [
                HuntPhase(name: "orders", script: "hey -n 2000 http://h/?a=b"),
                HuntPhase(name: "all users", script: "true"),
            ]
        )
    }

    @Test(arguments: [
        ([], "--phase: name at least one: --phase orders='hey -n 2000 http://…'"),
        (["orders"], #"--phase: expected NAME='SHELL SCRIPT', found "orders""#),
        (["=true"], #"--phase: the name is empty, in "=true""#),
        ([" =true"], #"--phase: the name is empty, in " =true""#),
        (["a="], "--phase: the script of a is empty"),
        (["a= "], "--phase: the script of a is empty"),
        (["a=b", "a=c"], #"--phase: there are two phases with the name "a""#),
        (["idle=b"], #"--phase: "idle" is the phase without load; choose another name, in "idle=b""#),
        (["a\u{7}=b"], "--phase: the name has a control character in it, in \"a\u{7}=b\""),
    ])
    func whatIsWrongWithAPhaseIsSaid(phases: [String], message: String) {
        do {
            Issue.record("read: \(try HuntPlan(phases: phases))")
        } catch {
            #expect("\(error)" == message)
        }
    }

    @Test(arguments: [
        ("quiet", Readiness.quiet),
        ("tcp:localhost:80", .tcp(host: "localhost", port: 80)),
        ("tcp:[::1]:8080", .tcp(host: "::1", port: 8080)),
        ("unix:/run/a:b.sock", .unix(path: "/run/a:b.sock")),
        ("http://h", .http(HTTPAddress(host: "h"))),
        ("http://h:8080?a=b#c", .http(HTTPAddress(host: "h", port: 8080, path: "/?a=b"))),
        ("http://[::1]:9/health", .http(HTTPAddress(host: "::1", port: 9, path: "/health"))),
        ("log:^ready: yes$", .log(pattern: "^ready: yes$")),
        ("5s", .time(seconds: 5)),
        ("time:500ms", .time(seconds: 0.5)),
    ])
    func readinessIsReadFromItsShortForm(text: String, readiness: Readiness) throws {
        #expect(try Readiness(text) == readiness)
    }

    @Test(arguments: ["tcp:h:80", "tcp:[::1]:80", "unix:/s", "http://[::1]:9/health", "log:a b", "quiet", "2.5s"])
    func readinessIsWrittenAsItIsRead(text: String) throws {
        #expect(try Readiness(text).description == text)
    }

    @Test(arguments: [
        "", "quiet:", "tcp:", "tcp:h", "tcp::80", "tcp:h:0", "tcp:h:-1", "tcp:h:8 0", "unix:", "log:", "log:[",
        "http://",
        "http:h", "http://u@h/", "http://h:x/", "http://h/a b", "https://h/", "5 parsecs", "time:", "90000s",
    ])
    func otherWordsAreNoReadiness(text: String) {
        #expect(throws: WordError.self) { try Readiness(text) }
    }

    @Test(arguments: [
        ("500ms", 0.5), ("10s", 10), ("1.5m", 90), ("2min", 120), ("1h", 3600), ("7", 7), ("2 s", 2), ("0", 0),
    ])
    func durationsHaveAUnit(text: String, seconds: Double) {
        #expect(Quantity.seconds(text) == seconds)
    }

    @Test(arguments: [
        ("100", 100), ("100B", 100), ("64KiB", 65536), ("64 KiB", 65536), ("1.5GiB", 1_610_612_736), ("2MB", 2e6),
        ("3kB", 3000), ("1TiB", 1_099_511_627_776),
    ])
    func sizesHaveAUnit(text: String, bytes: Double) {
        #expect(Quantity.bytes(text) == bytes)
    }

    @Test(arguments: ["", "s", "-1s", "1,5s", "1.2.3", "0x10", "1e3", "nan", "inf", "٣s", "5MB", "5 m s"])
    func otherTextsAreNoDurations(text: String) {
        #expect(Quantity.seconds(text) == nil)
    }

    @Test(arguments: ["", "MiB", "5M", "5Mi", "5MIB", "5XB", "-5", "5 % ", "5s"])
    func otherTextsAreNoSizes(text: String) {
        #expect(Quantity.bytes(text) == nil)
    }
}
