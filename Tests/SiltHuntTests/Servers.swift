import Foundation
import SiltTestSupport

/// nginx on a free port of loopback: `/ok` answers 200, `/bad` 500, `/pages` a page of another length each time.
final class Nginx {
    let port: Int
    private let program: StartedProgram
    private let folder: ScratchFolder

    init(http2: Bool = false) throws {
        let folder = try ScratchFolder()
        let port = try freePort()
        self.folder = folder
        self.port = port
        let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(folder.file($0));" }.joined(separator: " ")
        let settings = """
            daemon off; master_process off; pid \(folder.file("pid")); error_log \(folder.file("errors"));
            events { worker_connections 256; }
            http {
                access_log off; \(places)
                server {
                    listen 127.0.0.1:\(port)\(http2 ? " http2" : "");
                    location /ok { return 200 "ok\\n"; }
                    location /bad { return 500 "no\\n"; }
                    location /pages { return 200 "$connection_requests $msec $request_id\\n"; }
                }
            }
            """
        try settings.write(toFile: folder.file("nginx.conf"), atomically: false, encoding: .utf8)
        program = try StartedProgram(["nginx", "-c", folder.file("nginx.conf"), "-e", folder.file("errors")])
        try waitUntil("nginx listens") { connects(port: port) }
    }

    deinit { program.end() }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)/\(path)" }
}

/// redis-server on a Unix socket.
final class Redis {
    let socket: String
    private let program: StartedProgram
    private let folder: ScratchFolder

    init() throws {
        folder = try ScratchFolder()
        let socket = folder.file("redis.sock")
        self.socket = socket
        program = try StartedProgram(["redis-server", "--port", "0", "--unixsocket", socket, "--save", ""])
        try waitUntil("redis listens") {
            try runProgram(["redis-cli", "-s", socket, "ping"]).output == "PONG\n"
        }
    }

    deinit { program.end() }
}

/// A port of loopback that nobody listens at now.
///
/// Below those that the kernel hands out to connections (ip(7), ip_local_port_range): other tests connect meanwhile.
func freePort() throws -> Int {
    for _ in 0..<100 {
        let port = Int.random(in: 10_000..<20_000)
        do {
            return try withSocketAddress(port: port) { descriptor, address, length in
                guard bind(descriptor, address, length) == 0 else { throw TestSetupError(description: "taken") }
            }
        } catch is TestSetupError {
            continue
        }
    }
    throw TestSetupError(description: "no free port")
}

func connects(port: Int) -> Bool {
    do {
        _ = try withSocketAddress(port: port) { descriptor, address, length in
            guard connect(descriptor, address, length) == 0 else { throw TestSetupError(description: "refused") }
        }
        return true
    } catch {
        return false
    }
}

/// Calls the body with a TCP socket and the address of loopback at that port; returns the port in the address after it.
private func withSocketAddress(
    port: Int,
    _ body: (Int32, UnsafeMutablePointer<sockaddr>, inout socklen_t) throws -> Void
) throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    address.sin_port = UInt16(port).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    try withUnsafeMutablePointer(to: &address) { pointer in
        try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { try body(descriptor, $0, &length) }
    }
    return Int(UInt16(bigEndian: address.sin_port))
}

/// Asks every 5 ms; throws after 20 s.
func waitUntil(_ what: String, _ isTrue: () throws -> Bool) throws {
    let deadline = Date(timeIntervalSinceNow: 20)
    while try !isTrue() {
        guard Date() < deadline else { throw TestSetupError(description: "not within 20 s: \(what)") }
        usleep(5000)
    }
}
