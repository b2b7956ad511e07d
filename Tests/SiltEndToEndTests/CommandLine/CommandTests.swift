import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// What the commands print, where, and with which exit status.
    struct Commands {
        @Test(arguments: [("exit 0", 0), ("exit 9", 9), ("kill -TERM $$", 143), ("kill -KILL $$", 137)])
        func runEndsWithTheStatusOfTheCommand(script: String, status: Int32) throws {
            let result = try runProgram([siltExecutable, "run", "--", "/bin/sh", "-c", "echo to output; \(script)"])
            #expect(result.status == status)
            #expect(result.output == "to output\n", "the command's own output stays as it is")
            #expect(result.errors.contains("\ncomplete: all "))
        }

        @Test func aProcessIsShownWithAllItsWords() throws {
            let (_, report) = try trace(["/bin/sh", "-c", "exit 0", "", "a b", "it's"])
            #expect(report.processes.first?.command == "/bin/sh -c 'exit 0' '' 'a b' 'it'\\''s'")
        }

        @Test func aCommandThatIsNotThereIsNamedAndNothingIsMeasured() throws {
            let result = try runProgram([siltExecutable, "run", "--", "no-such-program-here"])
            #expect(result.status == 127)
            #expect(result.errors.contains("no-such-program-here: no such program on PATH"))
        }

        @Test(arguments: [
            ["run"], ["diff"], ["run", "--snapshot-every", "1 fortnight", "--", "true"],
            ["report", "--by", "age", "x"],
            ["nonsense"],
        ])
        func wrongUseEndsWithStatusTwoAndSaysWhy(words: [String]) throws {
            let result = try runProgram([siltExecutable] + words)
            #expect(result.status == 2)
            #expect(result.errors.contains("Usage: silt"))
        }

        @Test(arguments: [
            (["--out", "x", "ls"], "--out goes behind a command: silt run --out …"),
            (["rnu"], "rnu is not a command of silt: did you mean silt run?"),
            (["a.silt"], "silt --help lists them; to read a recording: silt report a.silt"),
            (["./server"], "./server is not a command of silt: silt --help lists them; to trace a program: silt run"),
            (["--", "./server", "--port"], "to trace a command: silt run -- ./server --port"),
            (["report", "--limti", "3"], "unknown option --limti: did you mean --limit?\nUsage: silt report"),
            (["report", "x.silt", "--limit", "-1"], "The value '-1' is invalid for '--limit"),
            (["run", "--snapshot-evry", "1s", "--", "true"], "--snapshot-evry: did you mean --snapshot-every?"),
            (["run", "--jso", "true"], "option --jso: silt run --help lists them; the command stands after --"),
            (["run", "-x=3", "true"], "unknown option -x"),
            (["help", "reprot"], "reprot is not a command of silt: did you mean silt help report?"),
            (["help", "foo"], "foo is not a command of silt: silt --help lists them"),
        ])
        func aMistypedWordIsNamedAndRunsNothing(words: [String], advice: String) throws {
            let result = try runProgram([siltExecutable] + words)
            #expect(result.status == 2)
            #expect(result.errors.contains(advice), "\(result.errors)")
        }

        @Test func doctorNamesTheCommandLineOfARunningProcess() throws {
            let sleeper = try StartedProgram(["sleep", "30.5"])
            defer { sleeper.end() }
            let result = try runProgram([siltExecutable, "doctor", "\(sleeper.pid)"])
            #expect(result.output.contains("can be traced: silt run -- sleep 30.5"), "\(result.output)")
        }

        @Test func doctorSaysOfAProcessWhetherItIsTraced() throws {
            let folder = try ScratchFolder()
            let library = folder.file("libsilt.so")
            #expect(try runProgram([siltExecutable, "shim", library]).status == 0)
            let recording = folder.file("run.silt")
            let options = ["run", "--out", recording, "--", "sh", "-c", "echo $$ > \(folder.file("pid")); sleep 30"]
            let traced = try StartedProgram([siltExecutable] + options)
            defer { traced.end() }
            try waitUntil("the shell is there") {
                (try? String(contentsOfFile: folder.file("pid"), encoding: .utf8))?.hasSuffix("\n") == true
            }
            let pid = try String(contentsOfFile: folder.file("pid"), encoding: .utf8).dropLast()
            let text = try consume([siltExecutable, "doctor", String(pid)])
            #expect(text.contains("it is being traced, into \(recording)"), "\(text)")
            #expect(text.contains("silt top \(pid)"), "\(text)")
            // Preloaded, and told nothing.
            let silent = try StartedProgram(["env", "LD_PRELOAD=\(library)", "sleep", "30"])
            defer { silent.end() }
            try waitUntil("sleep runs") {
                try runProgram([siltExecutable, "doctor", "\(silent.pid)"]).output.contains(
                    "it has the preload library and is not being traced: neither SILT_OUT nor SILT_SOCKET was set"
                )
            }
        }

        @Test(.enabled(if: geteuid() == 0)) func doctorNamesWhatIsAroundAProcess() throws {
            let sleeper = try StartedProgram(["unshare", "--mount", "--", "setpriv", "--reuid", "65534", "sleep", "30"])
            defer { sleeper.end() }
            try waitUntil("sleep runs") {
                try runProgram([siltExecutable, "doctor", "\(sleeper.pid)"]).output.contains("/sleep\n")
            }
            let text = try consume([siltExecutable, "doctor", "\(sleeper.pid)"])
            #expect(text.contains("user:    nobody"), "\(text)")
            #expect(text.contains("container: it has its own namespaces (mnt)"), "\(text)")
            // A unit is a control group by its name.
            let group = "/sys/fs/cgroup/pids/silt\(sleeper.pid).service"
            if mkdir(group, 0o755) == 0 {
                defer { rmdir(group) }
                try "\(sleeper.pid)".write(toFile: group + "/cgroup.procs", atomically: false, encoding: .utf8)
                let text = try consume([siltExecutable, "doctor", "\(sleeper.pid)"])
                #expect(text.contains("unit:    silt\(sleeper.pid).service"), "\(text)")
                sleeper.end()
            }
            let gone = try runProgram([siltExecutable, "doctor", "2147483647"])
            #expect(gone.status == 3 && gone.errors == "silt: no process 2147483647\n", "\(gone.errors)")
        }

        @Test(arguments: [
            ("/usr/bin/python3", "Python", "PYTHONMALLOC=malloc"), ("java", "Java", "GC.class_histogram"),
            ("node", "Node.js", "--heapsnapshot-signal"), ("php", "PHP", "USE_ZEND_ALLOC=0"),
        ])
        func doctorSaysWhatIsSeenOfAnotherLanguage(program: String, name: String, advice: String) throws {
            let result = try runProgram([siltExecutable, "doctor", program])
            guard result.status == 0 else {
                #expect(result.output.contains("no such program on PATH"), "\(result.output)")
                return
            }
            #expect(result.output.contains("\(name) in it; silt sees: "), "\(result.output)")
            #expect(result.output.contains("silt does not see: "), "\(result.output)")
            #expect(result.output.contains(advice), "\(result.output)")
        }

        @Test func listenSaysWhereItListensAndWhatItTraces() throws {
            let folder = try ScratchFolder()
            let errors = folder.file("errors")
            let socket = folder.file("socket")
            let listener = try StartedProgram([siltExecutable, "listen", "--once", socket], errors: errors)
            defer { listener.end() }
            try waitForFile(socket)
            let library = folder.file("libsilt.so")
            #expect(try runProgram([siltExecutable, "shim", library]).status == 0)
            let environment = ["LD_PRELOAD": library, "SILT_SOCKET": socket]
            #expect(try runProgram(["/bin/sh", "-c", "/bin/ls; /bin/ls"], environment: environment).status == 0)
            #expect(try listener.wait(seconds: 20) == 0)
            let said = try String(contentsOfFile: errors, encoding: .utf8)
            #expect(said.contains("SILT_SOCKET=\(socket)"))
            #expect(said.components(separatedBy: "silt: tracing ").count == 1 + 2, "\(said)")
        }

        @Test func aWidthIsAskedForByColumnsWhereThereIsNoTerminal() throws {
            let folder = try ScratchFolder()
            let recording = folder.file("run.silt")
            #expect(try runProgram([siltExecutable, "run", "--out", recording, "--", "ls", "--help"]).status == 0)
            // A command that is printed is never cut, whatever it names.
            let words = ["env", "-C", folder.path, siltExecutable, "report", "run.silt"]
            let narrow = try runProgram(words, environment: ["COLUMNS": "60"]).output
            #expect(narrow.split(separator: "\n").allSatisfy { $0.count <= 60 }, "\(narrow)")
            #expect(try runProgram(words, environment: ["COLUMNS": "no number"]).output.contains { $0 != " " })
        }

        @Test(arguments: [
            "run", "hunt", "check", "report", "diff", "doctor", "listen", "mark", "shim", "demo", "top", "serve",
            "dashboard", "completions", "man",
        ])
        func everyCommandHelpsWithAnExampleIn80Columns(command: String) throws {
            let result = try runProgram([siltExecutable, command, "--help"])
            #expect(result.status == 0)
            #expect(result.output.contains("\nsilt \(command)"))
            #expect(result.output.split(separator: "\n").filter { $0.count > 80 } == [])
        }

        @Test func helpFits80Columns() throws {
            let result = try runProgram([siltExecutable, "--help"])
            #expect(result.status == 0)
            #expect(result.output.split(separator: "\n").filter { $0.count > 80 } == [])
        }

        @Test func aPathThatNoPreloadCanNameIsRefusedAndNothingIsWritten() throws {
            let folder = try ScratchFolder()
            for name in ["a b.so", "a:b.so"] {
                let result = try runProgram([siltExecutable, "shim", folder.file(name)])
                #expect(result.status == 2)
                #expect(result.errors.contains("has a space or a colon in it"), "\(result.errors)")
                #expect(!FileManager.default.fileExists(atPath: folder.file(name)))
            }
        }

        @Test func aPreloadLibraryIsWrittenOverAnOlderOneAndOverNothingElse() throws {
            let folder = try ScratchFolder()
            let (library, notes, link) = (folder.file("libsilt.so"), folder.file("notes"), folder.file("link"))
            func write(_ path: String) throws -> ProgramResult { try runProgram([siltExecutable, "shim", path]) }
            try Data().write(to: URL(filePath: library))
            #expect(try write(library).status == 0, "an empty file is nothing")
            var older = try Data(contentsOf: URL(filePath: library))
            #expect(older.count > 4096)
            older[older.count / 2] ^= 1
            try older.write(to: URL(filePath: library))
            #expect(try write(library).status == 0)
            #expect(try Data(contentsOf: URL(filePath: library)) != older)
            try "what to buy\n".write(toFile: notes, atomically: false, encoding: .utf8)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: notes)
            for path in [notes, link, siltExecutable, "/dev/null"] {
                let result = try write(path)
                #expect(result.status == 3 && result.output.isEmpty)
                #expect(
                    result.errors.contains("\(path) is there and is no preload library of silt: name another path"),
                    "\(result.errors)"
                )
            }
            #expect(try String(contentsOfFile: link, encoding: .utf8) == "what to buy\n")
        }

        @Test func theRecordingAndItsEventsAreTwoFiles() throws {
            let folder = try ScratchFolder()
            let link = folder.file("link")
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path)
            for events in [folder.file("x"), folder.file("./x"), link + "/x"] {
                let options = ["--out", folder.file("x"), "--events", events]
                let result = try runProgram([siltExecutable, "run"] + options + ["--", "echo", "ran"])
                #expect(result.status == 2 && result.output.isEmpty)
                #expect(result.errors.contains("--out and --events both name \(folder.file("x"))"), "\(result.errors)")
            }
            #expect(!FileManager.default.fileExists(atPath: folder.file("x")))
            let apart = ["--out", folder.file("x"), "--events", folder.file("y")]
            #expect(try runProgram([siltExecutable, "run"] + apart + ["--", "true"]).status == 0)
        }

        @Test func theFirstInterruptGoesToTheCommandAndTheSecondEndsSilt() throws {
            let folder = try ScratchFolder()
            let program = folder.file("stubborn.sh")
            let script = "trap 'echo first; touch \(folder.file("first"))' INT\ntouch \(folder.file("ready"))\n"
            try (script + "i=0; while [ $i -lt 600 ]; do sleep 0.05; i=$((i+1)); done\n")
                .write(toFile: program, atomically: true, encoding: .utf8)
            let silt = try StartedProgram(
                [siltExecutable, "run", "--out", folder.file("run.silt"), "--", "/bin/sh", program])
            defer { silt.end() }
            try waitForFile(folder.file("ready"))
            kill(silt.pid, SIGINT)
            try waitForFile(folder.file("first"))
            #expect(silt.isRunning)
            kill(silt.pid, SIGINT)
            try waitUntil("silt ends") { !silt.isRunning }
            let report = try report(of: folder.file("run.silt"))
            #expect(report.trust.lost == 0)
        }

        @Test func aRecordingIsRenderedEveryWay() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("growth", into: folder)
            let recording = folder.file("run.silt")
            let options = ["--out", recording, "--snapshot-every", "100ms"]
            let run = try runProgram([siltExecutable, "run"] + options + ["--", program, "2"])
            #expect(run.status == 0)
            #expect(run.errors.hasPrefix("GROWING: 1 call site"))
            #expect(try permissions(of: recording) == 0o600)

            let text = try runProgram([siltExecutable, "report", recording]).output
            #expect(run.errors.hasPrefix(text), "a report of the recording is the report of the run")
            #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 })
            #expect(!text.contains("\u{1b}"))

            let top = try runProgram([siltExecutable, "report", recording, "--top", "--by", "alloc", "--limit", "3"])
            let columns = try #require(top.output.split(separator: "\n").first { $0.contains("flat%") })
            #expect(columns.split(separator: " ") == ["flat", "flat%", "sum%", "cum", "cum%"])
            for order in ["growth", "inuse", "alloc", "peak", "temporary"] {
                #expect(try runProgram([siltExecutable, "report", recording, "--by", order]).status == 0)
            }
            let folded = folder.file("folded")
            #expect(try runProgram([siltExecutable, "report", recording, "--folded", folded]).status == 0)
            let lines = try String(contentsOfFile: folded, encoding: .utf8).split(separator: "\n")
            #expect(lines.contains { $0.contains("main;leaky_caller;build_string ") })
            let full = try report(of: recording)
            let total = lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.reduce(0, +)
            #expect(total == full.totals.inuseSpace)
            let limited = try runProgram([siltExecutable, "report", recording, "--json", "--limit", "1"]).output
            #expect(limited.components(separatedBy: "\"rank\"").count == 2)
        }

        @Test(arguments: ["", "SQLite format 3\0 and then nothing", "no recording"])
        func aFileThatIsNoRecordingIsAnErrorThatSaysSo(content: String) throws {
            let folder = try ScratchFolder()
            try content.write(toFile: folder.file("bad.silt"), atomically: true, encoding: .utf8)
            let result = try runProgram([siltExecutable, "report", folder.file("bad.silt")])
            #expect(result.status == 3)
            #expect(result.output.isEmpty)
            #expect(result.errors.hasPrefix("silt: ") && result.errors.contains("bad.silt"))
        }

        @Test func theDemoNamesItsTwoLeaksAndAcquitsTheRest() throws {
            let result = try runProgram([siltExecutable, "demo", "--seconds", "8", "--limit", "10"])
            #expect(result.status == 0)
            let report = try #require(result.output.components(separatedBy: "\n\n").dropFirst().first)
            #expect(report.hasPrefix("GROWING: "))
            #expect(result.output.contains("handleOrder"))
            #expect(result.output.contains("recordHeartbeat"))
            let growing = result.output.components(separatedBy: "Looked suspicious, cleared").first ?? ""
            for innocent in ["handleUser", "handleSearch", "loadTable"] { #expect(!growing.contains(innocent)) }
        }

        private func permissions(of path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
    }
}
