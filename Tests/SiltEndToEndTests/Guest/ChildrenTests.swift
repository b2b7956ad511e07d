import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Children that cannot be traced run as without silt, and are named (CShim/docs/children.md).
    @Suite(.serialized)
    struct Children {
        /// By what a program is started; those of the C library that hand on environ as it is, and what no library sees.
        private static let hooked: Set<String> = [
            "execve", "execv", "execvp", "execvpe", "execl", "execle", "execlp", "fexecve", "execveat", "posix_spawn",
            "posix_spawnp", "vfork",
        ]
        private static let shells: Set<String> = ["system", "popen"]
        private static let unseen: Set<String> = ["raw"]
        private static let doors = hooked.union(shells).union(unseen)

        /// What went through the doors, as the program, its standard error and the recording have it.
        private struct Passage {
            var output: String
            var errors: String
            /// Doors through which the program was named, and the reasons.
            var named: Set<String> = []
            var reasons: Set<String> = []
            var traced: Set<String> = []
            var shellReasons: Set<String> = []
        }

        /// Starts the program once through each door; `how` as of doors.c.
        private func pass(_ program: String, _ how: [String] = [], in folder: ScratchFolder) throws -> Passage {
            let doors = try buildWorkload("doors", into: folder)
            let kinds = folder.file("kinds")
            try FileManager.default.createDirectory(atPath: kinds, withIntermediateDirectories: true)
            for door in Self.doors {
                try FileManager.default.createSymbolicLink(
                    atPath: kinds + "/" + door,
                    withDestinationPath: program
                )
            }
            _ = try runProgram(["chmod", "-R", "a+rX", folder.path])
            let recording = folder.file("run.silt")
            // The report goes to standard error too: that of the programs is kept apart.
            let errors = folder.file("theirs")
            let script = "exec 2>\(errors); exec \(doors) \(kinds) \(how.joined(separator: " "))"
            let result = try runProgram([siltExecutable, "run", "--out", recording, "--", "sh", "-c", script])
            #expect(result.status == 0)
            let report = try SiltTestSupport.report(of: recording)
            var passage = Passage(
                output: result.output,
                errors: try String(contentsOfFile: errors, encoding: .utf8)
            )
            for untraced in report.untraced {
                let name = untraced.program.split(separator: "/").last.map(String.init) ?? ""
                // fexecve names what the descriptor refers to.
                let door = untraced.program == program ? "fexecve" : name
                if Self.doors.contains(door) {
                    passage.named.insert(door)
                    passage.reasons.insert(untraced.reason)
                    #expect(untraced.processes == 1, "\(untraced)")
                } else {
                    passage.shellReasons.insert(untraced.reason)
                }
            }
            for process in report.processes where process.command.hasPrefix(kinds) {
                let words = process.command.split(separator: " ")[0].split(separator: "/")
                passage.traced.insert(words.last.map(String.init) ?? "")
            }
            return passage
        }

        private static let child = """
            #include <stdlib.h>
            int main(void) { char *volatile block = malloc(11); free(block); return 0; }
            """

        /// Nil, with a word, when this machine cannot build it.
        private func compile(_ flags: [String], in folder: ScratchFolder, by compiler: String = "gcc") throws -> String?
        {
            let program = folder.file("child")
            try Self.child.write(toFile: folder.file("child.c"), atomically: false, encoding: .utf8)
            let built = try runProgram([compiler, folder.file("child.c"), "-o", program] + flags)
            if built.status != 0 { print("skipped: \(compiler) \(flags) builds nothing here") }
            return built.status == 0 ? program : nil
        }

        @Test func aProgramThatCanBeTracedIsTracedThroughEveryDoor() throws {
            let folder = try ScratchFolder()
            let passage = try pass(try #require(try compile([], in: folder)), in: folder)
            #expect(passage.output == "")
            #expect(passage.errors == "")
            #expect(passage.named == [])
            // execveat was given the folder in place of a path, which is what the program got as its name.
            #expect(passage.traced.subtracting(["kinds"]) == Self.doors.subtracting(["execveat"]))
        }

        @Test func aStaticProgramIsNamed() throws {
            let folder = try ScratchFolder()
            let passage = try pass(try #require(try compile(["-static"], in: folder)), in: folder)
            #expect(passage.output == "")
            #expect(passage.errors == "")
            #expect(passage.named == Self.hooked.union(Self.shells))
            #expect(passage.reasons == ["statically linked"])
        }

        @Test func aProgramOfAnotherLoaderRunsWithoutTheLibraryAndIsNamed() throws {
            let folder = try ScratchFolder()
            let loader = folder.file("ld.so")
            #expect(try runProgram(["cp", "-L", "/lib64/ld-linux-x86-64.so.2", loader]).status == 0)
            let program = try #require(try compile(["-Wl,--dynamic-linker=\(loader)"], in: folder))
            let passage = try pass(program, in: folder)
            #expect(passage.output == "")
            #expect(passage.errors == "")
            #expect(passage.named == Self.hooked.union(Self.shells))
            #expect(passage.reasons == ["another C library, or another copy of it"])
        }

        /// An emulator hands the variable on to a loader of another machine; env(1) stands for it here.
        @Test func anEmulatorRunsWithoutTheLibraryAndIsNamed() throws {
            let folder = try ScratchFolder()
            let emulator = folder.file("qemu-aarch64-static")
            #expect(try runProgram(["cp", "-L", "/usr/bin/env", emulator]).status == 0)
            let recording = folder.file("run.silt")
            let result = try runProgram([siltExecutable, "run", "--out", recording, "--", "sh", "-c", "\(emulator); :"])
            #expect(result.status == 0)
            #expect(result.output.contains("PATH="))
            #expect(!result.output.contains("LD_PRELOAD"))
            let untraced = try SiltTestSupport.report(of: recording).untraced
            #expect(untraced.filter { $0.program == emulator }.map(\.reason) == ["for another machine"])
        }

        @Test func aMuslProgramRunsWithoutTheLibraryAndIsNamed() throws {
            let folder = try ScratchFolder()
            guard let program = try compile([], in: folder, by: "musl-gcc") else { return }
            let passage = try pass(program, in: folder)
            #expect(passage.output == "")
            #expect(passage.errors == "")
            #expect(passage.named == Self.hooked.union(Self.shells))
            #expect(passage.reasons == ["another C library, or another copy of it"])
        }

        @Test func aThirtyTwoBitProgramRunsWithoutTheLibraryAndIsNamed() throws {
            let folder = try ScratchFolder()
            guard let program = try compile(["-m32"], in: folder) else { return }
            let passage = try pass(program, in: folder)
            #expect(passage.output == "")
            #expect(passage.errors == "")
            #expect(passage.named == Self.hooked.union(Self.shells))
            #expect(passage.reasons == ["32-bit"])
        }

        @Test func aProgramUnderASanitizerRunsWithoutTheLibraryAndIsNamed() throws {
            let folder = try ScratchFolder()
            guard let program = try compile(["-fsanitize=address"], in: folder) else { return }
            let passage = try pass(program, in: folder)
            // The runtime ends a program that was given another library first.
            #expect(passage.output == "raw: 1\n")
            #expect(passage.named == Self.hooked.union(Self.shells))
            #expect(passage.reasons == ["a sanitizer's runtime must come first"])
        }

        @Test func aProgramWhoseEnvironmentWasEmptiedIsNamed() throws {
            let folder = try ScratchFolder()
            let passage = try pass(try #require(try compile([], in: folder)), ["empty"], in: folder)
            #expect(passage.output == "")
            #expect(passage.errors == "")
            #expect(passage.named == Self.hooked)
            #expect(passage.reasons == ["its environment was emptied"])
            #expect(passage.shellReasons == passage.reasons)
            #expect(passage.traced == [])
        }

        @Test func aProgramOfAnotherUserRunsInSilenceAndIsNamed() throws {
            guard getuid() == 0 else {
                print("skipped: no right to become another user")
                return
            }
            let folder = try ScratchFolder()
            let passage = try pass(try #require(try compile([], in: folder)), ["user"], in: folder)
            #expect(passage.output == "")
            #expect(passage.errors == "")
            #expect(passage.named == Self.hooked)
            #expect(passage.reasons == ["another user"])
            #expect(passage.shellReasons == passage.reasons)
            #expect(passage.traced == [])
        }

        @Test func aSanitizersRuntimeAmongTheUsersPreloadsStaysTheFirst() throws {
            let folder = try ScratchFolder()
            let runtime = try runProgram(["gcc", "-print-file-name=libasan.so"]).output.filter { !$0.isNewline }
            guard runtime.hasPrefix("/"), let program = try compile([], in: folder) else {
                print("skipped: no libasan.so here")
                return
            }
            // The compiler's libasan.so may be a linker script or a link: what the loader wants is its target.
            let library = URL(filePath: runtime).resolvingSymlinksInPath().path()
            let result = try runProgram(
                [siltExecutable, "run", "--", "sh", "-c", "\(program); exit 5"],
                environment: ["LD_PRELOAD": library, "ASAN_OPTIONS": "detect_leaks=0"]
            )
            #expect(result.status == 5)
            #expect(!result.errors.contains("does not come first"), "\(result.errors)")
            #expect(result.errors.contains("was not traced: its malloc is that of"), "\(result.errors)")
        }

        /// Neither says a word: what is seen of them is that they run.
        @Test(arguments: [["fork"], []]) func whatARawCallStartedIsNamedFromOutside(how: [String]) throws {
            let folder = try ScratchFolder()
            let program = folder.file("raw")
            let text = """
                #include <stdlib.h>
                #include <sys/syscall.h>
                #include <sys/wait.h>
                #include <unistd.h>
                int main(int count, char **arguments) {
                    char *volatile block = malloc(11), *next[] = {"sleep", "5", NULL}, *none[] = {NULL};
                    free(block);
                    if (count > 1 && fork() > 0) return wait(NULL) < 0;
                    syscall(SYS_execve, "/bin/sleep", next, none);
                    return 1;
                }
                """
            try text.write(toFile: folder.file("raw.c"), atomically: false, encoding: .utf8)
            #expect(try runProgram(["gcc", folder.file("raw.c"), "-o", program]).status == 0)
            let (result, report) = try trace([program] + how)
            #expect(result.status == 0)
            let sleeps = report.untraced.filter { $0.program.hasSuffix("/sleep") }
            #expect(sleeps.map(\.reason) == ["its environment was emptied"])
            #expect(sleeps.map(\.became) == [how.isEmpty ? "raw" : ""])
            let flat = result.errors.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(flat.contains("sleep") && flat.contains("was not traced: its environment was emptied"), "\(flat)")
            #expect(flat.hasPrefix("INCONCLUSIVE"), "\(flat)")
        }

        /// The library is put where other users can load it from; never where others could put another in its place.
        @Test func aFolderThatOthersMayWriteToHoldsNoLibrary() throws {
            let folder = try ScratchFolder()
            let run = [siltExecutable, "run", "--", "sh", "-c", "echo $LD_PRELOAD"]
            let cache = folder.file("cache")
            func preload(_ mode: String, _ parentMode: String = "755") throws -> String {
                try FileManager.default.createDirectory(atPath: cache + "/silt", withIntermediateDirectories: true)
                #expect(try runProgram(["chmod", mode, cache + "/silt"]).status == 0)
                #expect(try runProgram(["chmod", parentMode, cache, folder.path]).status == 0)
                return try runProgram(run, environment: ["XDG_CACHE_HOME": cache]).output
            }
            #expect(try preload("755").hasPrefix(cache + "/silt/$LIB/libsilt-"))
            // Not open to others: only where there is no other place.
            #expect(try !preload("700", "700").hasPrefix(cache))
            #expect(try !preload("777").hasPrefix(cache))
            #expect(try !preload("755", "777").hasPrefix(cache))
            let mode = try FileManager.default.attributesOfItem(atPath: cache + "/silt")[.posixPermissions]
            #expect(mode as? Int == 0o755)
        }

        @Test func whatBecomesOfTheCommandIsTheFirstThingSaid() throws {
            let folder = try ScratchFolder()
            let program = try #require(try compile(["-static"], in: folder))
            let itself = try runProgram([siltExecutable, "run", "--", "sh", "-c", "exec \(program)"])
            #expect(itself.status == 0)
            let flat = itself.errors.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(
                flat.hasPrefix("INCONCLUSIVE: sh became \(program), which was not traced: statically linked"),
                "\(itself.errors)"
            )
            let twice = try runProgram([siltExecutable, "run", "--", "sh", "-c", "\(program); \(program); true"])
            let line = twice.errors.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(line.contains("not followed: 2 processes: \(program) (statically linked)"), "\(twice.errors)")
        }

        @Test func theUsersOwnPreloadsReachTheChildByteForByte() throws {
            let folder = try ScratchFolder()
            let loader = folder.file("ld.so")
            #expect(try runProgram(["cp", "-L", "/lib64/ld-linux-x86-64.so.2", loader]).status == 0)
            let program = folder.file("child")
            let text = """
                #include <stdio.h>
                #include <stdlib.h>
                int main(void) { const char *all = getenv("LD_PRELOAD"); puts(all ? all : "none"); return 0; }
                """
            try text.write(toFile: folder.file("child.c"), atomically: false, encoding: .utf8)
            let flags = ["-o", program, "-Wl,--dynamic-linker=\(loader)"]
            #expect(try runProgram(["gcc", folder.file("child.c")] + flags).status == 0)
            let run = [siltExecutable, "run", "--", "sh", "-c"]
            #expect(try runProgram(run + ["\(program); true"]).output == "none\n")
            for theirs in ["libm.so.6", "libm.so.6: libm.so.6", " libm.so.6::libm.so.6:", ":"] {
                let result = try runProgram(run + ["\(program); true"], environment: ["LD_PRELOAD": theirs])
                #expect(result.output == theirs + "\n")
            }
        }

        @Test func aProgramThatDoesNotStartIsNotNamed() throws {
            let folder = try ScratchFolder()
            let file = folder.file("static")
            // Passes for a static program until the kernel reads its header.
            var header: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + Array(repeating: 0, count: 8)
            header += [3, 0, 62, 0, 1, 0, 0, 0] + Array(repeating: 0, count: 24) + [0, 0, 0, 0, 64, 0, 56, 0]
            try Data(header + Array(repeating: 0, count: 64)).write(to: URL(filePath: file))
            _ = try runProgram(["chmod", "755", file])
            let (result, report) = try trace([
                "python3", "-c", "import os\ntry: os.execv('\(file)', ['x'])\nexcept OSError: print('refused')",
            ])
            #expect(result.output == "refused\n")
            #expect(report.untraced.isEmpty)
        }
    }
}
