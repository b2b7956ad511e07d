import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// `silt check` of a Redis server with a module that loses every tenth order, its builds and its baselines.
    @Suite(.serialized)
    struct Checks {
        /// A folder with the module's source, in which silt runs as a build would.
        private final class Shop {
            let folder: ScratchFolder
            var socket: String { folder.file("redis.sock") }
            var source: String { folder.file("redis_leak_module.c") }

            init() throws {
                folder = try ScratchFolder()
                let original = packageRoot.appending(path: "Tests/Workloads/redis_leak_module.c").path()
                try FileManager.default.copyItem(atPath: original, toPath: source)
            }

            /// Builds the module from the source as it is; `change` edits it first.
            func build(_ flags: [String], change: (String) -> String = { $0 }) throws {
                let text = try String(contentsOfFile: source, encoding: .utf8)
                try change(text).write(toFile: source, atomically: false, encoding: .utf8)
                let built = try runProgram(
                    ["gcc", "-g", "-shared", "-fPIC", "-o", folder.file("shop.so"), source] + flags
                )
                try #require(built.status == 0, "\(built.errors)")
            }

            /// Runs `silt check` in the folder, without what a build server may have set.
            func check(_ arguments: [String], environment: [String: String] = [:]) throws -> ProgramResult {
                try runProgram(
                    ["sh", "-c", "cd \"$0\" && exec \"$@\"", folder.path, siltExecutable, "check"] + arguments,
                    environment: ["GITHUB_ACTIONS": ""].merging(environment) { $1 }
                )
            }

            func hunt(_ options: [String], module: String = "", script: String? = nil) throws -> ProgramResult {
                let load = script ?? "redis-benchmark -s \(socket) -c 4 -n 500 shop.order"
                let server = [
                    "redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder.path,
                    "--loadmodule", folder.file("shop.so"),
                ]
                return try check(
                    ["--phase", "orders=\(load)", "--ready", "unix:\(socket)", "--idle", "2s", "--max-rounds", "8"]
                        + options + ["--"]
                        + server
                        + (module.isEmpty ? [] : [module])
                )
            }

            func findings(_ result: ProgramResult) throws -> [[String: Any]] {
                let json = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
                let root = try #require(json, "\(result.output)")
                #expect(root["exit_status"] as? Int == Int(result.status))
                return try #require(root["findings"] as? [[String: Any]])
            }
        }

        @Test func aLeakFailsABuildUntilItIsAllowedOrKnownOrMended() throws {
            let shop = try Shop()
            try shop.build(["-O1"])
            let leaky = try shop.hunt(
                ["--max-bytes-per-request", "64", "--junit", "silt.xml", "--out", "leaky.silt"],
                module: ""
            )
            #expect(leaky.status == 1, "\(leaky.output)\(leaky.errors)")
            #expect(
                leaky.output.hasPrefix(
                    "FAILED: 1 of 2 phases: orders grows 101 B per request at make_record redis_leak_module.c:34 (limit 64 B)"
                )
            )
            // Redis' own output went elsewhere, so that the report stands alone.
            #expect(leaky.errors.contains("Redis is starting") && !leaky.output.contains("Redis is starting"))
            let schema = packageRoot.appending(path: "Tests/SiltReportsTests/Golden/junit.xsd").path()
            let valid = try runProgram(["xmllint", "--noout", "--schema", schema, shop.folder.file("silt.xml")])
            #expect(valid.status == 0, "\(valid.errors)")
            try judgeTheRecording(shop)
            try writeAndUseABaseline(shop)
        }

        /// What was measured once, by other rules.
        private func judgeTheRecording(_ shop: Shop) throws {
            let annotated = try shop.check(["leaky.silt"], environment: ["GITHUB_ACTIONS": "true"])
            #expect(annotated.status == 1)
            #expect(
                annotated.output.contains(
                    "\n::error file=redis_leak_module.c,line=34,title=silt%3A grows in orders 101 B"
                )
            )
            let allowed = try shop.check([
                "leaky.silt", "--allow", "leak:^place_order$", "--allow", "leak:never", "--json",
            ])
            #expect(allowed.status == 0)
            #expect(try shop.findings(allowed).map { $0["allowed_by"] as? String } == ["leak:^place_order$"])
            let limited = try shop.check(["leaky.silt", "--max-site-bytes-per-request", "102", "--json"])
            #expect(limited.status == 0)
            #expect(try shop.findings(limited).map { $0["outcome"] as? String } == ["within-limit"])
            let broken = try shop.check(["leaky.silt", "--max-site-bytes-per-request", "101", "--json"])
            #expect(broken.status == 1)
            let rate = try #require(try shop.findings(broken).first?["rate"] as? [String: Any])
            #expect(abs((rate["value"] as? Double ?? 0) - 101.3) < 1)
            #expect(try shop.check(["leaky.silt", "--baseline", "leaky.silt"]).status == 2)
            #expect(try shop.check(["leaky.silt", "--write-baseline", "leaky.silt"]).status == 2)
            #expect(try shop.check(["leaky.silt", "--allow", "nowhere.supp"]).status == 2)
            let text = try String(contentsOfFile: shop.folder.file("silt.xml"), encoding: .utf8)
            try text.prefix(200).write(toFile: shop.folder.file("cut.silt"), atomically: false, encoding: .utf8)
            #expect(try shop.check(["cut.silt"]).status == 2)
        }

        private func writeAndUseABaseline(_ shop: Shop) throws {
            let written = try shop.check(["leaky.silt", "--write-baseline", "growth.json"])
            #expect(written.status == 0, "\(written.output)\(written.errors)")
            try shop.build(["-O2", "-fno-plt"]) { "/*\n" + String(repeating: " * moved\n", count: 40) + " */\n" + $0 }
            let known = try shop.hunt(["--baseline", "growth.json", "--out", "moved.silt"])
            #expect(known.status == 0, "\(known.output)\(known.errors)")
            #expect(known.output.contains("make_record redis_leak_module.c:76: allowed by the baseline"))
            #expect(try shop.check(["moved.silt"]).status == 1)
            try shop.build(["-O2"]) { $0.replacing("++orders % 10", with: "++orders % 7") }
            let faster = try shop.hunt(["--baseline", "growth.json"])
            #expect(faster.status == 1, "\(faster.output)\(faster.errors)")
            #expect(faster.output.contains("(101 B in the baseline)"))
            let mended = try shop.hunt(["--baseline", "growth.json"], module: "fixed")
            #expect(mended.status == 0, "\(mended.output)\(mended.errors)")
            #expect(mended.output.contains("no longer growing"))
        }

        @Test func whatCannotBeMeasuredIsNoPass() throws {
            let shop = try Shop()
            try shop.build(["-O1"])
            let failing = try shop.hunt(
                ["--rounds", "3", "--junit", "silt.xml"],
                module: "fixed",
                script: "redis-benchmark -s \(shop.socket) -c 4 -n 500 shop.user >/dev/null; "
                    + "echo 'silt: requests=500 failed=20'"
            )
            #expect(failing.status == 3, "\(failing.output)\(failing.errors)")
            #expect(failing.output.hasPrefix("INCONCLUSIVE: 4 % of the requests of orders failed"))
            let plan = shop.folder.file("plan.yml")
            try """
            command: sleep 60
            ready: unix:\(shop.socket).other
            ready_timeout: 1s
            phases:
              - name: orders
                script: exit 1
            """.write(toFile: plan, atomically: false, encoding: .utf8)
            let unreachable = try shop.check(["plan.yml", "--json", "--junit", "silt.xml"])
            #expect(unreachable.status == 3, "\(unreachable.output)\(unreachable.errors)")
            #expect(try shop.findings(unreachable).isEmpty)
            let xml = try String(contentsOfFile: shop.folder.file("silt.xml"), encoding: .utf8)
            #expect(
                xml.contains("<testsuite name=\"silt check plan.yml\" tests=\"1\" failures=\"0\" errors=\"1\""),
                "\(xml)"
            )
        }

        @Test func aWrongPlanOrOptionIsAUsageError() throws {
            let shop = try Shop()
            let plan = shop.folder.file("plan.yml")
            try "command: sleep 1\nphases: 3\n".write(toFile: plan, atomically: false, encoding: .utf8)
            for arguments in [
                ["plan.yml"], ["missing.yml"], [], ["plan.yml", "--tolerance", "-3"],
                ["plan.yml", "--max-bytes-per-request", "much"], ["plan.yml", "--junit", "/nowhere/silt.xml"],
            ] {
                let result = try shop.check(arguments)
                #expect(result.status == 2, "\(arguments): \(result.errors)")
                #expect(!result.errors.isEmpty)
                #expect(result.output.isEmpty)
            }
        }
    }
}
