import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// The report over HTTP, as those ask for it who really do.
    @Suite(.serialized)
    struct Serving {
        /// `silt` with a server in it, and where that is.
        private final class Server {
            let url: String
            let program: StartedProgram
            let folder: ScratchFolder

            init(_ command: [String], environment: [String: String] = [:]) throws {
                folder = try ScratchFolder()
                let errors = folder.file("errors")
                program = try StartedProgram(
                    [siltExecutable] + command,
                    environment: environment,
                    output: folder.file("output"),
                    errors: errors
                )
                let deadline = Date(timeIntervalSinceNow: 20)
                while true {
                    let text = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
                    if let found = text.firstMatch(of: #/serving .* at (\S+)\n/#) {
                        url = String(found.1)
                        return
                    }
                    guard program.isRunning, Date() < deadline else { throw TestSetupError(description: text) }
                    usleep(10_000)
                }
            }

            deinit { program.end() }

            func get(_ path: String, _ options: [String] = []) throws -> String {
                try consume(["curl", "-sS", "--max-time", "20"] + options + [url + path])
            }

            func status(_ path: String, _ options: [String] = []) throws -> String {
                try get(path, ["-o", "/dev/null", "-w", "%{http_code}"] + options)
            }
        }

        private func serveRecording(_ options: [String] = []) throws -> Server {
            try Server(["serve", try EndToEnd.growthRecording.get().path] + options)
        }

        @Test func goToolFetchesWhatTheReportSays() throws {
            let server = try serveRecording()
            let path = try EndToEnd.growthRecording.get().path
            for (name, order, type) in [("heap", "inuse", "inuse_space"), ("allocs", "alloc", "alloc_space")] {
                let theirs = try runProgram(
                    ["go", "tool", "pprof", "-top", "\(server.url)debug/pprof/\(name)?gc=1"],
                    environment: ["PPROF_TMPDIR": server.folder.path]
                )
                #expect(theirs.output.contains("Type: \(type)"), "\(theirs.errors)")
                let ours = try consume([siltExecutable, "report", path, "--top", "--by", order])
                #expect(table(in: theirs.output) == table(in: ours))
            }
            let delta = try runProgram(
                ["go", "tool", "pprof", "-raw", "-seconds", "1", "\(server.url)debug/pprof/heap"],
                environment: ["PPROF_TMPDIR": server.folder.path]
            )
            #expect(delta.status == 0 && delta.output.contains("inuse_space/bytes"), "\(delta.errors)")
            let text = try server.get("debug/pprof/heap?debug=1")
            #expect(text.hasPrefix("heap profile: ") && text.contains("build_string"), "\(text.prefix(300))")
        }

        @Test func theJSONIsThatOfTheReport() throws {
            let server = try serveRecording()
            let ours = try consume([siltExecutable, "report", try EndToEnd.growthRecording.get().path, "--json"])
            #expect(try server.get("api/report") == ours)
        }

        @Test func prometheusScrapesTheMetrics() throws {
            let server = try serveRecording()
            let metrics = try server.get("metrics")
            let check = try runProgram(["promtool", "check", "metrics"], input: metrics)
            #expect(check.status == 0 && check.output.isEmpty, "\(check.output)\(check.errors)")
            #expect(metrics.split(separator: "\n").count < 200)
            let port = try freePort()
            let target = server.url.replacing("http://", with: "").replacing("/", with: "")
            let configuration = server.folder.file("prometheus.yml")
            try """
            scrape_configs:
              - job_name: silt
                scrape_interval: 1s
                static_configs:
                  - targets: ['\(target)']

            """.write(toFile: configuration, atomically: true, encoding: .utf8)
            let prometheus = try StartedProgram([
                "prometheus", "--config.file=\(configuration)", "--storage.tsdb.path=\(server.folder.file("data"))",
                "--web.listen-address=127.0.0.1:\(port)",
            ])
            defer { prometheus.end() }
            let query = "http://127.0.0.1:\(port)/api/v1/query?query=silt_site_growth_rate"
            var answer = ""
            try waitUntil("it has scraped build_string") {
                answer = try runProgram(["curl", "-sS", query]).output
                return answer.contains("\"function\":\"build_string\"")
            }
            #expect(answer.contains("\"unit\":\"bytes/second\""), "\(answer)")
        }

        @Test func theDashboardAsksForMetricsThatThereAre() throws {
            let text = try consume([siltExecutable, "dashboard"])
            let dashboard = try #require(
                try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            )
            let panels = try #require(dashboard["panels"] as? [[String: Any]])
            #expect(panels.count >= 5)
            let server = try serveRecording()
            let metrics = try server.get("metrics")
            for panel in panels {
                for target in try #require(panel["targets"] as? [[String: Any]]) {
                    let expression = try #require(target["expr"] as? String)
                    // It is PromQL, and of series that are served.
                    let plain = expression.replacing("$instance", with: ".*")
                    let rules = server.folder.file("rules.yml")
                    try "groups: [{name: silt, rules: [{record: 'silt:checked', expr: '\(plain)'}]}]"
                        .write(toFile: rules, atomically: true, encoding: .utf8)
                    let checked = try runProgram(["promtool", "check", "rules", rules])
                    #expect(checked.status == 0, "\(checked.output)\(checked.errors)")
                    for name in expression.matches(of: #/silt_[a-z_]+/#) {
                        #expect(metrics.contains("# TYPE \(name.output) "), "\(name.output)")
                    }
                }
            }
        }

        @Test func onlyWhoMayIsAnswered() throws {
            let server = try serveRecording()
            #expect(try server.status("") == "200")
            for (options, status) in [
                (["-H", "Host: evil.example"], "403"), (["-H", "Host: localhost"], "200"),
                (["-H", "Origin: http://evil.example"], "403"), (["-H", "Origin: \(server.url.dropLast())"], "200"),
                (["-X", "POST"], "405"), (["-X", "DELETE"], "405"), (["-I"], "200"), (["-d", "x"], "405"),
            ] {
                #expect(try server.status("metrics", options) == status, "\(options)")
            }
            for (path, status) in [
                ("nothing", "404"), ("../../etc/passwd", "404"), ("debug/pprof/heap?seconds=0", "400"),
                ("debug/pprof/heap?seconds=99999999999999999999", "400"), ("debug/pprof/heap?debug=x", "400"),
                (String(repeating: "a", count: 60_000), "404"),
            ] {
                #expect(try server.status(path, ["--path-as-is"]) == status, "\(path.prefix(80))")
            }
            #expect(try server.status("metrics") == "200")
        }

        @Test func othersNeedTheToken() throws {
            let path = try EndToEnd.growthRecording.get().path
            let refused = try runProgram([siltExecutable, "serve", path, "--at", "0.0.0.0:0"])
            #expect(refused.status == 2 && refused.errors.contains("--listen 0.0.0.0:0"))
            let unarmed = try runProgram(
                [siltExecutable, "serve", path, "--listen", "0.0.0.0:0"],
                environment: ["SILT_TOKEN": ""]
            )
            #expect(unarmed.status == 2 && unarmed.errors.contains("set SILT_TOKEN"))
            let server = try Server(
                ["serve", path, "--listen", "127.0.0.2:0"],
                environment: ["SILT_TOKEN": "open sesame"]
            )
            #expect(try server.status("metrics") == "401")
            #expect(try server.status("metrics", ["-H", "Authorization: Bearer open sesam"]) == "401")
            #expect(try server.status("metrics", ["-H", "Authorization: Bearer open sesame"]) == "200")
        }

        @Test func aUnixSocketIsItsOwnersAlone() throws {
            let folder = try ScratchFolder()
            let socket = folder.file("http.sock")
            let server = try serveRecording(["--at", "unix:\(socket)"])
            #expect(try runProgram(["stat", "-c", "%a", socket]).output == "700\n")
            let answer = try consume(["curl", "-sS", "--unix-socket", socket, "http://any.name/metrics"])
            #expect(answer.contains("silt_inuse_bytes"))
            kill(server.program.pid, SIGINT)
            #expect(try server.program.wait(seconds: 10) == 0)
            #expect(!FileManager.default.fileExists(atPath: socket))
        }

        /// What no client sends.
        ///
        /// The last seed leaves requests behind an event stream when its connection is taken down.
        @Test(arguments: [UInt64.random(in: 0 ... .max), 1, 3_523_067_950_099_948_127])
        func noBytesBringTheServerDown(seed: UInt64) throws {
            let server = try serveRecording()
            let port = server.url.split(separator: ":").last?.filter(\.isNumber) ?? ""
            let script = """
                import random, socket
                random.seed(\(seed))
                starts = [b'GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n', b'GET /metrics HTTP/9.9\\r\\n\\r\\n',
                    b'POST / HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: 99999999\\r\\n\\r\\n', b'\\x16\\x03\\x01',
                    b'GET /api/events HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n' * 50, b'\\0' * 1000,
                    b'GET /' + b'x' * 200000, b'GET / HTTP/1.1\\r\\n' + b'A: b\\r\\n' * 20000]
                for number in range(120):
                    data = bytearray(random.choice(starts))
                    for _ in range(random.randrange(0, 6)):
                        data[random.randrange(len(data))] = random.randrange(256)
                    with socket.create_connection(('127.0.0.1', \(port)), timeout=5) as s:
                        s.settimeout(0.05)
                        try:
                            s.sendall(data)
                            s.recv(1000)
                        except OSError:
                            pass
                """
            #expect(try runProgram(["python3", "-c", script], seconds: 60).status == 0)
            #expect(try server.status("metrics") == "200")
            #expect(server.program.isRunning)
        }

        /// Whoever watches hears of it, and of the next report, and is not shown the one before as if it were that.
        @Test func aRecordingThatCannotBeReadIsToldToThoseThatWatch() throws {
            let folder = try ScratchFolder()
            let recording = folder.file("run.silt")
            let whole = try Data(contentsOf: URL(filePath: EndToEnd.growthRecording.get().path))
            try whole.write(to: URL(filePath: recording))
            let server = try Server(["serve", recording])
            let events = folder.file("events")
            let watcher = try StartedProgram(
                ["curl", "-sN", "--max-time", "60", server.url + "api/events"],
                output: events
            )
            defer { watcher.end() }
            func said() throws -> String { try String(contentsOfFile: events, encoding: .utf8) }
            try waitUntil("it watches") { try said().contains(":") }
            #expect(try server.status("api/json") == "200")
            try Data("nothing".utf8).write(to: URL(filePath: recording))
            try waitUntil("the damage is told") { try said().contains("event: update\ndata: 0\n") }
            for _ in 0..<2 { #expect(try server.status("api/json") == "503") }
            try whole.write(to: URL(filePath: recording))
            try waitUntil("the next report is told") { try said().hasSuffix("event: update\ndata: 2\n\n") }
            #expect(try server.status("api/json") == "200")
        }

        @Test func aRunningTraceIsServedAndItsPageKeepsUp() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("service", into: folder)
            let socket = folder.file("s")
            let server = try Server([
                "run", "--snapshot-every", "200ms", "--serve", ":0", "--", program, "serve", socket, "well",
            ])
            func load() throws { _ = try consume([program, "load", socket, "k", "200"]) }
            try waitForFile(socket)
            try load()
            let inUse = "script return silt.page.data.process[0]"
            // The page is asked before and after more load.
            let more = try StartedProgram(["sh", "-c", "sleep 4; '\(program)' load '\(socket)' k 2000"])
            defer { more.end() }
            let answers = try browse(
                server.url,
                [
                    "wait silt.page.data !== null && silt.page.data.process[0].includes('in 201 blocks')",
                    inUse, "wait silt.page.data.process[0].includes('in 2,201 blocks')", inUse,
                    "script return silt.flame.boxes.some(b => b[0].name === 'keep_order')", "console",
                ]
            )
            #expect((answers[1] as? String)?.contains("201 blocks") == true, "\(answers[1])")
            #expect((answers[3] as? String)?.contains("2,201 blocks") == true, "\(answers[3])")
            #expect(answers[4] as? Bool == true)
            #expect(answers[5] as? [String] == [])
            // By process, from elsewhere.
            let pid = try #require(
                try runProgram(["pgrep", "-f", "^\(program) serve"]).output.split(separator: "\n").first.map(
                    String.init
                )
            )
            let second = try Server(["serve", pid])
            #expect(try second.get("api/report").contains("\"keep_order\""))
            kill(try #require(pid_t(pid)), SIGTERM)
            #expect(try server.program.wait(seconds: 20) == 143)
            #expect(try runProgram(["curl", "-sS", "--max-time", "2", server.url]).status != 0)
        }

        @Test func whatCannotBeServedIsSaid() throws {
            for (target, words) in [
                ("/nowhere.silt", "/nowhere.silt"), ("\(getpid())", "process \(getpid()) is not traced"),
                ("999999999", "no process"),
            ] {
                let result = try runProgram([siltExecutable, "serve", target])
                #expect(result.status == 3 && result.errors.contains(words), "\(result.errors)")
            }
        }
    }
}
