import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Programs from the distribution and of other languages: same output, same status, totals that add up.
    @Suite(.serialized)
    struct RealPrograms {
        /// What must hold of every trace.
        private func checkTotals(_ report: TraceReport, _ name: String) {
            let totals = report.totals
            #expect(totals.allocObjects - totals.freeObjects == totals.inuseObjects, "\(name)")
            #expect(report.trust.lost == 0, "\(name)")
            #expect(report.trust.unknownFrees == 0, "\(name)")
            #expect(report.trust.eventsSent == report.trust.eventsReceived, "\(name)")
            #expect(report.processes.map(\.totals.allocObjects).reduce(0, +) == totals.allocObjects, "\(name)")
        }

        private func checkSame(
            _ command: [String],
            atLeast allocations: Int,
            environment: [String: String] = [:]
        ) throws -> TraceReport {
            let plain = try runProgram(command, environment: environment)
            let (result, report) = try trace(command, environment: environment)
            let name = command.prefix(2).joined(separator: " ")
            #expect(result.output == plain.output, "\(name)")
            #expect(result.status == plain.status, "\(name)")
            #expect(report.target.exitStatus == Int(plain.status), "\(name)")
            #expect(report.totals.allocObjects >= allocations, "\(name)")
            checkTotals(report, name)
            return report
        }

        private static let json = "import json; print(len(json.dumps({i: str(i) * 3 for i in range(20000)})))"
        private static let words = """
            my %h; $h{$_} = "x" x ($_ % 50) for 1..20000; my $n = 0; $n += length $h{$_} for sort keys %h; print "$n\\n"
            """
        private static let shell = """
            for i in 1 2 3; do x=$(echo $i | sed s/1/2/); a[$i]=$x; done; echo ${a[@]}
            (sleep 0.1; echo background) & wait; cat <(echo substituted); exit 7
            """

        @Test(arguments: [
            (["python3", "-c", json], 1000, [:]),
            (["python3", "-c", json], 100_000, ["PYTHONMALLOC": "malloc"]),
            (["perl", "-e", words], 20_000, [:]),
            (["bash", "-c", shell], 500, [:]),
            (["sh", "-c", "kill -9 $$"], 1, [:]),
            (["git", "-C", packageRoot.path(), "log", "--stat", "-40"], 500, [:]),
            (["curl", "-s", "file:///etc/passwd"], 1000, [:]),
            (["java", "-version"], 500, [:]),
            (["xmllint", "--version"], 20, [:]),
            (["sort", "-R", "--random-source=/etc/passwd", "/etc/services"], 5, [:]),
        ])
        func aProgramDoesWhatItDoesWithoutSilt(command: [String], atLeast: Int, environment: [String: String]) throws {
            _ = try checkSame(command, atLeast: atLeast, environment: environment)
        }

        /// valgrind counts what deterministic programs allocate, by a wholly different way.
        @Test func allocationsAndBytesAreThoseThatValgrindCounts() throws {
            let folder = try ScratchFolder()
            let sql = folder.file("work.sql")
            let rows = (1...2000).map { "INSERT INTO t VALUES (\($0), 'text\($0 * 7)');" }.joined(separator: "\n")
            try """
            CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); BEGIN; \(rows) COMMIT; CREATE INDEX i ON t (b);
            SELECT count(*), sum(a) FROM t WHERE b LIKE '%77%';
            """.write(toFile: sql, atomically: false, encoding: .utf8)
            for command in [["sqlite3", ":memory:", ".read \(sql)"], ["xmllint", "--version"]] {
                let oracle = try runProgram(["valgrind", "--run-libc-freeres=no", "--run-cxx-freeres=no"] + command)
                let line = oracle.errors.split(separator: "\n").first { $0.contains("total heap usage:") }
                let numbers = (line.map(String.init) ?? "").replacingOccurrences(of: ",", with: "")
                    .split(separator: " ").compactMap { Int($0) }
                #expect(numbers.count == 3, "\(oracle.errors)")
                let report = try checkSame(command, atLeast: 10)
                #expect([report.totals.allocObjects, report.totals.freeObjects, report.totals.allocSpace] == numbers)
            }
        }

        @Test(arguments: ["g++", "clang++"])
        func aCompilerIsFollowedThroughItsDriver(driver: String) throws {
            let folder = try ScratchFolder()
            let source = folder.file("templates.cpp")
            try """
            #include <map>
            #include <string>
            #include <vector>
            template <int N> struct F {
                std::map<int, std::vector<std::string>> m;
                int go() { return F<N - 1>().go() + (int)m.size(); }
            };
            template <> struct F<0> { int go() { return 0; } };
            int work() { return F<20>().go(); }
            """.write(toFile: source, atomically: false, encoding: .utf8)
            let object = folder.file("templates.o")
            let report = try checkSame([driver, "-O2", "-c", "-o", object, source], atLeast: 10_000)
            let first = try Data(contentsOf: URL(filePath: object))
            _ = try runProgram([driver, "-O2", "-c", "-o", object, source])
            #expect(try Data(contentsOf: URL(filePath: object)) == first)
            if driver == "g++" {
                let compiler = try #require(report.processes.first { $0.command.contains("cc1plus") })
                #expect(compiler.totals.allocObjects > report.totals.allocObjects / 2)
            }
        }

        /// What libraries allocate before main is called by the loader's first code, which has no unwind table.
        @Test func stacksOfConstructorsReachTheBeginningOfTheProgram() throws {
            let report = try checkSame(["protoc", "--version"], atLeast: 1000)
            #expect(report.trust.stacksCompletePercent == 100)
            let ofConstructors = report.sites.filter { $0.stack.last?.module?.contains("ld-linux") == true }
            #expect(!ofConstructors.isEmpty)
        }

        @Test func aSwiftProgramIsTraced() throws {
            let folder = try ScratchFolder()
            try """
            var names: [String: [Int]] = [:]
            for i in 0..<50000 { names["a longer key \\(i % 977)", default: []].append(i) }
            print(names.values.reduce(0) { $0 + $1.count }, names.keys.sorted().prefix(3))
            """.write(toFile: folder.file("main.swift"), atomically: false, encoding: .utf8)
            let program = folder.file("program")
            let built = try runProgram(["swiftc", "-O", folder.file("main.swift"), "-o", program])
            #expect(built.status == 0, "\(built.errors)")
            _ = try checkSame([program], atLeast: 5000)
        }

        @Test func aRustProgramIsTraced() throws {
            guard try runProgram(["sh", "-c", "command -v rustc"]).status == 0 else {
                print("skipped: no rustc")
                return
            }
            let folder = try ScratchFolder()
            try """
            fn main() {
                let made: Vec<_> = (0..4)
                    .map(|t| std::thread::spawn(move || (0..10000).map(|i| format!("{}{}", t, i)).collect::<Vec<_>>()))
                    .collect();
                println!("{}", made.into_iter().map(|m| m.join().unwrap().len()).sum::<usize>());
            }
            """.write(toFile: folder.file("main.rs"), atomically: false, encoding: .utf8)
            let program = folder.file("program")
            let built = try runProgram(["rustc", "-g", "-O", folder.file("main.rs"), "-o", program])
            #expect(built.status == 0, "\(built.errors)")
            _ = try checkSame([program], atLeast: 40_000)
        }

        // MARK: Servers

        /// Starts a server under silt, waits until the port answers, runs the load, then ends the server.
        private func serve(
            _ server: String,
            port: Int,
            load: String,
            end: String,
            in folder: ScratchFolder
        ) throws -> (result: ProgramResult, report: TraceReport) {
            let recording = folder.file("run.silt")
            let script = """
                \(siltExecutable) run --out \(recording) -- \(server) > \(folder.file("server.out")) 2>&1 & silt=$!
                for i in $(seq 200); do
                    (exec 3<> /dev/tcp/127.0.0.1/\(port)) 2> /dev/null && break; sleep 0.1
                done
                \(load); loaded=$?
                \(end)
                wait $silt; echo "load $loaded server $?"
                """
            let result = try runProgram(["bash", "-c", script], seconds: 90)
            return (result, try report(of: recording))
        }

        @Test func redisServesItsBenchmark() throws {
            let folder = try ScratchFolder()
            let port = try freePort()
            let (result, report) = try serve(
                "redis-server --port \(port) --save '' --appendonly no --dir \(folder.path)",
                port: port,
                load: "redis-benchmark -p \(port) -n 5000 -c 10 -q -t set,get,lpush,lpop,sadd,hset,mset > /dev/null",
                end: "redis-cli -p \(port) bgsave > /dev/null; sleep 0.5; redis-cli -p \(port) shutdown nosave",
                in: folder
            )
            #expect(result.output == "load 0 server 0\n")
            #expect(report.totals.allocObjects > 10_000)
            checkTotals(report, "redis")
        }

        @Test func nginxWorkersThatDropTheirRightsAreTraced() throws {
            let folder = try ScratchFolder()
            let port = try freePort()
            let configuration = folder.file("nginx.conf")
            try """
            daemon off; worker_processes 2; pid \(folder.file("pid")); error_log \(folder.file("error.log"));
            events { worker_connections 64; }
            http { access_log off; client_body_temp_path \(folder.file("a")); proxy_temp_path \(folder.file("b"));
                fastcgi_temp_path \(folder.file("c")); uwsgi_temp_path \(folder.file("d"));
                scgi_temp_path \(folder.file("e"));
                server { listen 127.0.0.1:\(port); location / { return 200 "hello\\n"; } } }
            """.write(toFile: configuration, atomically: false, encoding: .utf8)
            let (result, report) = try serve(
                "nginx -c \(configuration)",
                port: port,
                load: "wrk -t 1 -c 8 -d 2s http://127.0.0.1:\(port)/ > /dev/null",
                end: "kill -QUIT $(cat \(folder.file("pid")))",
                in: folder
            )
            #expect(result.output == "load 0 server 0\n")
            #expect(report.processes.filter { $0.command.contains("nginx") }.count == 3)
            #expect(report.processes.allSatisfy { $0.totals.allocObjects > 0 })
            checkTotals(report, "nginx")
        }

        @Test func memcachedServesAClient() throws {
            let folder = try ScratchFolder()
            let port = try freePort()
            let client = """
                import socket
                s = socket.create_connection(('127.0.0.1', \(port))); f = s.makefile('rb')
                for i in range(2000):
                    v = b'x' * (i % 900)
                    s.sendall(b'set k%d 0 0 %d\\r\\n%s\\r\\n' % (i, len(v), v)); assert f.readline() == b'STORED\\r\\n'
                    s.sendall(b'get k%d\\r\\n' % i); f.readline(); assert f.read(len(v) + 7) == v + b'\\r\\nEND\\r\\n'
                """
            try client.write(toFile: folder.file("client.py"), atomically: false, encoding: .utf8)
            let (result, report) = try serve(
                "memcached -u nobody -l 127.0.0.1 -p \(port) -U 0",
                port: port,
                load: "python3 \(folder.file("client.py"))",
                end: "kill -TERM $silt",
                in: folder
            )
            #expect(result.output == "load 0 server 0\n")
            #expect(report.totals.allocObjects > 100)
            checkTotals(report, "memcached")
        }
    }
}
