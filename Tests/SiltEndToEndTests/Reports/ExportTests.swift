import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Files for other tools, of real programs, as those tools read them.
    @Suite(.serialized)
    struct Exports {
        /// A program that was traced, and its profile.
        private final class Traced {
            let folder: ScratchFolder
            let recording: String
            let profile: String

            init(
                _ command: [String],
                in folder: ScratchFolder,
                options: [String] = [],
                environment: [String: String] = [:]
            ) throws {
                self.folder = folder
                recording = folder.file("run.silt")
                profile = folder.file("run.pb.gz")
                let run = try runProgram(
                    [siltExecutable, "run", "--out", recording] + options + ["--"] + command,
                    environment: environment
                )
                guard FileManager.default.fileExists(atPath: recording) else {
                    throw TestSetupError(description: run.errors)
                }
                #expect(try report(["--pprof", profile]).isEmpty)
            }

            func report(_ options: [String]) throws -> String {
                try consume([siltExecutable, "report", recording] + options)
            }
        }

        private static let types = ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"]

        /// What `go tool pprof` adds up over all samples, by sample type of blocks; those of other resources come behind.
        private func sums(_ profile: String) throws -> [Int] {
            var sums = [Int](repeating: 0, count: Self.types.count)
            for line in try goToolPprof(["-raw", profile]).split(separator: "\n") {
                guard let values = line.split(separator: ":").first?.split(separator: " ").map({ Int($0) }),
                    values.count >= sums.count, values.allSatisfy({ $0 != nil })
                else { continue }
                for (index, value) in values.prefix(sums.count).enumerated() { sums[index] += value ?? 0 }
            }
            return sums
        }

        private func expectSameTotals(_ traced: Traced) throws {
            let totals = try SiltTestSupport.report(of: traced.recording).totals
            #expect(
                try sums(traced.profile)
                    == [totals.allocObjects, totals.allocSpace, totals.inuseObjects, totals.inuseSpace]
            )
        }

        /// C with names, C++ with inlined functions, and a C program that was linked without any.
        @Test(arguments: [("growth", ["1"], [] as [String]), ("leaks_cpp", ["1"], ["-O2"]), ("growth", ["1"], ["-s"])])
        func goToolAgreesWithSilt(name: String, arguments: [String], flags: [String]) throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload(name, into: folder, flags: flags)
            let traced = try Traced([program] + arguments, in: folder, options: ["--snapshot-every", "100ms"])
            try expectSameTotals(traced)
            for (order, type) in [("inuse", "inuse_space"), ("alloc", "alloc_space")] {
                let theirs = try goToolPprof(["-top", "-symbolize=none", "-sample_index=\(type)", traced.profile])
                let ours = try traced.report(["--top", "--by", order])
                // Functions without a name are one row of their file there.
                if flags == ["-s"] {
                    #expect(theirs.contains("[growth]") && !theirs.contains("build_string"))
                    #expect(ours.contains("growth+0x"))
                } else if name == "growth" {
                    #expect(table(in: ours) == table(in: theirs))
                } else {
                    #expect(areSameLines(withoutUnnamed(ours), withoutUnnamed(theirs)), "\(ours)\n\(theirs)")
                    #expect(ours.contains("(inline)"))
                }
            }
            #expect(try goToolPprof(["-tree", "-symbolize=none", traced.profile]).contains("calls%"))
        }

        /// The lines of functions with a name, without the columns that add up those before.
        private func withoutUnnamed(_ text: String) -> [String] {
            table(in: text).split(separator: "\n").dropFirst().filter { !$0.contains(".so") }.map { line in
                let words = line.split(separator: " ")
                return words.enumerated().filter { $0.offset != 2 }.map(\.element).joined(separator: " ")
            }
        }

        @Test func goToolShowsTheLinesAndTheDifference() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("growth", into: folder)
            let traced = try Traced([program, "1"], in: folder, options: ["--snapshot-every", "100ms"])
            let leak = try SiltTestSupport.report(of: traced.recording).sites.first { $0.isGrowing }
            let bytes = try #require(leak).inuseSpace
            let listed = try goToolPprof(["-list", "build_string", "-unit=B", traced.profile])
            #expect(listed.contains("ROUTINE ======================== build_string in "))
            let line = try #require(listed.split(separator: "\n").first { $0.contains("char *text = malloc(bytes);") })
            #expect(line.split(separator: " ").prefix(3) == ["\(bytes)B", "\(bytes)B", "24:"])
            let none = try goToolPprof(["-top", "-diff_base", traced.profile, traced.profile])
            #expect(none.contains("Showing nodes accounting for 0, 0% of "))
            let growing = try goToolPprof(["-top", "-unit=B", "-tagfocus=verdict=growing", traced.profile])
            #expect(growing.contains("Showing nodes accounting for \(bytes)B"))
            let comments = try goToolPprof(["-comments", traced.profile]).split(separator: "\n")
            #expect(comments.first == "command: \(program) 1")
            #expect(comments.last?.hasPrefix("GROWING: 1 call site leaks") == true)
        }

        /// The threads' own names, and not that of who made them.
        @Test func samplesNameTheThreadsThatAllocated() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("named_threads", into: folder, flags: ["-O0"])
            let traced = try Traced([program], in: folder, options: ["--snapshot-every", "100ms"])
            try expectSameTotals(traced)
            func functions(_ thread: String) throws -> [String] {
                let options = [
                    "-top", "-symbolize=none", "-sample_index=inuse_objects", "-tagfocus=thread=^\(thread)$",
                ]
                return try goToolPprof(options + [traced.profile]).split(separator: "\n").compactMap { line in
                    let words = line.split(separator: " ")
                    return words.count == 6 && words[0] != "0" && words[5].hasPrefix("keep_")
                        ? "\(words[0]) \(words[5])" : nil
                }
            }
            // Of both, which have the same stack.
            #expect(try functions("reader") == ["100 keep_read", "80 keep_shared"])
            #expect(try functions("writer") == ["300 keep_written", "80 keep_shared"])
            #expect(try functions("named_threads") == ["7 keep_main"])
        }

        @Test func eachProcessHasItsSamples() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("forks", into: folder)
            let traced = try Traced([program, "5"], in: folder)
            try expectSameTotals(traced)
            let tags = try goToolPprof(["-tags", "-sample_index=alloc_objects", traced.profile])
            #expect(tags.contains("command: Total"))
            let processes = try SiltTestSupport.report(of: traced.recording).processes.filter {
                $0.totals.allocObjects > 0
            }
            #expect(processes.count == 6)
            for process in processes {
                let top = try runProgram([
                    "go", "tool", "pprof", "-top", "-sample_index=alloc_objects", "-tagfocus=pid=\(process.pid)",
                    traced.profile,
                ])
                #expect(top.output.contains("Showing nodes accounting for \(process.totals.allocObjects), "))
            }
        }

        /// Some 100,000 stacks; memory and size by the sample, not by what all stacks together have.
        @Test func anInterpretersHundredThousandStacksAreWritten() throws {
            let folder = try ScratchFolder()
            let script = """
                import ast, glob
                for path in sorted(glob.glob("/usr/lib/python3*/*.py"))[:18]:
                    text = open(path, encoding="utf-8", errors="replace").read()
                    compile(ast.parse(text), path, "exec")
                """
            let traced = try Traced(
                ["/usr/bin/python3", "-c", script],
                in: folder,
                environment: ["PYTHONMALLOC": "malloc"]
            )
            let counted = try consume(["sqlite3", traced.recording, "SELECT count(*) FROM counters"])
            #expect(try #require(Int(counted.dropLast())) > 100_000)
            try expectSameTotals(traced)
            let measured = try runProgram([
                "sh", "-c", "ulimit -v 1500000; exec \"$0\" \"$@\"", siltExecutable, "report", traced.recording,
                "--pprof", folder.file("again.pb.gz"),
            ])
            #expect(measured.status == 0, "\(measured.errors)")
            let files = try [traced.profile, folder.file("again.pb.gz")].map {
                try Data(contentsOf: URL(filePath: $0))
            }
            #expect(files[0] == files[1], "equal input gives equal files")
            #expect(files[0].count < 16 << 20)
        }

        @Test func severalFilesAreWrittenInOneCall() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("growth", into: folder)
            let traced = try Traced([program, "1"], in: folder, options: ["--snapshot-every", "100ms"])
            let names = ["pprof", "folded", "speedscope", "csv", "suppressions"]
            let options = names.flatMap { ["--" + $0, folder.file($0)] }
            #expect(try traced.report(options).isEmpty)
            #expect(try traced.report(options + ["--top"]) == traced.report(["--top"]))
            for name in names {
                let attributes = try FileManager.default.attributesOfItem(atPath: folder.file(name))
                #expect(attributes[.posixPermissions] as? Int == 0o600)
                #expect(try traced.report(["--" + name, "/dev/null"]).isEmpty)
                guard name != "pprof" else { continue }
                #expect(
                    try traced.report(["--" + name, "-"])
                        == String(contentsOfFile: folder.file(name), encoding: .utf8)
                )
            }
            let piped = try consume([
                "sh", "-c", "\"$0\" report \"$1\" --pprof - > \"$2\"", siltExecutable, traced.recording,
                folder.file("piped"),
            ])
            #expect(piped.isEmpty)
            #expect(try Data(contentsOf: URL(filePath: folder.file("piped"))).starts(with: [0x1f, 0x8b]))
            // The sums of what flamegraph.pl and SQLite read are the report's.
            let total = try SiltTestSupport.report(of: traced.recording).totals.inuseSpace
            let folded = try String(contentsOfFile: folder.file("folded"), encoding: .utf8)
            #expect(try flameGraphTitles(folded, options: ["--factor", "1"]).contains { $0.hasPrefix("all (") })
            #expect(
                folded.split(separator: "\n").compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
                    .reduce(0, +) == total
            )
            let sum = try consume(
                ["sqlite3"],
                input: ".mode csv\n.import \(folder.file("csv")) s\nSELECT sum(inuse_space) FROM s;\n"
            )
            #expect(sum == "\(total)\n" || sum == "\(total)\r\n")
        }

        @Test(arguments: [
            (["--csv", "-", "--folded", "-"], 2, "two outputs go to the same place"),
            (["--csv", "-", "--json"], 2, "two outputs go to the same place"),
            (["--csv", "/nowhere/x"], 3, "cannot write /nowhere/x: No such file or directory"),
            (["--folded", "/dev/full"], 3, "cannot write /dev/full: No space left on device"),
            (["--pprof", "/dev/full"], 3, "cannot write /dev/full: No space left on device"),
        ])
        func whatCannotBeWrittenIsSaid(options: [String], status: Int32, message: String) throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("counts", into: folder)
            let recording = folder.file("run.silt")
            _ = try runProgram([siltExecutable, "run", "--out", recording, "--", program])
            let result = try runProgram([siltExecutable, "report", recording] + options)
            #expect(result.status == status)
            #expect(result.errors.contains(message), "\(result.errors)")
        }

        /// What silt says to grow, LeakSanitizer no longer reports; without the file it does.
        @Test func suppressionsSilenceLeakSanitizerAndTheCheck() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("growth", into: folder)
            let traced = try Traced([program, "2"], in: folder, options: ["--snapshot-every", "100ms"])
            let file = folder.file("known.supp")
            #expect(try traced.report(["--suppressions", file]).isEmpty)
            #expect(try String(contentsOfFile: file, encoding: .utf8).contains("\nleak:^leaky_caller$\n"))
            let check = try runProgram([siltExecutable, "check", traced.recording, "--allow", file])
            #expect(check.status == 0)
            #expect(try runProgram([siltExecutable, "check", traced.recording]).status == 1)
            // LeakSanitizer goes by frame pointers.
            let flags = ["-fsanitize=leak", "-fno-omit-frame-pointer"]
            let sanitized = try buildWorkload("growth", into: folder, flags: flags)
            func run(_ options: String) throws -> ProgramResult {
                try runProgram([sanitized, "1"], environment: ["LSAN_OPTIONS": "exitcode=23" + options])
            }
            let plain = try run("")
            // It needs ptrace, which containers may forbid.
            guard !plain.errors.contains("LeakSanitizer has encountered a fatal error") else { return }
            #expect(plain.status == 23)
            #expect(try run(":suppressions=\(file)").status == 0)
        }
    }
}
