import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// The recipes of Sources/silt/docs/deploy.md, as they stand there but for folders and ports.
    @Suite(.serialized)
    struct Recipes {
        private static let document = packageRoot.appending(path: "Sources/silt/docs/deploy.md")

        private typealias Place = Preload.Installation

        /// The fence below the comment with that name.
        private static func recipe(_ name: String) throws -> String {
            let text = try String(contentsOf: document, encoding: .utf8)
            let parts = text.components(separatedBy: "<!-- \(name) -->\n```")
            let fence = try #require(parts.count == 2 ? parts[1].components(separatedBy: "\n```").first : nil)
            // What stands behind the backticks is the language.
            return String(fence.drop { $0 != "\n" }.dropFirst())
        }

        private func expectWhole(_ report: TraceReport, processes: Int) {
            #expect(report.trust.eventsReceived > 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
            #expect(report.trust.lost == 0)
            #expect(report.processes.count >= processes, "\(report.processes.map(\.command))")
            #expect(report.untraced.isEmpty, "\(report.untraced)")
        }

        /// Starts the recipe's line, waits for its workers and for an answer at `url`, and ends it with `signal`.
        private func serve(
            _ line: String,
            in place: Place,
            workers: Int,
            url: String? = nil,
            signal: Int32 = SIGTERM
        ) throws {
            let errors = place.folder.file("errors")
            let server = try StartedProgram(
                ["sh", "-c", "cd '\(place.folder.path)' && exec env \(line)"],
                errors: errors
            )
            defer { server.end() }
            try waitUntil("\(line): its workers are there") {
                let children = try runProgram(["pgrep", "-c", "-P", "\(server.pid)"]).output
                let answers = try url.map { try runProgram(["curl", "-s", "--max-time", "5", $0]).status == 0 } ?? true
                return Int(children.dropLast()) ?? 0 >= workers && answers || !server.isRunning
            }
            let said = try String(contentsOfFile: errors, encoding: .utf8)
            #expect(server.isRunning, "\(line): \(said)")
            kill(server.pid, signal)
            let status = try server.wait(seconds: 30)
            #expect(status == 0, "\(line)")
        }

        private static let application = """
            kept = []
            def app(environ, start):
                kept.append(bytearray(1000))
                start("200 OK", [("Content-Type", "text/plain")])
                return [b"ok"]
            """

        @Test(arguments: ["gunicorn", "uwsgi"])
        func aPythonServerAndItsWorkersAreOneTrace(server: String) throws {
            let place = try Place()
            try place.write("shop.py", Self.application)
            let port = try freePort()
            let changes: KeyValuePairs = [
                "127.0.0.1:8000": "127.0.0.1:\(port)", " gunicorn ": " gunicorn --bind 127.0.0.1:\(port) ",
            ]
            let line = place.adapted(try Self.recipe(server), changes)
            let workers = server == "uwsgi" ? 1 : 2
            try serve(
                line,
                in: place,
                workers: workers,
                url: "http://127.0.0.1:\(port)/",
                signal: server == "uwsgi" ? SIGINT : SIGTERM
            )
            expectWhole(try place.report(), processes: 1 + workers)
        }

        @Test func workersOfPHPAreTraced() throws {
            let place = try Place()
            let port = try freePort()
            let configuration = """
                [global]
                error_log = /dev/stderr
                [www]
                user = nobody
                listen = 127.0.0.1:\(port)
                pm = static
                pm.max_children = 2
                """
            try place.write("php-fpm.conf", configuration)
            let installed = try FileManager.default.contentsOfDirectory(atPath: "/usr/sbin")
            let program = try #require(
                installed.first { $0.wholeMatch(of: #/php-fpm[0-9.]+/#) != nil },
                "php-fpm is missing: apt-get install php-fpm"
            )
            let line = place.adapted(try Self.recipe("php-fpm"), ["php-fpm8.2": program])
            try serve(line, in: place, workers: 2)
            expectWhole(try place.report(), processes: 3)
        }

        @Test func workersOfNginxAreTraced() throws {
            let place = try Place()
            let port = try freePort()
            let configuration = """
                worker_processes 2;
                pid nginx.pid;
                events {}
                http { access_log off; server { listen 127.0.0.1:\(port); } }
                """
            try place.write("nginx.conf", configuration)
            let line = place.adapted(
                try Self.recipe("nginx"),
                ["/etc/nginx/nginx.conf": "\(place.folder.path)/nginx.conf -p \(place.folder.path) -e errors"]
            )
            try serve(line, in: place, workers: 2, url: "http://127.0.0.1:\(port)/", signal: SIGQUIT)
            expectWhole(try place.report(), processes: 3)
        }

        /// systemd reads the unit with the drop-in, and what it makes of it traces the service.
        @Test func aDropInOfSystemdIsRightAndTraces() throws {
            let place = try Place()
            let server = try buildWorkload("forks", into: place.folder)
            let dropIn = place.adapted(try Self.recipe("systemd"))
            try FileManager.default.createDirectory(
                atPath: place.folder.file("shop.service.d"),
                withIntermediateDirectories: true
            )
            try place.write("shop.service", "[Service]\nExecStart=\(server) 3\n")
            try place.write("shop.service.d/silt.conf", dropIn)
            let verified = try runProgram(["systemd-analyze", "verify", place.folder.file("shop.service")])
            #expect(verified.status == 0 && verified.errors.isEmpty, "\(verified.errors)")
            let variables = dropIn.split(separator: "\n").compactMap { $0.wholeMatch(of: #/Environment=(.*)/#)?.1 }
            #expect(variables.count == 3)
            #expect(try runProgram(["env"] + variables.map(String.init) + [server, "3"]).status == 0)
            expectWhole(try place.report(), processes: 4)
        }

        @Test func theWebProcessOfAProcfileIsTraced() throws {
            let place = try Place()
            _ = try buildWorkload("forks", into: place.folder)
            let line = place.adapted(
                try Self.recipe("procfile"),
                ["web: ": "", "vendor/silt": "$PWD", "./server": "./forks 3"]
            )
            #expect(try runProgram(["sh", "-c", "cd '\(place.folder.path)' && \(line)"]).status == 0)
            expectWhole(try place.report(), processes: 4)
        }

        /// The files are read, and the command that they give a container is run.
        @Test(arguments: ["dockerfile", "compose", "kubernetes"])
        func theCommandThatAContainerIsGivenTraces(kind: String) throws {
            let place = try Place()
            let server = try buildWorkload("forks", into: place.folder)
            let read = """
                import json, sys, yaml
                kind, text = sys.argv[1], sys.stdin.read()
                if kind == "dockerfile":
                    lines = [line.split(maxsplit=1) for line in text.splitlines()]
                    assert [line[0] for line in lines] == ["FROM", "COPY", "COPY", "CMD"], lines
                    assert lines[1][1].split() == ["silt", "libsilt.so", sys.argv[2] + "/"], lines
                    command = json.loads(lines[3][1])
                elif kind == "compose":
                    server = yaml.safe_load(text)["services"]["server"]
                    mounts = [mount.split(":")[1] for mount in server["volumes"]]
                    assert mounts == [sys.argv[2], "/recordings"], mounts
                    command = server["command"]
                else:
                    pod = yaml.safe_load(text)["spec"]["template"]["spec"]
                    volumes = {volume["name"] for volume in pod["volumes"]}
                    server, first = pod["containers"][0], pod["initContainers"][0]
                    for container in (server, first):
                        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
                    assert first["command"][-1] == first["volumeMounts"][0]["mountPath"] + "/"
                    assert first["command"][:3] == ["cp", sys.argv[2] + "/silt", sys.argv[2] + "/libsilt.so"]
                    command = server["command"]
                print("\\n".join(command))
                """
            let result = try runProgram(
                ["python3", "-c", read, kind, place.folder.path],
                input: place.adapted(try Self.recipe(kind))
            )
            #expect(result.status == 0, "\(result.errors)")
            let command = result.output.replacing("=/silt/libsilt.so", with: "=\(place.library)")
                .replacing("/usr/local/bin/server", with: server)
            let words = command.split(separator: "\n").map(String.init)
            #expect(words.first == "env" && words.last == server, "\(words)")
            #expect(try runProgram(words + ["3"]).status == 0)
            expectWhole(try place.report(), processes: 4)
        }

        /// The steps of a job: the check fails with the leak, and the file for code scanning has it.
        @Test func aJobThatChecksShowsTheLeakToCodeScanning() throws {
            let place = try Place()
            let service = try buildWorkload("service", into: place.folder)
            let plan = """
                command: \(service) serve s well
                ready: unix:s
                idle: 200ms
                settle: 20ms
                rounds: 3
                phases:
                  - {name: orders, script: "\(service) load s k 50; echo silt: requests=50"}
                """
            try place.write("plan.yml", plan)
            try place.write("growth.json", #"{"format": "silt-baseline", "version": 1, "entries": []}"#)
            let steps = try Self.recipe("github").split(separator: "\n").compactMap {
                $0.wholeMatch(of: #/  run: (.*)/#)?.1
            }
            #expect(steps.count == 2)
            func run(_ step: Substring) throws -> ProgramResult {
                try runProgram(["sh", "-c", "cd '\(place.folder.path)' && PATH=$PWD:$PATH && \(step)"])
            }
            let check = try run(steps[0])
            #expect(check.status == 1, "\(check.errors)")
            #expect(try run(steps[1]).status == 0)
            let sarif = try String(contentsOfFile: place.folder.file("silt.sarif"), encoding: .utf8)
            #expect(sarif.contains("\"startLine\""))
        }
    }
}

extension EndToEnd.Preload.Installation {
    fileprivate func write(_ name: String, _ text: String) throws {
        try text.write(toFile: folder.file(name), atomically: false, encoding: .utf8)
    }

    /// A recipe with the folders of this machine.
    fileprivate func adapted(_ recipe: String, _ changes: KeyValuePairs<String, String> = [:]) -> String {
        var text = recipe
        for (name, replacement) in changes { text = text.replacing(name, with: replacement) }
        text = text.replacing("/opt/silt", with: folder.path)
        for name in ["/var/tmp/shop", "/recordings/server", "/var/lib/silt-shop/shop", "/tmp/web"] {
            text = text.replacing(name + ".silt", with: recording)
        }
        return text
    }
}
