import Foundation

/// The Go service of Tests/Workloads/goserver, built and running; ended with the value.
package final class GoServer {
    /// What /stats says of one route.
    package struct RouteStats: Decodable, Equatable {
        package var requests: Int64
        package var failed: Int64
        /// Things leaked, the bytes that their marked line asked for, and the goroutines that will not end.
        package var count: Int64
        package var bytes: Int64
        package var goroutines: Int64
    }

    package let folder: ScratchFolder
    /// As 127.0.0.1:40123.
    package let address: String
    package let socket: String
    private let program: StartedProgram

    /// Builds and starts it; `rate` 1 counts every allocation.
    package init(rate: Int = 1, options: [String] = []) throws {
        folder = try ScratchFolder()
        let executable = try buildGoWorkload("goserver", into: folder)
        socket = folder.file("go.sock")
        program = try StartedProgram(
            [executable, "-rate", "\(rate)", "-unix", socket] + options,
            output: folder.file("output"),
            errors: folder.file("errors")
        )
        let marker = "listening on 127.0.0.1:"
        guard
            let line = try waitForLine(of: folder.file("output"), containing: marker),
            try waitForLine(of: folder.file("output"), containing: socket) != nil
        else {
            program.end()
            throw TestSetupError(description: try String(contentsOfFile: folder.file("errors"), encoding: .utf8))
        }
        address = String(line.dropFirst("listening on ".count))
    }

    deinit { program.end() }

    /// The bytes of one of its profiles, as heap?gc=1.
    package func profile(_ name: String) throws -> [UInt8] {
        let file = folder.file("profile")
        let result = try runProgram(["curl", "-sS", "--fail", "-o", file, "http://\(address)/debug/pprof/\(name)"])
        guard result.status == 0 else { throw TestSetupError(description: "\(name): \(result.errors)") }
        return try [UInt8](Data(contentsOf: URL(filePath: file)))
    }

    /// Sends `count` requests to a route, one after the other.
    package func request(_ route: String, _ count: Int) throws {
        let result = try runProgram(
            ["curl", "-sS", "--fail", "-o", "/dev/null", "http://\(address)/\(route)?[1-\(count)]"]
        )
        guard result.status == 0 else { throw TestSetupError(description: "/\(route): \(result.errors)") }
    }

    package func stats() throws -> [String: RouteStats] {
        let result = try runProgram(["curl", "-sS", "--fail", "http://\(address)/stats"])
        guard result.status == 0 else { throw TestSetupError(description: result.errors) }
        return try JSONDecoder().decode([String: RouteStats].self, from: Data(result.output.utf8))
    }
}

/// The first line with that text in a file that a program writes, waited for up to ten seconds.
package func waitForLine(of path: String, containing text: String) throws -> String? {
    for _ in 0..<1000 {
        let content = try String(contentsOfFile: path, encoding: .utf8)
        if let line = content.split(separator: "\n").first(where: { $0.contains(text) }), content.hasSuffix("\n") {
            return String(line)
        }
        usleep(10_000)
    }
    return nil
}

/// A redis-server on a free port of its own, ended with the value.
package final class RedisServer {
    package let port: Int
    private let folder: ScratchFolder
    private let program: StartedProgram

    package init() throws {
        let folder = try ScratchFolder()
        self.folder = folder
        for _ in 0..<5 {
            let port = try freePort()
            let log = folder.file("log\(port)")
            let program = try StartedProgram(
                ["redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--dir", folder.path],
                output: log
            )
            if program.isRunning, try waitForLine(of: log, containing: "eady to accept connections") != nil,
                program.isRunning
            {
                (self.port, self.program) = (port, program)
                return
            }
            program.end()
        }
        throw TestSetupError(description: "redis-server found no free port")
    }

    deinit { program.end() }
}
