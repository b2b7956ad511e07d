import SiltTestSupport
import Testing

/// What a run under the comparing build of the shim said (Tests/Unwinding/verify.c).
private struct Comparison {
    var compared = 0
    var different = 0
    var untabled = 0
    var truncated = 0
    var further = 0
    /// Captures that were stepped with all registers.
    var slow = 0
    /// The first differences in full.
    var details = ""
}

/// What the suite needs could not be built.
private struct BuildError: Error, CustomStringConvertible {
    var description: String
}

/// Builds of the shim, the drain and the workloads for one suite.
private struct UnwindingTools {
    let folder: ScratchFolder
    let drain: String
    let shim: String

    /// Builds them; throws with the compiler's words.
    init() throws {
        folder = try ScratchFolder()
        let root = packageRoot.path()
        drain = folder.file("drain")
        shim = folder.file("libsilt.so")
        try Self.run([
            "gcc", "-O1", "-I\(root)CShim/wire", "-o", drain, root + "Tests/Unwinding/drain.c",
        ])
        try Self.run([
            "sh", root + "CShim/build.sh", root + "CShim", folder.path, "-DSILT_VERIFY_STACKS",
            root + "Tests/Unwinding/verify.c",
        ])
    }

    /// The shim as it is delivered.
    func buildPlainShim() throws -> String {
        let output = folder.file("plain")
        try Self.run(["mkdir", "-p", output])
        try Self.run(["sh", packageRoot.path() + "CShim/build.sh", packageRoot.path() + "CShim", output])
        return output + "/libsilt.so"
    }

    static func run(_ command: [String]) throws {
        let result = try runProgram(command)
        guard result.status == 0 else {
            throw BuildError(description: "\(command.joined(separator: " ")): \(result.errors)")
        }
    }

    /// Builds a workload, `NAME.c` or `NAME.cpp`, with an optimization level.
    func build(_ source: String, _ flags: [String], as name: String) throws -> String {
        let executable = folder.file(name)
        let compiler = source.hasSuffix(".cpp") ? "g++" : "gcc"
        let path = packageRoot.path() + "Tests/Workloads/" + source
        try Self.run([compiler, "-g", "-fno-optimize-sibling-calls", "-o", executable, path] + flags)
        return executable
    }

    /// Runs a command under the comparing shim, which must not change what it prints.
    func compare(_ command: [String], every: Int = 1, environment: [String: String] = [:]) throws -> Comparison {
        let plain = try runProgram(command, environment: environment)
        let output = folder.file("comparison")
        try Self.run(["rm", "-f", output])
        let settings = ["SILT_VERIFY_OUT": output, "SILT_VERIFY_EVERY": "\(every)"]
        let result = try runProgram([drain, shim] + command, environment: environment.merging(settings) { $1 })
        #expect(result.status == plain.status)
        #expect(result.output == plain.output)
        var comparison = Comparison()
        for line in try runProgram(["cat", output]).output.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.first == "total", words.count == 11 else {
                comparison.details += line + "\n"
                continue
            }
            let counts = stride(from: 2, to: 11, by: 2).map { Int(words[$0]) ?? 0 }
            comparison.compared += counts[0]
            comparison.different += counts[1]
            comparison.untabled += counts[2]
            comparison.truncated += counts[3]
            comparison.further += counts[4]
        }
        let words = result.errors.split(separator: "\n").last { $0.hasPrefix("drain:") }?.split(separator: " ") ?? []
        if let place = words.firstIndex(of: "slow") { comparison.slow = Int(words[place + 1]) ?? 0 }
        return comparison
    }
}

extension EndToEnd {
    /// Stacks of the shim against those of libunwind's `unw_step`, address by address.
    ///
    /// The two end differently in two places, and both are asserted here: code without unwind tables that leaves rbp alone,
    /// where unw_step guesses on by the frame pointer and the shim says that the stack is incomplete; and recursion deeper than 2048
    /// frames, where the shim names between 1024 and 2048 innermost frames and says that they are not all.
    @Suite(.serialized)
    struct Unwinding {
        private static let tools: Result<UnwindingTools, any Error> = Result { try UnwindingTools() }

        @Test(arguments: [
            ("exceptions.cpp", "-O0", ["60"]), ("exceptions.cpp", "-O1", ["60"]), ("exceptions.cpp", "-O2", ["60"]),
            ("frames.c", "-O0", ["150"]), ("frames.c", "-O1", ["150"]), ("frames.c", "-O2", ["150"]),
            ("handlers.c", "-O0", ["600"]), ("handlers.c", "-O2", ["600"]),
            ("coroutines.c", "-O1", ["8000", "4"]), ("coroutines.c", "-O2", ["8000", "20"]),
            ("odd_frames.c", "-O1", ["60"]), ("deep.c", "-O1", ["1500", "300"]),
        ])
        func everyStackEqualsLibunwinds(source: String, level: String, arguments: [String]) throws {
            let tools = try Self.tools.get()
            let program = try tools.build(source, [level], as: "program")
            // Those of frees as well.
            let result = try tools.compare([program] + arguments, environment: ["SILT_FREE_STACKS": "1"])
            #expect(result.compared > 1500)
            #expect(result.different == 0, "\(result.details)")
            #expect(result.untabled == 0)
            #expect(result.truncated == 0)
            #expect(result.further == 0)
            #expect((result.slow > 0) == (source == "odd_frames.c"))
        }

        @Test(arguments: [
            (
                [
                    "perl", "-e",
                    "my %h; $h{join '-', $_ % 1000, $_ % 7} .= \"a$_\" for 1..60000; print scalar sort keys %h",
                ], 5
            ),
            (
                [
                    "python3", "-c",
                    "import json; print(len(json.dumps([json.loads('{\"a\": [1, 2.5, null]}')] * 3000)))",
                ], 5
            ),
            (
                [
                    "sqlite3", ":memory:",
                    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 9000) select count(distinct hex(i * i)) from n",
                ], 2
            ),
            (["g++", "-x", "c++", "-O1", "-S", "-o", "-", packageRoot.path() + "Tests/Workloads/exceptions.cpp"], 29),
        ])
        func stacksOfRealProgramsEqualLibunwinds(command: [String], every: Int) throws {
            let environment = ["PYTHONMALLOC": "malloc", "SILT_FREE_STACKS": "1"]
            let result = try Self.tools.get().compare(command, every: every, environment: environment)
            #expect(result.compared > 2000)
            #expect(result.different == 0, "\(result.details)")
            #expect(result.untabled == 0)
            #expect(result.further == 0)
        }

        @Test func aLibraryLoadedWhereAnotherWasClosedIsUnwoundByItsOwnTables() throws {
            let tools = try Self.tools.get()
            let program = try tools.build("reload.c", ["-O1"], as: "reload")
            let libraries = try (1...4).map { variant in
                try tools.build(
                    "reloaded.c",
                    ["-O1", "-shared", "-fPIC", "-DVARIANT=\(variant)"],
                    as: "reloaded\(variant).so"
                )
            }
            let result = try tools.compare([program, "100"] + libraries)
            #expect(result.compared > 4000)
            #expect(result.different == 0, "\(result.details)")
            #expect(try runProgram([program, "100"] + libraries).output == "mostly at the same place\n")
        }

        @Test(arguments: ["anew", "protected", "shared", "stays", "again"])
        func stacksThroughGeneratedCodeEqualLibunwinds(way: String) throws {
            let tools = try Self.tools.get()
            let program = try tools.build("generated.c", ["-O1", "-fno-omit-frame-pointer"], as: "generated")
            let result = try tools.compare([program, way])
            #expect(result.compared == 200)
            #expect(result.different == 0, "\(result.details)")
            #expect(result.untabled == 0)
        }

        /// Assembly of a module, between functions that have tables: also where a frame needs all registers.
        @Test func codeWithoutTablesThatKeepsItsFrameByRbpIsWalkedThrough() throws {
            let tools = try Self.tools.get()
            let program = try tools.build("odd_frames.c", ["-O1"], as: "framed")
            let result = try tools.compare([program, "50", "framed"])
            #expect(result.compared > 1500)
            #expect(result.different == 0, "\(result.details)")
            #expect(result.untabled == 0)
            #expect(result.further == 0)
        }

        @Test func codeWithoutTablesEndsAStackThatIsMarkedIncomplete() throws {
            let tools = try Self.tools.get()
            let program = try tools.build("odd_frames.c", ["-O1"], as: "untold")
            let result = try tools.compare([program, "50", "untold"])
            #expect(result.different == 0, "\(result.details)")
            #expect(result.untabled == 50)
        }

        @Test func aFrameByARegisterThatThereIsNotEndsAStack() throws {
            let tools = try Self.tools.get()
            let program = try tools.build("odd_frames.c", ["-O1"], as: "astray")
            let result = try tools.compare([program, "50", "astray"])
            #expect(result.different == 0, "\(result.details)")
            #expect(result.untabled == 150)
        }

        @Test func aRecursionBeyondTheLimitIsNamedByItsInnermostFrames() throws {
            let tools = try Self.tools.get()
            let program = try tools.build("deep.c", ["-O1"], as: "deep")
            let result = try tools.compare([program, "10000", "10"], every: 17)
            #expect(result.different == 0, "\(result.details)")
            #expect(result.truncated > 300)
        }

        /// A gate on a ratio in one run: the captures at the deepest point are the same ones.
        @Test func aCaptureTenTimesAsDeepInARecursionCostsAboutTheSame() throws {
            let tools = try Self.tools.get()
            let program = try tools.build("deep.c", ["-O1"], as: "deep")
            let shim = try tools.buildPlainShim()
            func cpuSeconds(depth: Int) throws -> Double {
                let runs = try (0..<3).map { _ in
                    let result = try runProgram([tools.drain, shim, program, "\(depth)", "15000"])
                    let words = result.errors.split(separator: " ")
                    return try #require(words.firstIndex(of: "cpu").flatMap { Double(words[$0 + 1]) })
                }
                return try #require(runs.min())
            }
            #expect(try cpuSeconds(depth: 30000) < 2 * cpuSeconds(depth: 3000))
        }
    }
}
