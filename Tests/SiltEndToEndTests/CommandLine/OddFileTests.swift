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

        @Test func noOutputReplacesARecording() throws {
            let folder = try ScratchFolder()
            let recording = folder.file("r.silt")
            _ = try runProgram([siltExecutable, "run", "--out", recording, "--", "sqlite3", ":memory:", "SELECT 1"])
            let before = try Data(contentsOf: URL(fileURLWithPath: recording))
            let outputs = [
                "--html", "--pprof", "--csv", "--folded", "--firefox", "--speedscope", "--markdown", "--sarif",
            ]
            let commands =
                outputs.map { ["report", recording, $0, recording] } + [
                    ["diff", recording, recording, "--pprof", recording], ["check", recording, "--junit", recording],
                ]
            for command in commands {
                let result = try runProgram([siltExecutable] + command)
                #expect(
                    result.status > 1 && result.errors.contains("it is a recording"),
                    "\(command): \(result.errors)"
                )
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: recording)) == before)
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
                let expected: [Int32] = words[0] == "run" ? [126] : [1, 2, 3, 64]
                #expect(expected.contains(result.status), "\(words): \(result.status)")
                #expect(!(result.output + result.errors).isEmpty, "\(words)")
            }
        }

        @Test func eventsIntoAPipeThatNobodyReadsAreRefusedAtOnce() throws {
            let folder = try ScratchFolder()
            #expect(mkfifo(folder.file("fifo"), 0o700) == 0)
            let result = try runProgram(
                [siltExecutable, "run", "--out", folder.file("r.silt"), "--events", folder.file("fifo"), "--", "true"],
                seconds: 20
            )
            #expect(result.status == 3, "\(result.status): \(result.errors)")
            #expect(result.errors.contains("nobody reads this pipe"), "\(result.errors)")
        }

        @Test(arguments: ["width", "trough_space", "inuse_space", "alloc_objects"])
        func samplesWithAbsurdNumbersDoNotEndTheReport(column: String) throws {
            let folder = try ScratchFolder()
            let recording = folder.file("r.silt")
            let words = ["run", "--out", recording, "--snapshot-every", "50ms", "--", "python3", "-c"]
            let script = "import time; a = [bytearray(2000) for i in range(99) if not time.sleep(0.01)]"
            let run = try runProgram([siltExecutable] + words + [script], seconds: 60)
            #expect(run.status == 0, "\(run.errors)")
            let change = "UPDATE site_samples SET \(column) = 9223372036854775807; SELECT changes() > 0"
            #expect(try runProgram(["sqlite3", recording, change]).output == "1\n")
            let report = try runProgram([siltExecutable, "report", recording], seconds: 60)
            #expect([0, 3].contains(report.status), "\(report.status): \(report.errors)")
        }

        @Test func whatCannotBeWrittenIsSaidAndFails() throws {
            let folder = try ScratchFolder()
            let recording = folder.file("r.silt")
            let run = try runProgram([siltExecutable, "run", "--out", recording, "--", "sleep", "0.1"], seconds: 60)
            #expect(run.status == 0, "\(run.errors)")
            let commands = [
                "check \(recording) --json >/dev/full", "report \(recording) --json >/dev/full",
                "report \(recording) >/dev/full", "dashboard >/dev/full", "man >/dev/full",
                "report \(recording) --csv /dev/full", "check \(recording) --junit /dev/full >/dev/null",
            ]
            for command in commands {
                let result = try runProgram(["sh", "-c", "\"$0\" " + command, siltExecutable], seconds: 60)
                #expect(result.status == 3, "\(command): \(result.status)")
                #expect(result.errors.contains("No space left on device"), "\(command): \(result.errors)")
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
