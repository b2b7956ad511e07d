import Foundation
import SiltHunt
import SiltPlan
import SiltTestSupport
import Testing

private func waitUntilReady(_ readiness: Readiness, _ pid: pid_t, seconds: Double = 20) throws {
    try ReadinessProbe(readiness, pid: pid, timeoutSeconds: seconds).wait()
}

@Suite(.serialized)
struct ReadinessTests {
    @Test func aServiceIsReadyWhenItsPortAnswers() throws {
        let port = try freePort()
        let folder = try ScratchFolder()
        let tcp = Readiness.tcp(host: "localhost", port: UInt16(port))
        try tcp.checkThatNobodyAnswers()
        let server = try StartedProgram(
            ["sh", "-c", "sleep 0.3; exec python3 -m http.server --bind 127.0.0.1 --directory \(folder.path) \(port)"]
        )
        defer { server.end() }
        #expect(!connects(port: port))
        try waitUntilReady(tcp, server.pid)
        #expect(connects(port: port))
        try waitUntilReady(.http(HTTPAddress(host: "127.0.0.1", port: UInt16(port), path: "/missing")), server.pid)
        #expect(throws: HuntError.alreadyAnswered(tcp)) { try tcp.checkThatNobodyAnswers() }
    }

    @Test func aServiceIsReadyWhenItsUnixSocketAnswers() throws {
        let folder = try ScratchFolder()
        let socket = folder.file("redis.sock")
        try Readiness.unix(path: socket).checkThatNobodyAnswers()
        let server = try StartedProgram(["redis-server", "--port", "0", "--unixsocket", socket, "--save", ""])
        defer { server.end() }
        try waitUntilReady(.unix(path: socket), server.pid)
        #expect(try runProgram(["redis-cli", "-s", socket, "ping"]).output == "PONG\n")
    }

    /// The service answers 503 to the first two requests, and drops the third.
    @Test func statusesFrom500OnAreNoReadiness() throws {
        let folder = try ScratchFolder()
        let port = try freePort()
        let program = """
            import http.server
            seen = 0
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    global seen
                    seen += 1
                    open("\(folder.file("seen"))", "a").write(self.path + " " + self.headers["Host"] + "\\n")
                    if seen == 3: return
                    self.send_response(503 if seen < 3 else 404)
                    self.end_headers()
            http.server.HTTPServer(("127.0.0.1", \(port)), Handler).serve_forever()
            """
        let server = try StartedProgram(["python3", "-c", program])
        defer { server.end() }
        try waitUntilReady(.http(HTTPAddress(host: "127.0.0.1", port: UInt16(port), path: "/health?a=b")), server.pid)
        let seen = try String(contentsOfFile: folder.file("seen"), encoding: .utf8)
        #expect(seen == String(repeating: "/health?a=b 127.0.0.1:\(port)\n", count: 4))
    }

    @Test func whatWasWrongLastIsSaidWhenTheTimeIsOver() throws {
        let nginx = try Nginx()
        let sleeper = try StartedProgram(["sleep", "60"])
        defer { sleeper.end() }
        let bad = Readiness.http(HTTPAddress(host: "127.0.0.1", port: UInt16(nginx.port), path: "/bad"))
        #expect(throws: HuntError.notReady(bad, seconds: 0.5, lastProblem: "its answer has status 500")) {
            try waitUntilReady(bad, sleeper.pid, seconds: 0.5)
        }
        let closed = Readiness.tcp(host: "127.0.0.1", port: UInt16(try freePort()))
        #expect(throws: HuntError.notReady(closed, seconds: 0.5, lastProblem: "Connection refused")) {
            try waitUntilReady(closed, sleeper.pid, seconds: 0.5)
        }
        #expect(throws: HuntError.notReady(.quiet, seconds: 0.1, lastProblem: "it still allocates")) {
            try waitUntilReady(.quiet, sleeper.pid, seconds: 0.1)
        }
        let redis = try Redis()
        #expect(throws: HuntError.self) { try waitUntilReady(.http(HTTPAddress(host: "no host")), sleeper.pid) }
        try waitUntilReady(.unix(path: redis.socket), sleeper.pid)
    }

    @Test func whatIsNoHTTPIsNoReadiness() throws {
        let port = try freePort()
        let program = """
            import socket
            server = socket.create_server(("127.0.0.1", \(port)))
            while True:
                connection = server.accept()[0]
                connection.recv(1000)
                connection.send(b"-ERR unknown command\\r\\n")
                connection.close()
            """
        let server = try StartedProgram(["python3", "-c", program])
        defer { server.end() }
        let readiness = Readiness.http(HTTPAddress(host: "127.0.0.1", port: UInt16(port)))
        #expect(throws: HuntError.notReady(readiness, seconds: 2, lastProblem: "its answer is no HTTP")) {
            try waitUntilReady(readiness, server.pid, seconds: 2)
        }
    }

    /// A traced service waits for its events to be read: whoever reads them must not wait for its answer.
    @Test(arguments: [true, false])
    func aServiceThatDoesNotAnswerIsNotWaitedFor(isAccepting: Bool) throws {
        let port = try freePort()
        let folder = try ScratchFolder()
        // With a full queue of connections not even the next connection is answered (listen(2)).
        let program = """
            import socket, time
            server = socket.create_server(("127.0.0.1", \(port)), backlog=0)
            waiting = [socket.socket() for _ in range(\(isAccepting ? 0 : 8))]
            for client in waiting:
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", \(port)))
            print("listening", flush=True)
            time.sleep(60)
            """
        let server = try StartedProgram(["python3", "-c", program], output: folder.file("output"))
        defer { server.end() }
        try waitUntil("it listens") {
            try String(contentsOfFile: folder.file("output"), encoding: .utf8) == "listening\n"
        }
        let probe = try ReadinessProbe(
            .http(HTTPAddress(host: "127.0.0.1", port: UInt16(port))),
            pid: server.pid,
            timeoutSeconds: 20
        )
        for _ in 0..<20 {
            let start = ContinuousClock.now
            #expect(try !probe.advance())
            #expect(ContinuousClock.now - start < .seconds(1))
            usleep(10_000)
        }
    }

    @Test func theEndOfTheServiceEndsTheWait() throws {
        let readiness = Readiness.tcp(host: "127.0.0.1", port: UInt16(try freePort()))
        let failing = try StartedProgram(["sh", "-c", "sleep 0.1; exit 3"])
        #expect(throws: HuntError.endedBeforeReady(status: 3)) { try waitUntilReady(readiness, failing.pid) }
        // It was only looked at: whoever started the service takes its status.
        #expect(try failing.wait(seconds: 5) == 3)
        #expect(throws: HuntError.endedBeforeReady(status: nil)) { try waitUntilReady(readiness, failing.pid) }
        let killed = try StartedProgram(["sh", "-c", "kill -9 $$"])
        #expect(throws: HuntError.endedBeforeReady(status: 137)) { try waitUntilReady(.time(seconds: 30), killed.pid) }
        #expect(try killed.wait(seconds: 5) == 137)
    }

    @Test func timesAndQuietAndInterruptsAreObeyed() throws {
        let sleeper = try StartedProgram(["sleep", "60"])
        defer { sleeper.end() }
        let start = ContinuousClock.now
        try waitUntilReady(.time(seconds: 0.2), sleeper.pid)
        #expect(ContinuousClock.now - start >= .milliseconds(200))
        var asked = 0
        try ReadinessProbe(.quiet, pid: sleeper.pid, timeoutSeconds: 20).wait(isQuiet: {
            asked += 1
            return asked == 3
        })
        #expect(asked == 3)
        #expect(throws: HuntError.interrupted) {
            try ReadinessProbe(.quiet, pid: sleeper.pid, timeoutSeconds: 20).wait(isInterrupted: { true })
        }
    }
}
