import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// `silt diff` of real programs: builds, profiles and moments.
    @Suite(.serialized)
    struct Differences {
        /// A program that keeps `kept` blocks of 1,000 bytes and two that never change, from a source in a folder of its own.
        private func record(kept: Int, in folder: ScratchFolder, _ name: String, flags: [String]) throws -> String {
            let source = folder.file(name)
            try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
            let lines = String(repeating: "\n", count: kept % 7)
            let text = """
                #include <stdlib.h>
                void *volatile all[10000];
                \(lines)
                __attribute__((noinline)) void keep(int index) { all[index] = malloc(1000); }
                __attribute__((noinline)) void fixed(void) { all[9999] = malloc(12345); }
                __attribute__((noinline)) void passing(void) { void *volatile block = malloc(777); free(block); }
                int main(void) { for (int i = 0; i < \(kept); i++) { keep(i); passing(); } fixed(); return 0; }
                """
            try text.write(toFile: source + "/keeper.c", atomically: false, encoding: .utf8)
            let built = try runProgram(["gcc", "-g", "-o", source + "/keeper", source + "/keeper.c"] + flags)
            guard built.status == 0 else { throw TestSetupError(description: built.errors) }
            let recording = folder.file(name + ".silt")
            let run = try runProgram([siltExecutable, "run", "--out", recording, "--", source + "/keeper"])
            guard run.status == 0 else { throw TestSetupError(description: run.errors) }
            return recording
        }

        private func diff(_ arguments: [String]) throws -> String {
            try consume([siltExecutable, "diff"] + arguments)
        }

        private func flat(_ json: String) throws -> [String: Double] {
            let root = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            #expect(root["format"] as? String == "silt-diff" && root["version"] as? Int == 1)
            var result: [String: Double] = [:]
            for function in try #require(root["functions"] as? [[String: Any]]) {
                let change = (function["flat"] as? [String: Any])?["change"] as? Double
                if let change, change != 0 { result[function["name"] as? String ?? ""] = change }
            }
            return result
        }

        /// Other lines, another folder, another code generation and other addresses.
        @Test func aRebuildWithALargerLeakDiffersInTheLeakAlone() throws {
            let folder = try ScratchFolder()
            let old = try record(kept: 100, in: folder, "old", flags: ["-O1"])
            let new = try record(kept: 350, in: folder, "new", flags: ["-O2", "-no-pie"])
            let text = try diff([old, new])
            #expect(text.hasPrefix("B holds 244 KiB more than A: +244 KiB keep keeper.c\n"))
            #expect(try flat(diff([old, new, "--json"])) == ["keep keeper.c": 250_000])
            #expect(
                try flat(diff([old, new, "--json", "--by", "alloc"]))
                    == ["keep keeper.c": 250_000, "passing keeper.c": 250 * 777]
            )
            #expect(try flat(diff([new, old, "--json"])) == ["keep keeper.c": -250_000])
            let lines = try flat(diff([old, new, "--json", "--lines"]))
            #expect(lines["keep keeper.c:6"] == -100_000 && lines["keep keeper.c:4"] == 350_000)
            #expect(try diff([old, old]).hasPrefix("B holds as much as A: no call site differs\n"))
        }

        @Test func profilesAreComparedLikeRecordings() throws {
            let folder = try ScratchFolder()
            let old = try record(kept: 100, in: folder, "old", flags: [])
            let new = try record(kept: 350, in: folder, "new", flags: [])
            let profiles = [folder.file("old.pb.gz"), folder.file("new.pb.gz")]
            for (recording, profile) in zip([old, new], profiles) {
                #expect(try consume([siltExecutable, "report", recording, "--pprof", profile]).isEmpty)
            }
            for measure in ["inuse", "alloc"] {
                let whole = try flat(diff([old, new, "--json", "--by", measure]))
                #expect(try flat(diff(profiles + ["--json", "--by", measure])) == whole)
                #expect(try flat(diff([profiles[0], new, "--json", "--by", measure])) == whole)
                let type = "-sample_index=\(measure)_space"
                let theirs = try goToolPprof(["-top", type, "-diff_base", profiles[0], profiles[1]])
                let single = folder.file("diff.pb.gz")
                #expect(try diff([old, new, "--by", measure, "--pprof", single]).isEmpty)
                #expect(try table(in: goToolPprof(["-top", type, single])) == table(in: theirs))
            }
            let peak = try runProgram([siltExecutable, "diff"] + profiles + ["--by", "peak"])
            #expect(peak.status == 3)
            #expect(peak.errors.contains("old.pb.gz: it is of profiles, which know no peak: compare --by inuse"))
        }

        @Test func momentsOfATraceThatRanFreelyAreCompared() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("growth", into: folder)
            let recording = folder.file("run.silt")
            let run = try runProgram([
                siltExecutable, "run", "--out", recording, "--snapshot-every", "100ms", "--", program, "2",
            ])
            #expect(run.status == 0)
            let text = try diff([recording, "--between", "start", "end"])
            #expect(text.contains("build_string growth.c"))
            // The sums are those that were recorded with the snapshots.
            let rows = try consume([
                "sqlite3", recording, "SELECT inuse_space FROM snapshots WHERE snapshot IN (5, 12) ORDER BY snapshot",
            ]).split(separator: "\n").compactMap { Double($0) }
            try #require(rows.count == 2)
            let json = try diff([recording, "--json", "--between", "5", "12"])
            let root = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            #expect(root["change"] as? Double == rows[1] - rows[0])
            #expect((root["before"] as? [String: Any])?["bytes"] as? Double == rows[0])
            let unknown = try runProgram([siltExecutable, "diff", recording, "--between", "orders", "end"])
            #expect(unknown.status == 3)
            #expect(unknown.errors.contains("there is no moment orders: the trace ran freely"))
        }

        /// Two rounds of load, in which the service keeps what it is asked for.
        @Test func phasesOfAHuntAreComparedByRequest() throws {
            let folder = try ScratchFolder()
            let recording = folder.file("hunt.silt")
            let server = """
                import socketserver, sys
                kept = []
                class Handler(socketserver.StreamRequestHandler):
                    def handle(self):
                        for line in self.rfile:
                            if line.startswith(b"keep"): kept.append(bytearray(5000))
                            self.wfile.write(b"done\\n")
                socketserver.UnixStreamServer(sys.argv[1], Handler).serve_forever()
                """
            let load = """
                import socket, sys
                with socket.socket(socket.AF_UNIX) as link:
                    link.connect(sys.argv[1])
                    file = link.makefile("rwb", buffering=0)
                    for _ in range(100):
                        file.write(sys.argv[2].encode() + b"\\n")
                        file.readline()
                print("silt: requests=100")
                """
            try server.write(toFile: folder.file("server.py"), atomically: false, encoding: .utf8)
            try load.write(toFile: folder.file("load.py"), atomically: false, encoding: .utf8)
            let socket = folder.file("s")
            func phase(_ name: String) -> [String] {
                ["--phase", "\(name)=python3 \(folder.file("load.py")) \(socket) \(name)"]
            }
            let hunted = try runProgram(
                [siltExecutable, "hunt", "--out", recording, "--idle", "1s", "--max-rounds", "8"]
                    + ["--ready", "unix:\(socket)"]
                    + phase("keep") + phase("drop")
                    + ["--", "/usr/bin/python3", folder.file("server.py"), socket],
                environment: ["PYTHONMALLOC": "malloc"]
            )
            #expect(hunted.status == 1, "\(hunted.errors)")
            func change(_ options: [String]) throws -> Double {
                let json = try diff([recording, "--json"] + options)
                let root = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
                return try #require(root["change"] as? Double)
            }
            // Each request keeps 5,000 bytes and the object around them.
            let kept = try change(["--per", "request", "--between", "keep:1", "keep"])
            #expect(kept > 5000 && kept < 5300, "\(kept)")
            let dropped = try change(["--per", "request", "--between", "drop:1", "drop"])
            #expect(dropped.magnitude < 100, "\(dropped)")
            let whole = try change(["--between", "start", "end"])
            let parts = try change(["--between", "start", "keep:2"]) + change(["--between", "keep:2", "end"])
            #expect(whole == parts)
            let folded = folder.file("diff.folded")
            #expect(try diff([recording, "--between", "keep:start", "keep", "--folded", folded]).isEmpty)
            let titles = try flameGraphTitles(String(contentsOfFile: folded, encoding: .utf8))
            #expect(titles.count > 10)
        }

        @Test(arguments: [
            (["a.silt"], 2, "name two recordings"),
            (["a", "b", "--between", "1", "2"], 2, "two moments of one recording"),
            (["a", "--between", "1"], 2, "--between takes two moments"),
            (["--between", "1", "2", "a"], 2, "Missing expected argument"),
            (["a", "b", "--per", "request", "--folded", "-"], 2, "leave out --per"),
            (["a", "b", "--by", "peak", "--pprof", "x"], 2, "leave out --by peak"),
            (["a", "b", "--json", "--folded", "-"], 2, "two outputs go to the same place"),
            (["/nowhere/a", "/nowhere/b"], 3, "/nowhere/a"),
        ])
        func whatCannotBeComparedIsSaid(arguments: [String], status: Int32, message: String) throws {
            let result = try runProgram([siltExecutable, "diff"] + arguments)
            #expect(result.status == status)
            #expect(result.errors.contains(message), "\(result.errors)")
            #expect(result.output.isEmpty)
        }
    }
}
