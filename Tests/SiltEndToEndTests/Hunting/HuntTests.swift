import Foundation
import SiltTestSupport
import Testing

/// How often each hunt of a server is made: its verdict may not depend on luck.
let huntRuns = 1...max(1, Int(ProcessInfo.processInfo.environment["SILT_HUNT_RUNS"] ?? "") ?? 1)

extension EndToEnd {
    /// Hunts on real servers: the route that leaks, its line and its bytes per request, and nothing else.
    @Suite(.serialized)
    struct Hunts {
        private static let workloads = packageRoot.appending(path: "Tests/Workloads").path()

        struct Outcome: Sendable {
            var status: Int32
            var report: TraceReport
            var errors: String

            var growing: [TraceReport.Site] { report.sites.filter(\.isGrowing) }
        }

        static func hunt(
            _ scripts: [(name: String, script: String)],
            options: [String] = [],
            maximumRounds: Int? = 8,
            service: [String]
        ) throws -> Outcome {
            let (result, report) = try SiltTestSupport.hunt(
                phases(scripts) + options,
                command: service,
                maximumRounds: maximumRounds,
                seconds: 120
            )
            return Outcome(status: result.status, report: report, errors: result.errors)
        }

        private static func expectRate(_ site: TraceReport.Site, near truth: Double, unit: String) throws {
            let rate = try #require(site.rate)
            #expect(rate.unit == unit)
            #expect(abs(rate.value - truth) < 0.1 * truth, "\(rate.value) against \(truth)")
        }

        // MARK: Servers

        private static let nginxSources = "/usr/share/nginx/src"

        @Test(
            .enabled(
                if: has("nginx") && has("hey") && FileManager.default.fileExists(atPath: nginxSources + "/conf_flags"),
                "nginx, nginx-dev or hey are not installed"
            ),
            arguments: huntRuns
        )
        func theWorkersOfNginxAreJudgedTogether(run: Int) throws {
            let folder = try ScratchFolder()
            let module = folder.file("module")
            try FileManager.default.createDirectory(atPath: module, withIntermediateDirectories: true)
            try """
            ngx_module_type=HTTP
            ngx_module_name=shop_module
            ngx_module_srcs='\(Self.workloads)/nginx_leak_module.c'
            . auto/module
            ngx_addon_name=$ngx_module_name

            """.write(toFile: module + "/config", atomically: false, encoding: .utf8)
            let built = try runProgram([
                "bash", "-c",
                """
                cd \(Self.nginxSources) && . ./conf_flags && ./configure "${NGX_CONF_FLAGS[@]}" --with-cc-opt='-g -O1' \
                    --builddir='\(folder.path)/build' --add-dynamic-module='\(module)' \
                    && make -f '\(folder.path)/build/Makefile' modules
                """,
            ])
            try #require(built.status == 0, "\(built.output.suffix(2000)) \(built.errors)")
            let port = 20_000 + Int(getpid()) % 10_000
            let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map { "\($0)_temp_path \(folder.file($0));" }
                .joined(separator: " ")
            try """
            daemon off; worker_processes 2; user root; pid \(folder.file("pid")); error_log stderr error;
            load_module \(folder.file("build/shop_module.so"));
            events { worker_connections 256; }
            http {
              access_log off; \(paths)
              server {
                listen 127.0.0.1:\(port) reuseport;
                location /order { shop_order; } location /mended { shop_order fixed; } location /user { shop_user; }
              }
            }

            """.write(toFile: folder.file("nginx.conf"), atomically: false, encoding: .utf8)
            let outcome = try Self.hunt(
                ["user", "order", "mended"].map { ($0, "hey -n 2000 -c 8 http://127.0.0.1:\(port)/\($0)") },
                options: ["--idle", "2s", "--ready", "tcp:127.0.0.1:\(port)"],
                service: ["nginx", "-c", folder.file("nginx.conf"), "-p", folder.path]
            )
            #expect(outcome.status == 1, "\(outcome.errors)")
            #expect(outcome.growing.count == 1, "\(outcome.growing.map(\.evidence))")
            let site = try #require(outcome.growing.first)
            #expect(site.rank == 1)
            #expect(site.phase == "order")
            #expect(site.blame.function == "make_record")
            #expect(site.caller?.function == "place_order")
            try Self.expectRate(site, near: 1511 / 5, unit: "bytes/request")
        }

        @Test(arguments: ["", "fixed"], huntRuns)
        func aRedisModuleLeaksOnOneRoute(argument: String, run: Int) throws {
            let folder = try ScratchFolder()
            let module = folder.file("shop.so")
            let built = try runProgram([
                "gcc", "-O1", "-g", "-shared", "-fPIC", "-o", module, Self.workloads + "/redis_leak_module.c",
            ])
            try #require(built.status == 0, "\(built.errors)")
            let socket = folder.file("s")
            let outcome = try Self.hunt(
                ["order", "user"].map { ($0, "redis-benchmark -s \(socket) -c 4 -n 500 shop.\($0)") },
                options: ["--idle", "2s", "--ready", "unix:\(socket)"],
                service: ["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder.path]
                    + ["--logfile", folder.file("log"), "--loadmodule", module] + (argument.isEmpty ? [] : [argument])
            )
            guard argument.isEmpty else {
                #expect(outcome.status == 0, "\(outcome.growing.map(\.evidence))")
                return
            }
            #expect(outcome.status == 1)
            #expect(outcome.growing.map(\.phase) == ["order"])
            let site = try #require(outcome.growing.first)
            #expect(site.blame.function == "make_record")
            #expect(site.caller?.function == "place_order")
            try Self.expectRate(site, near: 101.3, unit: "bytes/request")
        }

        /// What a script keeps: the blame is in the interpreter, which Debian strips, and the caller tells strings from
        /// tables.
        ///
        /// Strings must differ: Lua has one block for all that are equal.
        @Test(arguments: ["", "fixed"], huntRuns)
        func aRedisFunctionInLuaKeepsWhatItIsGiven(argument: String, run: Int) throws {
            let folder = try ScratchFolder()
            let socket = folder.file("s")
            let server = ["redis-server", "--port", "0", "--unixsocket", socket, "--dir", folder.path]
            let library = """
                #!lua name=shop
                local kept, number = {}, 0
                local function order(keys, args)
                    number = number + 1
                    kept[\(argument.isEmpty ? "number" : "1")] = string.rep('x', 1000) .. string.format('%012d', number)
                    return #kept
                end
                redis.register_function('order', order)

                """
            // The library comes out of a file that an earlier server wrote: as one is deployed.
            let loader = try StartedProgram(server + ["--save", ""], output: folder.file("log"))
            defer { loader.end() }
            try waitForFile(socket)
            let loaded = try runProgram(
                ["sh", "-c", "redis-cli -s '\(socket)' -x FUNCTION LOAD && redis-cli -s '\(socket)' SHUTDOWN SAVE"],
                input: library
            )
            try #require(loaded.output.contains("shop"), "\(loaded.output) \(loaded.errors)")
            let outcome = try Self.hunt(
                [("order", "redis-benchmark -s \(socket) -c 4 -n 500 FCALL order 0")],
                options: ["--idle", "2s", "--ready", "unix:\(socket)"],
                service: server + ["--save", ""] + ["--logfile", folder.file("log")]
            )
            guard argument.isEmpty else {
                #expect(outcome.status == 0, "\(outcome.growing.map(\.evidence))")
                return
            }
            #expect(outcome.status == 1)
            #expect(outcome.growing.allSatisfy { $0.phase == "order" })
            let site = try #require(outcome.growing.first)
            #expect(site.rank == 1 && site.confidence == "medium")
            // 1,012 bytes, a NUL, and Lua's header of a string.
            try Self.expectRate(site, near: 1012 + 1 + 24, unit: "bytes/request")
        }

        @Test(arguments: huntRuns)
        func theDemoServerLeaksOnARouteAndAtIdle(run: Int) throws {
            let port = try freePort()
            let outcome = try Self.hunt(
                ["orders", "users", "search"].map { ($0, "hey -n 400 -c 2 http://127.0.0.1:\(port)/\($0)") },
                options: ["--idle", "4s", "--ready", "tcp:\(port)"],
                service: [siltExecutable, "demo-server", "--port", "\(port)"]
            )
            #expect(outcome.status == 1, "\(outcome.errors)")
            let orders = try #require(outcome.growing.first { $0.phase == "orders" })
            #expect(Self.isOf("handleOrder", orders), "\(orders.blame.function)")
            try Self.expectRate(orders, near: 1000, unit: "bytes/request")
            let idle = try #require(outcome.growing.first { $0.phase == "idle" })
            #expect(Self.isOf("recordHeartbeat", idle), "\(idle.blame.function)")
            try Self.expectRate(idle, near: 640, unit: "bytes/second")
            // The lists that hold them grow too, and nothing else.
            #expect(
                outcome.growing.allSatisfy { ["orders", "idle"].contains($0.phase) },
                "\(outcome.growing.map(\.evidence))"
            )
            #expect(!outcome.growing.contains { Self.isOf("handleUser", $0) })
            #expect(outcome.report.sites.contains { Self.isOf("handleUser", $0) && $0.evidence?.isEmpty == false })
        }

        /// Blamed itself, or for what it asked a helper for.
        private static func isOf(_ function: String, _ site: TraceReport.Site) -> Bool {
            site.blame.function.contains(function) || site.caller?.function.contains(function) == true
        }

        // MARK: Classic leaks

        private static func classics(
            _ routes: [String],
            _ arguments: [String] = [],
            maximumRounds: Int? = 8
        ) throws -> Outcome {
            let folder = try ScratchFolder()
            let program = try buildWorkload("classics", into: folder)
            let socket = folder.file("s")
            return try hunt(
                routes.map { ($0, "'\(program)' load '\(socket)' \($0) 500") },
                options: ["--idle", "2s", "--ready", "unix:\(socket)"],
                maximumRounds: maximumRounds,
                service: [program, "serve", socket] + arguments
            )
        }

        /// Route, function that is blamed, bytes lost a request.
        private static let leaks = [
            ("container", "keep_in_container", 680.0), ("timer", "arm_timer", 472), ("context", "child_of", 224),
            ("connection", "open_upstream", 501), ("helper", "build_message", 37),
        ]

        @Test(arguments: huntRuns)
        func eachClassicLeakIsChargedToItsRouteAtItsLine(run: Int) throws {
            let outcome = try Self.classics(Self.leaks.map(\.0))
            #expect(outcome.status == 1)
            let (blocks, others) = (
                outcome.growing.filter { $0.kind == "heap" }, outcome.growing.filter { $0.kind != "heap" }
            )
            #expect(blocks.count == Self.leaks.count, "\(blocks.map(\.evidence))")
            // A connection that is lost keeps its descriptor.
            #expect(others.map { [$0.kind, $0.phase] } == [["descriptor", "connection"]], "\(others.map(\.evidence))")
            #expect(abs((others.first?.rate?.value ?? 0) - 0.25) < 0.025, "\(others.map(\.evidence))")
            let source = try String(contentsOfFile: Self.workloads + "/classics.cpp", encoding: .utf8)
            let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
            for (route, function, bytes) in Self.leaks {
                let site = try #require(blocks.first { $0.phase == route }, "\(route)")
                #expect(site.blame.function.contains(function))
                let marked = lines.firstIndex { $0.hasSuffix("// leak: \(route) \(function)") }
                #expect(site.blame.line == marked.map { $0 + 1 }, "\(route)")
                // Certain where it was watched for long enough: the first routes.
                #expect(["medium", "high"].contains(site.confidence), "\(route)")
                try Self.expectRate(site, near: bytes, unit: "bytes/request")
            }
        }

        @Test(arguments: huntRuns)
        func theMendedServerIsAcquitted(run: Int) throws {
            let outcome = try Self.classics(Self.leaks.map(\.0), ["fixed"])
            #expect(outcome.status == 0, "\(outcome.growing.map(\.evidence))")
        }

        @Test(arguments: huntRuns)
        func whatFillsUpIsAcquittedWithItsReason(run: Int) throws {
            let outcome = try Self.classics(
                ["lru-small", "lru-middle", "pool", "tables", "arena", "fragments", "last", "vector"],
                maximumRounds: nil
            )
            #expect(outcome.status == 0, "\(outcome.growing.map(\.evidence))")
            for (function, reasons) in [
                ("Cache::insert", ["sparse", "turnover", "decel"]), ("use_pool", ["none", "idle-rate"]),
                ("look_up_in_table", ["sparse", "none", "decel", "stalled"]), ("fragment", ["sparse", "turnover"]),
            ] {
                let site = try #require(outcome.report.sites.first { $0.blame.function.contains(function) })
                #expect(reasons.contains(site.reason ?? ""), "\(function): \(site.reason ?? "")")
                #expect(site.evidence?.isEmpty == false)
            }
        }
    }
}
