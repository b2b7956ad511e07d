import Foundation
import SiltPprof
import SiltTestSupport
import Testing

@testable import SiltHTTP

struct EndpointTests {
    @Test func profilesAreFetchedOverTCPAndUnixSockets() throws {
        let server = try GoServer()
        try server.request("slice", 20)
        // localhost is ::1 first on many machines, where this service does not listen.
        let local = server.address.replacing("127.0.0.1", with: "localhost")
        for address in ["http://\(server.address)", local, "unix:\(server.socket)"] {
            let inUse = try PprofEndpoint(PprofAddress(address)).fetch(.heap).inUse()
            #expect(inUse.total { $0.function == "main.newOrder" } == (20 * 1536, 20))
        }
    }

    /// What the Go service itself answers to wrong questions.
    @Test func aServiceWithoutProfilesThereIsToldWhatItNeeds() throws {
        let server = try GoServer()
        func error(_ address: String, _ kind: PprofKind = .heap) throws -> HTTPError? {
            let endpoint = PprofEndpoint(try PprofAddress("http://\(server.address)\(address)"))
            return #expect(throws: HTTPError.self) { try endpoint.fetch(kind) }
        }
        let base = "http://\(server.address)"
        #expect(
            try error("/elsewhere")
                == .refused("\(base)/elsewhere/heap?gc=1", status: 404, detail: "404 page not found")
        )
        #expect(try error("/elsewhere")?.description.contains("import _ \"net/http/pprof\"") == true)
        #expect(
            try error("/debug", .named("pprof"))
                == .refused("\(base)/debug/pprof", status: 301, detail: "/debug/pprof/")
        )
        #expect(
            try error("", .named(""))
                == .badProfile(
                    "\(base)/debug/pprof/",
                    .notAProfile("it is an HTML or XML page; the address ends in /debug/pprof")
                )
        )
        let text = try error("/debug/pprof?debug=1")?.description
        #expect(text?.contains("it is a profile in text form; take it without debug=1") == true)
    }

    @Test func nobodyListeningIsSaidAtOnce() throws {
        let endpoint = PprofEndpoint(try PprofAddress("http://127.0.0.1:1/debug/pprof"))
        #expect(
            throws: HTTPError.cannotConnect(
                "http://127.0.0.1:1/debug/pprof/heap?gc=1",
                reason: "Connection refused"
            )
        ) { try endpoint.fetch(.heap) }
        let socket = PprofEndpoint(try PprofAddress("unix:/nowhere/shop.sock"))
        #expect(
            throws: HTTPError.cannotConnect(
                "unix:/nowhere/shop.sock /debug/pprof/goroutine",
                reason: "No such file or directory"
            )
        ) { try socket.fetch(.goroutine) }
    }

    @Test func aHostThatIsUnknownIsNamed() throws {
        let endpoint = PprofEndpoint(try PprofAddress("http://no-such-host.invalid:6060"))
        let error = #expect(throws: HTTPError.self) { try endpoint.fetch(.heap) }
        #expect(
            error?.description.hasPrefix("http://no-such-host.invalid:6060/debug/pprof/heap?gc=1 does not answer")
                == true
        )
    }

    /// A server that is none of HTTP's.
    @Test func anotherServerIsNoProfileEndpoint() throws {
        let redis = try RedisServer()
        let endpoint = PprofEndpoint(try PprofAddress("127.0.0.1:\(redis.port)"))
        let error = #expect(throws: HTTPError.self) { try endpoint.fetch(.heap) }
        #expect(error?.description.hasSuffix("is this port an HTTP server's?") == true)
    }

    /// Answers written byte by byte, as a broken or hostile server may send them.
    @Test(arguments: try RawAnswer.all())
    func rawAnswersAreReadOrRefused(_ raw: RawAnswer) throws {
        let server = try RawServer(answer: raw.bytes)
        var endpoint = PprofEndpoint(try PprofAddress("unix:\(server.path)"))
        if raw.bytes == nil { endpoint.totalSeconds = 1 }
        endpoint.limits.bytes = 100_000
        switch raw.expected {
        case .profile:
            #expect(try endpoint.fetch(.heap) == smallProfile())
        case .error(let text):
            let error = #expect(throws: HTTPError.self) { try endpoint.fetch(.heap) }
            #expect(error?.description.contains(text) == true, "\(error.map(String.init(describing:)) ?? "")")
        }
    }

    @Test func aListenerWithoutRoomTimesOut() throws {
        let server = try RawServer(answer: nil, backlog: 0)
        var endpoint = PprofEndpoint(try PprofAddress("127.0.0.1:\(server.port)"))
        endpoint.connectSeconds = 1
        endpoint.totalSeconds = 3
        let fillers = (0..<4).map { _ in server.beginConnection() }
        defer { for descriptor in fillers { close(descriptor) } }
        let error = #expect(throws: HTTPError.self) { try endpoint.fetch(.heap) }
        #expect(error == .timedOut("http://127.0.0.1:\(server.port)/debug/pprof/heap?gc=1", seconds: 1))
    }
}

/// An answer as its bytes, and what must come of it.
struct RawAnswer: CustomTestStringConvertible, Sendable {
    enum Expected: Sendable {
        case profile
        case error(String)
    }

    var testDescription: String
    /// nil: the server says nothing at all.
    var bytes: [UInt8]?
    var expected: Expected

    private init(_ name: String, _ head: String?, body: [UInt8] = [], _ expected: Expected) {
        testDescription = name
        bytes = head.map { Array($0.utf8) + body }
        self.expected = expected
    }

    static func all() throws -> [RawAnswer] {
        let file = try smallProfile().gzipped()
        var chunks: [UInt8] = []
        for start in stride(from: 0, to: file.count, by: 7) {
            let part = file[start..<min(start + 7, file.count)]
            chunks += Array("\(String(part.count, radix: 16))\r\n".utf8) + part + Array("\r\n".utf8)
        }
        let ok = "HTTP/1.1 200 OK\r\n"
        let length = "Content-Length: \(file.count)\r\n\r\n"
        return [
            RawAnswer("with its length", ok + length, body: file, .profile),
            RawAnswer("until the end", ok + "Connection: close\r\n\r\n", body: file, .profile),
            RawAnswer(
                "in chunks of seven bytes",
                ok + "Transfer-Encoding: chunked\r\n\r\n",
                body: chunks + Array("0\r\n\r\n".utf8),
                .profile
            ),
            RawAnswer("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", body: file, .profile),
            RawAnswer("after 103", "HTTP/1.1 103 Early Hints\r\n\r\n" + ok + length, body: file, .profile),
            RawAnswer("cut off", ok + length, body: Array(file.dropLast(9)), .error("broke off its answer")),
            RawAnswer(
                "cut off in chunks",
                ok + "Transfer-Encoding: chunked\r\n\r\n",
                body: Array(chunks.dropLast(3)),
                .error("broke off its answer")
            ),
            RawAnswer("closed at once", "", .error("broke off its answer")),
            RawAnswer("no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", .error("is this port an HTTP server's?")),
            RawAnswer("silent", nil, .error("gave no complete answer within 1 s")),
            RawAnswer(
                "too long",
                ok + "Content-Length: 200000\r\n\r\n",
                body: [UInt8](repeating: 7, count: 200_000),
                .error("more than 100000 bytes")
            ),
            RawAnswer("empty", ok + "Content-Length: 0\r\n\r\n", .error("it is empty")),
            RawAnswer("login", "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", .error("asks for a login (401)")),
            RawAnswer(
                "TLS only",
                "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
                .error("status 400 (Client sent an HTTP request to an HTTPS server.) instead of a profile")
            ),
        ]
    }
}
