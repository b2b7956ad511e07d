import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// FIFOs, devices and folders where silt looks for files: none of them holds it.
    @Suite(.serialized)
    struct OddFiles {
        private static let source = """
            #include <stdlib.h>
            void *volatile kept;
            __attribute__((noinline)) void *leak(void) { return malloc(500); }
            int main(void) { for (int i = 0; i < 500; i++) kept = leak(); return 0; }
            """

        /// A program whose debug information is said to lie in another file, which is a FIFO.
        private func program(in folder: ScratchFolder, split: Bool) throws -> String {
            try Self.source.write(toFile: folder.file("p.c"), atomically: false, encoding: .utf8)
            let script =
                split
                ? "gcc -O1 -g -gsplit-dwarf p.c -o p && rm -f *.dwo && mkfifo p.dwo p-p.dwo a-p.dwo p.dwp"
                : """
                gcc -O1 -g p.c -o p && objcopy --strip-debug p && echo x > p.debug \
                && objcopy --add-gnu-debuglink=p.debug p && rm p.debug && mkfifo p.debug
                """
            let made = try runProgram(["sh", "-c", "cd \"$1\" && " + script, "sh", folder.path])
            #expect(made.status == 0, "\(made.errors)")
            return folder.file("p")
        }

        @Test(arguments: [false, true])
        func aDebugFileThatIsAFIFOIsAbsent(split: Bool) throws {
            let folder = try ScratchFolder()
            let program = try program(in: folder, split: split)
            let result = try runProgram(
                [siltExecutable, "run", "--out", folder.file("r.silt"), "--", program],
                seconds: 60
            )
            #expect(result.status == 0)
            #expect(result.errors.contains("leak"), "\(result.errors)")
        }

        @Test func aSourceFileThatIsAFIFOIsNotShown() throws {
            let folder = try ScratchFolder()
            try Self.source.write(toFile: folder.file("p.c"), atomically: false, encoding: .utf8)
            let made = try runProgram([
                "sh", "-c", "cd \"$1\" && gcc -O1 -g p.c -o p && rm p.c && mkfifo p.c", "sh", folder.path,
            ])
            #expect(made.status == 0, "\(made.errors)")
            let recording = folder.file("r.silt")
            _ = try runProgram([siltExecutable, "run", "--out", recording, "--", folder.file("p")], seconds: 60)
            let list = try runProgram([siltExecutable, "report", recording, "--list", "leak"], seconds: 60)
            #expect(list.status == 0)
        }

        @Test(arguments: ["fifo", "folder", "/dev/zero", "/dev/null"])
        func whatIsNoFileIsRefusedAtOnce(name: String) throws {
            let folder = try ScratchFolder()
            #expect(mkfifo(folder.file("fifo"), 0o700) == 0)
            try FileManager.default.createDirectory(
                atPath: folder.file("folder"),
                withIntermediateDirectories: false
            )
            let path = name.hasPrefix("/") ? name : folder.file(name)
            let commands = [
                ["report", path], ["diff", path, path], ["run", "--", path], ["doctor", path], ["check", path],
                ["hunt", path],
            ]
            for words in commands {
                let result = try runProgram([siltExecutable] + words, seconds: 60)
                #expect([1, 2, 3, 64].contains(result.status), "\(words): \(result.status)")
                #expect(!(result.output + result.errors).isEmpty, "\(words)")
            }
        }

        @Test func aPipeThatSomebodyWritesIntoIsReadAsAPlan() throws {
            let folder = try ScratchFolder()
            let command = "\(siltExecutable) check <(echo 'nonsense: 1')"
            let result = try runProgram(["bash", "-c", command], seconds: 60)
            #expect(result.errors.contains("nonsense"), "\(result.errors) \(folder.path)")
        }
    }
}
