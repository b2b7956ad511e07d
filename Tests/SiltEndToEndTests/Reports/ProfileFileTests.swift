import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// `silt report` and `silt check` of files that a real Go service (Tests/Workloads/cgoserver) wrote.
    @Suite
    struct ProfileFiles {
        private let folder: ScratchFolder

        /// Fetches files under their names after the service has kept 300 orders of 1,536 bytes.
        init() throws {
            let folder = try ScratchFolder()
            self.folder = folder
            let port = try freePort()
            let executable = try buildGoWorkload("cgoserver", into: folder)
            let service = try StartedProgram([executable, "-listen", "127.0.0.1:\(port)", "-rate", "1"])
            defer { service.end() }
            let url = "http://127.0.0.1:\(port)"
            try waitUntil("the service listens") { connects(port: port) }
            _ = try consume(["curl", "-sS", "--fail", "-o", "/dev/null", "\(url)/order?[1-300]"])
            for (name, path) in [
                ("heap.pb.gz", "heap?gc=1"), ("allocs.pb.gz", "allocs"), ("goroutine.pb.gz", "goroutine"),
                ("cpu.pb.gz", "profile?seconds=1"), ("heap.txt", "heap?debug=1"),
                ("goroutine.txt", "goroutine?debug=1"),
                ("stacks.txt", "goroutine?debug=2"), ("index.html", ""), ("trace.out", "trace?seconds=0.1"),
            ] {
                _ = try consume(["curl", "-sS", "--fail", "-o", folder.file(name), "\(url)/debug/pprof/\(path)"])
            }
            let packed = try Data(contentsOf: URL(filePath: folder.file("heap.pb.gz")))
            _ = try consume(["sh", "-c", "gzip -dc '\(folder.file("heap.pb.gz"))' > '\(folder.file("heap.pb"))'"])
            let plain = try Data(contentsOf: URL(filePath: folder.file("heap.pb")))
            var damaged = packed
            damaged[packed.count / 2] ^= 0x55
            for (name, bytes) in [
                ("damaged.pb.gz", damaged), ("short.pb.gz", packed.dropLast(40)), ("short.pb", plain.dropLast(9)),
                ("empty", Data()), ("notes.txt", Data("what to buy\n".utf8)),
            ] { try bytes.write(to: URL(filePath: folder.file(name))) }
        }

        private func silt(_ command: String, _ name: String, _ options: [String] = []) throws -> ProgramResult {
            try runProgram([siltExecutable, command, folder.file(name)] + options)
        }

        @Test func everyViewOfAHeapProfileHasTheNumbersOfGoTool() throws {
            for (name, options, theirs) in [
                ("heap.pb.gz", [], []), ("heap.pb", [], []),
                ("heap.pb.gz", ["--limit", "1000"], ["-nodecount=1000", "-nodefraction=0", "-edgefraction=0"]),
                ("allocs.pb.gz", ["--by", "alloc"], ["-sample_index=alloc_space"]),
            ] {
                let ours = try silt("report", name, ["--top"] + options)
                #expect(ours.status == 0, "\(ours.errors)")
                #expect(ours.output.contains("main.(*shop).order"), "\(ours.output)")
                let expected = try goTop(name, theirs)
                let lines = [ours.output, expected].map { table(in: $0).components(separatedBy: "\n") }
                #expect(areSameLines(lines[0], lines[1]), "\(name) \(options): \(ours.output)")
            }
            let report = try report(of: folder.file("heap.pb.gz"))
            let order = try #require(report.sites(named: "main.newOrder").first)
            #expect((order.inuseSpace, order.inuseObjects) == (300 * 1536, 300))
            #expect(report.verdict == "inconclusive" && report.totals.inuseSpace > 300 * 1536)
            let text = try silt("report", "heap.pb.gz").output
            #expect(text.hasPrefix("INCONCLUSIVE: one profile says what is in use, not what grows\n"), "\(text)")
            #expect(text.contains("  1  main.newOrder  main.go:39 "), "\(text)")
        }

        private func goTop(_ name: String, _ options: [String]) throws -> String {
            try consume(
                ["sh", "-c", "go tool pprof -top -symbolize=none \"$@\" 2>/dev/null", "sh"] + options
                    + [folder.file(name)]
            )
        }

        /// The whole, and the rows without their running sum.
        ///
        /// Goroutines that have no stack yet are in the whole and in no row of `go tool pprof`.
        private func wholeAndRows(of text: String) -> (whole: Substring?, rows: [String]) {
            let lines = table(in: text).split(separator: "\n")
            let rows = lines.dropFirst(2).map { line in
                var columns = line.split(separator: " ")
                columns.remove(at: 2)
                return columns.joined(separator: " ")
            }
            return (lines.first?.split(separator: " of ").last, rows.filter { !$0.hasSuffix(" [incomplete]") })
        }

        @Test func aGoroutineProfileCountsGoroutines() throws {
            let everything = ["-nodecount=1000", "-nodefraction=0", "-edgefraction=0"]
            let theirs = wholeAndRows(of: try goTop("goroutine.pb.gz", everything))
            let ours = wholeAndRows(of: try silt("report", "goroutine.pb.gz", ["--top", "--limit", "1000"]).output)
            #expect(theirs.whole != nil && ours.whole == theirs.whole)
            #expect(!ours.rows.isEmpty && areSameLines(ours.rows, theirs.rows), "\(ours.rows)")
            let report = try report(of: folder.file("goroutine.pb.gz"))
            #expect(report.sites.allSatisfy { $0.kind == "goroutine" })
            #expect(report.sites.contains { $0.blame.function == "main.main" && $0.inuseObjects == 1 })
            let text = try silt("report", "goroutine.pb.gz").output
            #expect(text.contains("1 goroutine\n"), "\(text)")
            let all = report.sites.reduce(0) { $0 + $1.inuseObjects }
            #expect(text.contains("\n\(all) goroutines at the end\n"), "\(text)")
        }

        /// Go writes such a sample for a goroutine that is about to run for the first time.
        @Test func whatHasNoStackIsCountedAllTheSame() throws {
            let (before, packed) = (folder.file("before.pb"), folder.file("goroutine.pb.gz"))
            _ = try consume(["sh", "-c", "gzip -dc '\(packed)' > '\(before)'"])
            // One more message of the same format behind the first: a sample (2) of 5 objects (2) and no locations.
            let bytes = try Data(contentsOf: URL(filePath: before)) + [0x12, 0x02, 0x10, 0x05]
            try bytes.write(to: URL(filePath: folder.file("after.pb")))
            // The service may have had such a goroutine, too.
            let own = try report(of: packed).sites.first { $0.blame.function == "[incomplete]" }?.inuseObjects ?? 0
            let report = try report(of: folder.file("after.pb"))
            #expect(report.sites.first { $0.blame.function == "[incomplete]" }?.inuseObjects == own + 5)
            let all = report.sites.reduce(0) { $0 + $1.inuseObjects }
            let text = try silt("report", "after.pb").output
            #expect(text.contains("  1  [incomplete] "), "\(text)")
            #expect(text.contains("\n\(all) goroutines at the end\n"), "\(text)")
        }

        @Test func whatIsNoProfileOfMemoryIsNamedWithWhatToTakeInstead() throws {
            for (name, message) in [
                (
                    "cpu.pb.gz",
                    "the profile does not say what is in use, only samples/count, cpu/nanoseconds: take a heap"
                ),
                (
                    "heap.txt",
                    "is neither a recording nor a pprof profile: it is a profile in text form; take it without debug=1, or convert it with `go tool"
                ),
                (
                    "goroutine.txt",
                    "is neither a recording nor a pprof profile: it is a profile in text form; take it without debug=1"
                ),
                (
                    "stacks.txt",
                    "is neither a recording nor a pprof profile: it is a profile in text form; take it without debug=1"
                ),
                ("index.html", "is neither a recording nor a pprof profile: it is an HTML or XML page"),
                (
                    "trace.out",
                    "is neither a recording nor a pprof profile: it is an execution trace of Go; take /debug/pprof/heap"
                ),
                ("damaged.pb.gz", "the profile is damaged ("),
                ("short.pb.gz", "the profile breaks off after "), ("short.pb", "the profile breaks off after "),
                ("empty", "is neither a recording nor a pprof profile: it is empty"),
                ("notes.txt", "is neither a recording nor a pprof profile: its first bytes are no record of one"),
                ("nothing", "No such file or directory"),
            ] {
                let result = try silt("report", name)
                #expect(result.status == 3 && result.output.isEmpty, "\(name): \(result.output)")
                #expect(result.errors.contains(folder.file(name)), "\(name): \(result.errors)")
                #expect(result.errors.contains(message), "\(name): \(result.errors)")
            }
        }

        /// A profile is no measurement of growth: the gate neither passes nor fails, and says so.
        @Test func aProfileIsNoGate() throws {
            for (name, message) in [
                ("heap.pb.gz", "INCONCLUSIVE: one profile says what is in use, not what grows"),
                ("heap.pb", "INCONCLUSIVE: one profile says what is in use, not what grows"),
                ("goroutine.pb.gz", "INCONCLUSIVE: one profile says what is in use, not what grows"),
                ("cpu.pb.gz", "the profile does not say what is in use"),
                ("damaged.pb.gz", "the profile is damaged ("),
            ] {
                let result = try silt("check", name)
                #expect(result.status == 3, "\(name): \(result.output)\(result.errors)")
                #expect(result.output.replacing("\n ", with: "").contains(message), "\(name): \(result.output)")
            }
        }
    }
}
