import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Real servers that forget to close or end something with each request: that is found, at its line, with one per
    /// request; the fixed ones are acquitted.
    @Suite(.serialized)
    struct ForgottenHandles {
        struct Server: CustomTestStringConvertible {
            var name: String
            var kind: String
            /// What the function to be blamed, or its caller, has in its name.
            var function: String
            /// The command, in a folder, with a port or the socket "s", and what makes it a fixed one.
            var command: @Sendable (ScratchFolder, _ port: Int, _ how: [String]) throws -> [String]
            var usesPort = true
            var load: @Sendable (_ place: String) -> String = { "hey -n 40 -c 2 http://127.0.0.1:\($0)/" }

            var testDescription: String { name }
        }

        private static let workloads = packageRoot.appending(path: "Tests/Workloads").path()

        static let servers = [
            Server(
                name: "a Redis module that forgets close",
                kind: "descriptor",
                function: "export_orders",
                command: { folder, _, how in
                    let module = folder.file("shop.so")
                    let source = workloads + "/redis_leak_module.c"
                    let built = try runProgram(["gcc", "-O1", "-g", "-shared", "-fPIC", "-o", module, source])
                    try #require(built.status == 0, "\(built.errors)")
                    return ["redis-server", "--port", "0", "--unixsocket", folder.file("s"), "--save", ""]
                        + ["--dir", folder.path, "--logfile", folder.file("log"), "--loadmodule", module] + how
                },
                usesPort: false,
                load: { "redis-benchmark -s \($0) -c 4 -n 40 shop.export" }
            ),
            Server(
                name: "a service in Python that keeps sockets",
                kind: "descriptor",
                function: "sock",
                command: { _, port, how in ["python3", workloads + "/socket_service.py", "\(port)"] + how }
            ),
            Server(
                name: "a service in C++ whose detached threads never end",
                kind: "thread",
                function: "follow_order",
                command: { folder, port, how in [try buildWorkload("detaches", into: folder), "\(port)"] + how }
            ),
        ]

        @Test(arguments: servers)
        func whatEachRequestLeavesIsFoundAndTheFixedServerIsAcquitted(server: Server) throws {
            // Both wait for most of their time.
            let outcomes = try atOnce([[], ["fixed"]]) { how in
                let folder = try ScratchFolder()
                let port = try freePort()
                let place = server.usesPort ? "\(port)" : folder.file("s")
                return try Hunts.hunt(
                    [("order", server.load(place))],
                    options: ["--idle", "1s", "--ready", server.usesPort ? "tcp:127.0.0.1:\(port)" : "unix:\(place)"],
                    service: try server.command(folder, port, how)
                )
            }
            let things = outcomes[0].growing.filter { $0.kind == server.kind }
            #expect(outcomes[0].status == 1 && things.count == 1, "\(outcomes[0].errors)")
            let site = try #require(things.first)
            let names = [site.blame.function, site.caller?.function ?? ""]
            #expect(names.contains { $0.contains(server.function) }, "\(names)")
            #expect(site.rate?.unit == "objects/request" && abs((site.rate?.value ?? 0) - 1) < 0.01)
            #expect(outcomes[1].status == 0 && outcomes[1].growing.isEmpty, "\(outcomes[1].errors)")
        }
    }
}
