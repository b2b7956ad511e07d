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
