import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Programs that cannot be traced are refused before they run, in the same words by `doctor` and by `run`.
    @Suite(.serialized)
    struct Refusals {
        private func check(_ program: String, _ problem: String, _ remedy: String, status: Int32 = 3) throws {
            let doctor = try runProgram([siltExecutable, "doctor", program])
            #expect(doctor.status == 3)
            #expect(doctor.output.contains("cannot be traced: \(problem)"), "\(doctor.output)")
            #expect(doctor.output.contains("instead: \(remedy)"), "\(doctor.output)")
            let run = try runProgram([siltExecutable, "run", "--", program])
            #expect(run.status == status)
            #expect(run.output == "", "it must not have run")
            let said = problem.replacing("\(program): ", with: "").replacing("\(program) is", with: "it is")
            #expect(run.errors.contains("cannot \(status == 3 ? "trace" : "run") \(program): \(said)"), "\(run.errors)")
            #expect(run.errors.contains("instead: \(remedy)"), "\(run.errors)")
        }

        private func compile(_ text: String, _ flags: [String], in folder: ScratchFolder) throws -> String {
            let program = folder.file("program")
            try text.write(toFile: folder.file("program.c"), atomically: false, encoding: .utf8)
            let built = try runProgram(["gcc", folder.file("program.c"), "-o", program] + flags)
            #expect(built.status == 0, "\(built.errors)")
            return program
        }

        private static let hello = "#include <stdio.h>\nint main(void) { puts(\"ran\"); return 0; }\n"

        @Test func aStaticProgram() throws {
            let folder = try ScratchFolder()
            try check(
                try compile(Self.hello, ["-static"], in: folder),
                "statically linked: no dynamic loader runs",
                "link it dynamically"
            )
            try check(
                try compile(Self.hello, ["-static-pie"], in: folder),
                "statically linked: no dynamic loader runs",
                "link it dynamically"
            )
        }

        @Test func aProgramOfAnotherCLibrary() throws {
            let folder = try ScratchFolder()
            let loader = "/lib/ld-musl-x86_64.so.1"
            try check(
                try compile(Self.hello, ["-Wl,--dynamic-linker=\(loader)"], in: folder),
                "linked against musl (\(loader))",
                "build it for glibc"
            )
        }

        @Test func aThirtyTwoBitProgram() throws {
            let folder = try ScratchFolder()
            // An ELF header alone: class 32, little-endian, ET_EXEC, EM_386 (gABI, "ELF Header").
            var header: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0] + Array(repeating: 0, count: 8)
            header +=
                [2, 0, 3, 0, 1, 0, 0, 0] + Array(repeating: 0, count: 16) + [52, 0, 32, 0, 0, 0, 40, 0, 0, 0, 0, 0]
            let program = folder.file("program")
            try Data(header).write(to: URL(filePath: program))
            _ = try runProgram(["chmod", "755", program])
            try check(program, "a 32-bit program; the preload library is 64-bit", "trace a 64-bit x86 build of it")
        }

        @Test func aSetuidProgram() throws {
            let folder = try ScratchFolder()
            let program = try compile(Self.hello, [], in: folder)
            // Only root may give a file away; anybody's own setgid bit counts as well.
            _ = try runProgram(["chown", "65534:65534", program])
            #expect(try runProgram(["chmod", "6755", program]).status == 0)
            try check(program, "setuid or setgid: the loader ignores LD_PRELOAD for it", "run a copy without the bit")
        }

        @Test func aProgramWithItsOwnMalloc() throws {
            let folder = try ScratchFolder()
            let text = """
                #include <stddef.h>
                static char pool[1 << 20]; static size_t at;
                void *malloc(size_t n) { void *p = pool + at; at += (n + 15) & ~(size_t)15; return p; }
                void free(void *p) { (void)p; }
                int main(void) { return malloc(5) == 0; }
                """
            try check(
                try compile(text, ["-fno-builtin"], in: folder),
                "malloc is defined inside the executable",
                "build it with the allocator as a shared library"
            )
        }

        @Test func aProgramUnderASanitizer() throws {
            let folder = try ScratchFolder()
            try check(
                try compile(Self.hello, ["-fsanitize=address"], in: folder),
                "built with AddressSanitizer, which replaces malloc and must be the first library",
                "trace a build without -fsanitize"
            )
        }

        /// Neither would a shell run it: the status is the one that scripts know.
        @Test func whatIsNoProgram() throws {
            let folder = try ScratchFolder()
            let none = folder.file("none")
            try check(none, "\(none): no such file", "check the name", status: 127)
            let text = folder.file("text")
            try "no text\0".write(toFile: text, atomically: false, encoding: .utf8)
            try check(text, "\(text) is not executable", "chmod +x it", status: 126)
            _ = try runProgram(["chmod", "755", text])
            try check(text, "\(text) is neither an ELF program nor a script", "name the program that runs", status: 126)
            try check("/usr/bin", "/usr/bin is a directory", "name a program in it", status: 126)
        }

        @Test func aProgramOfTheWorkingDirectoryIsNamedByItsPath() throws {
            let folder = try ScratchFolder()
            try "".write(toFile: folder.file("program-of-here"), atomically: false, encoding: .utf8)
            _ = try runProgram(["chmod", "755", folder.file("program-of-here")])
            let words = "cd \"$1\" && \"$2\" run program-of-here"
            let run = try runProgram(["/bin/sh", "-c", words, "sh", folder.path, siltExecutable])
            #expect(run.status == 127)
            #expect(run.errors.contains("instead: give its path: ./program-of-here"), "\(run.errors)")
        }

        /// execvp(3) has the shell run the one, and a loader is a program that takes libraries in (ld.so(8)).
        @Test func whatRunsAsACommandIsTraced() throws {
            let folder = try ScratchFolder()
            let script = folder.file("script")
            try "/bin/echo ran; exit 6".write(toFile: script, atomically: false, encoding: .utf8)
            _ = try runProgram(["chmod", "755", script])
            let (byShell, shell) = try trace([script])
            #expect(byShell.status == 6)
            #expect(byShell.output == "ran\n")
            #expect(shell.untraced.isEmpty)
            let loader = "/lib64/ld-linux-x86-64.so.2"
            let (byLoader, report) = try trace([loader, "/bin/sh", "-c", "/bin/echo ran; exit 5"])
            #expect(byLoader.status == 5)
            #expect(byLoader.output == "ran\n")
            #expect(report.untraced.isEmpty)
            #expect(report.processes.count == 2)
        }

        @Test func aScriptIsItsInterpreter() throws {
            let folder = try ScratchFolder()
            let script = folder.file("script")
            try "#!/usr/bin/env bash\necho ran\n".write(toFile: script, atomically: false, encoding: .utf8)
            _ = try runProgram(["chmod", "755", script])
            let doctor = try runProgram([siltExecutable, "doctor", script])
            #expect(doctor.status == 0)
            #expect(doctor.output.contains("\(script) is a script"))
            #expect(doctor.output.contains("program: ") && doctor.output.contains("/bash"))
            let (result, report) = try trace([script])
            #expect(result.output == "ran\n")
            #expect(report.totals.allocObjects > 100)
        }

        /// Preloaded by hand behind an allocator: said by the listener, since nothing would be seen.
        @Test func anAllocatorInFrontOfTheLibraryIsNamed() throws {
            let folder = try ScratchFolder()
            let library = folder.file("libsilt.so")
            let socket = folder.file("s")
            _ = try runProgram([siltExecutable, "shim", library])
            let jemalloc = Operators.jemalloc
            let script = """
                \(siltExecutable) listen \(socket) & silt=$!
                while ! [ -S \(socket) ]; do sleep 0.05; done
                LD_PRELOAD=\(jemalloc):\(library) SILT_SOCKET=\(socket) /bin/true; sleep 0.5
                kill -TERM $silt; wait $silt
                """
            let result = try runProgram(["bash", "-c", script])
            #expect(result.errors.contains("is not traced: its malloc is that of \(jemalloc)"), "\(result.errors)")
        }
    }
}
