import SiltTestSupport
import Testing

/// `small_stacks` and the libraries that it calls.
private struct SmallStackPrograms {
    let folder: ScratchFolder
    let program: String
    /// One that calls malloc, and one that calls operator new.
    let libraries: [String]

    init() throws {
        folder = try ScratchFolder()
        program = try buildWorkload("small_stacks", into: folder)
        libraries = [folder.file("made.so"), folder.file("made++.so")]
        for (compiler, library) in zip([["gcc"], ["g++", "-x", "c++"]], libraries) {
            let source = packageRoot.path() + "Tests/Workloads/made.c"
            let result = try runProgram(compiler + ["-O1", "-g", "-shared", "-fPIC", "-o", library, source])
            guard result.status == 0 else { throw TestSetupError(description: result.errors) }
        }
    }
}

extension EndToEnd {
    /// Hooks on stacks with little room: alternate stacks of signal handlers, and those of coroutines.
    @Suite(.serialized)
    struct SmallStacks {
        private static let programs: Result<SmallStackPrograms, any Error> = Result { try SmallStackPrograms() }

        @Test(arguments: [
            "library", "operator", "stack", "ring", "thread", "child", "mapping", "free", "realloc",
            "open", "pipe", "segment", "message", "execute", "vfork",
            "coroutine-library", "coroutine-operator", "coroutine-stack", "coroutine-ring", "coroutine-mapping",
        ])
        func whatRunsOnAFewBytesOfStackRunsOn512MoreUnderSilt(situation: String) throws {
            let programs = try Self.programs.get()
            func survives(on bytes: Int, under tracer: [String] = []) throws -> Bool {
                try runProgram(tracer + [programs.program, situation, "\(bytes)"] + programs.libraries).status == 0
            }
            let measured = try runProgram([programs.program, situation, "0"] + programs.libraries)
            let depth = try #require(Int(measured.output.dropLast()), "\(measured.errors)")
            var least = (depth + 63) / 64 * 64
            while try !survives(on: least) {
                least += 64
                try #require(least < depth + 4096)
            }
            let recording = programs.folder.file(situation + ".silt")
            #expect(try survives(on: least + 512, under: [siltExecutable, "run", "--out", recording, "--"]))
        }
    }
}
