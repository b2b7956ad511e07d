import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Each function that silt interposes against the real one, over edge cases (Tests/Workloads/hook_cases.cpp).
    @Suite(.serialized)
    struct Hooks {
        private static let program: Result<(folder: ScratchFolder, path: String), any Error> = Result {
            let folder = try ScratchFolder()
            return (folder, try buildWorkload("hook_cases", into: folder))
        }

        /// The names that the library exports: all of CShim/hook_table.h, and nothing else.
        private static func exported() throws -> Set<String> {
            let library = try program.get().folder.file("exports.so")
            try #require(try runProgram([siltExecutable, "shim", library]).status == 0)
            let lines = try consume(["nm", "-D", "--defined-only", library]).split(separator: "\n")
            // Some with their versions, which are symbols too.
            return Set(
                lines.map { $0.split(separator: " ") }.filter { $0[1] != "A" }.compactMap {
                    $0.last?.split(separator: "@").first.map(String.init)
                }
            )
        }

        private static func listed() throws -> [String] {
            try consume([try program.get().path, "list"]).split(separator: "\n").map(String.init)
        }

        @Test func everyExportedNameHasCases() throws {
            let exported = try Self.exported()
            #expect(exported.isSuperset(of: ["malloc", "_Znwm", "mmap", "close", "execve"]))
            // fork has no hook: the C library says of it.
            #expect(Set(try Self.listed()) == exported.union(["fork"]))
        }

        /// Also in a vDSO that was linked at a high address: to read its tables there was a fault at each start.
        @Test func addressesInDynamicSectionsAreFoundWhereverAModuleWasLinked() throws {
            let program = try buildWorkload("dynamic_pointers", into: Self.program.get().folder)
            let result = try runProgram([program])
            #expect(result.output == "")
            #expect(result.status == 0)
        }

        /// Of two runs: the lines at which they differ, with those before them.
        private func expectSame(_ run: ProgramResult, _ native: ProgramResult, _ way: String) {
            #expect(run.status == native.status, "\(way): \(run.errors.suffix(500))")
            let (ours, theirs) = (
                run.output.split(separator: "\n", omittingEmptySubsequences: false),
                native.output.split(separator: "\n", omittingEmptySubsequences: false)
            )
            #expect(ours.count == theirs.count, "\(way)")
            for (index, (our, their)) in zip(ours, theirs).enumerated() where our != their {
                Issue.record("\(way): line \(index + 1): \(our), without silt: \(their)")
            }
        }

        /// Under `silt run`, preloaded with an analyzer, and preloaded without one, when everything is passed through;
        /// "" stands for the allocator of the C library.
        @Test(arguments: ["", Operators.jemalloc, Operators.tcmalloc])
        func everyHookDoesWhatTheRealFunctionDoes(allocator: String) throws {
            let (folder, program) = try Self.program.get()
            var environment = allocator.isEmpty ? [:] : ["LD_PRELOAD": allocator]
            if try Self.exported().contains("close") { environment["HOOK_CASES_OWN_NUMBERS"] = "yes" }
            let library = folder.file("libsilt.so")
            try #require(try runProgram([siltExecutable, "shim", library]).status == 0)
            // In processes of their own, and all in one.
            for names in [[], allocator.isEmpty ? try Self.listed() : ["malloc"]] {
                let command = [program] + names
                let native = try runProgram(command, environment: environment)
                try #require(native.status == 0, "\(native.errors)")
                try #require(native.output.utf8.count > (names.count == 1 ? 500 : 100_000))
                let run = folder.file("run\(UUID().uuidString).silt")
                let traced = try runProgram(
                    [siltExecutable, "run", "--out", run, "--"] + command,
                    environment: environment
                )
                expectSame(traced, native, "silt run")
                // tcmalloc answers some requests of nearly 2^64 bytes with a block: more than a number of JSON's readers.
                if allocator.isEmpty {
                    let trust = try report(of: run).trust
                    #expect(trust.lost == 0 && trust.eventsSent == trust.eventsReceived)
                }
                for order in allocator.isEmpty ? [library] : ["\(library) \(allocator)", "\(allocator) \(library)"] {
                    let recording = folder.file("run\(UUID().uuidString).silt")
                    let preload = environment.merging(["LD_PRELOAD": order, "SILT_BIN": siltExecutable]) { $1 }
                    let recorded = try runProgram(
                        command,
                        environment: preload.merging(["SILT_OUT": recording]) { $1 }
                    )
                    expectSame(recorded, native, "preload of \(order)")
                    #expect(recorded.errors == native.errors)
                    expectSame(try runProgram(command, environment: preload), native, "silent preload of \(order)")
                }
            }
        }
    }
}
