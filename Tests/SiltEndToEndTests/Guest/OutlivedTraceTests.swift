import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Whatever becomes of the trace: the command runs as long as it would, and silt ends with its status.
    struct OutlivedTraces {
        /// Allocates all the time for about that many seconds, then makes the file `done` and ends with 4.
        private func busy(_ folder: ScratchFolder) throws -> String {
            let text = #"""
                #include <stdlib.h>
                #include <time.h>
                #include <fcntl.h>
                static volatile void *kept[997];
                int main(int argc, char **argv) {
                    time_t end = time(NULL) + atoi(argv[1]);
                    for (unsigned long n = 1; time(NULL) <= end || n % 100000; n++) {
                        unsigned long at = n * 2654435761u % 997;
                        free((void *)kept[at]);
                        kept[at] = malloc(16 + n % 500);
                    }
                    return open("done", O_CREAT | O_WRONLY, 0600) < 0 ? 5 : 4;
                }
                """#
            try text.write(toFile: folder.file("busy.c"), atomically: false, encoding: .utf8)
            let built = try runProgram(["gcc", "-O1", "-w", "-o", folder.file("busy"), folder.file("busy.c")])
            guard built.status == 0 else { throw TestSetupError(description: built.errors) }
            return folder.file("busy")
        }

        private static let damages = [
            "rm -f run.silt*", "rm -rf ../kept/*", "dd if=/dev/urandom of=run.silt bs=8192 count=30 conv=notrunc 2>&-",
            ": >run.silt; : >run.silt-wal", "for file in run.silt*; do : >$file; done",
        ]

        @Test func theCommandOutlivesADamagedRecording() throws {
            let results = try atOnce(Self.damages) { damage in
                let folder = try ScratchFolder()
                let busy = try busy(folder)
                let script = #"""
                    mkdir kept && cd kept || exit
                    "$silt" run --out run.silt --snapshot-every 50ms -- \
                        sh -c '\#(busy) 0; \#(damage); \#(busy) 1' 2>../errors
                    echo $?; ls done; cat ../errors >&2
                    """#
                return try EndToEnd.bash(script, in: folder)
            }
            for (result, damage) in zip(results, Self.damages) {
                #expect(result.output == "4\ndone\n", "\(damage): \(result.errors)")
                #expect(result.errors.contains(". Nothing more is recorded"), "\(damage): \(result.errors)")
                #expect(result.errors.contains("silt: recorded for the first "), "\(damage): \(result.errors)")
            }
        }

        /// RLIMIT_FSIZE: the kernel would end silt with SIGXFSZ.
        ///
        /// The command gets the limit that silt came with.
        @Test func theCommandOutlivesAFullRecording() throws {
            let folder = try ScratchFolder()
            let busy = try busy(folder)
            let script = #"""
                (ulimit -S -f 700
                "$silt" run --out run.silt --snapshot-every 20ms -- \
                    sh -c '[ "$(ulimit -S -f)" = 1400 ] && echo limited; ulimit -S -f unlimited; exec \#(busy) 1' 2>errors
                echo $?); ls done
                """#
            let result = try EndToEnd.bash(script, in: folder)
            #expect(result.output == "limited\n4\ndone\n", "\(result.errors)")
            let errors = try String(contentsOfFile: folder.file("errors"), encoding: .utf8)
            #expect(errors.hasPrefix("silt: cannot write run.silt: "), "said at once: \(errors)")
            #expect(errors.contains("\nsilt: recorded for the first "), "and before the report: \(errors)")
        }

        @Test(.enabled(if: getuid() == 0, "mounting needs root"))
        func theCommandOutlivesAFullDisk() throws {
            let folder = try ScratchFolder()
            let busy = try busy(folder)
            let script = #"""
                mkdir small && unshare -m sh -c 'mount -t tmpfs -o size=400k none small || exit
                    "$silt" run --out small/run.silt --snapshot-every 20ms -- \#(busy) 1 2>errors; echo $?'
                ls done
                """#
            let result = try EndToEnd.bash(script, in: folder)
            #expect(result.output == "4\ndone\n", "\(result.errors)")
            let errors = try String(contentsOfFile: folder.file("errors"), encoding: .utf8)
            #expect(errors.hasPrefix("silt: cannot write small/run.silt: "), "\(errors)")
        }

        /// The raw stream ends; the recording is whole.
        @Test(arguments: ["--events /dev/full", "--events events"])
        func aTraceOutlivesItsRawStream(option: String) throws {
            let folder = try ScratchFolder()
            let busy = try busy(folder)
            let limit = option.hasSuffix("full") ? "" : "ulimit -S -f 3000;"
            let script = #"""
                (\#(limit) "$silt" run --out run.silt --snapshot-every 250ms \#(option) -- \
                    sh -c 'ulimit -S -f unlimited; exec \#(busy) 1' 2>errors
                echo $?); ls done; grep -c ': the raw stream ends' errors
                """#
            let result = try EndToEnd.bash(script, in: folder)
            #expect(result.output == "4\ndone\n2\n", "said at once and at the end: \(result.errors)")
            #expect(try report(of: folder.file("run.silt")).trust.lost == 0)
        }

        /// Before its command starts; what the first one writes stays as it is.
        @Test func aSecondSiltThatWouldWriteTheSameFileIsRefused() throws {
            let script = #"""
                "$silt" run --out run.silt --events events -- sh -c 'touch ready; sleep 1; exit 4' >&- 2>first & pid=$!
                while ! [ -e ready ]; do sleep 0.05; done
                "$silt" run --out run.silt -- touch second 2>refused; echo $?
                "$silt" run --events events -- touch second 2>>refused; echo $?
                "$silt" listen --out run.silt socket 2>>refused; echo $?
                wait $pid; echo $?; ls second socket 2>&- | wc -l; grep -c 'another silt' refused
                "$silt" report run.silt | grep -c '^complete: all '
                "$silt" report events | grep -c '^complete: all '
                "$silt" run --out run.silt -- true 2>&-; echo $?
                """#
            let result = try EndToEnd.bash(script, in: ScratchFolder())
            #expect(result.output == "3\n3\n3\n4\n0\n3\n1\n1\n0\n", "\(result.errors)")
        }

        /// Ctrl-S: a line of progress that waits holds nobody up.
        @Test func aStoppedTerminalHoldsNobodyUp() throws {
            let folder = try ScratchFolder()
            let busy = try busy(folder)
            let terminal = try Pseudoterminal()
            let silt = try StartedProgram(
                [
                    siltExecutable, "run", "--out", folder.file("run.silt"), "--snapshot-every", "50ms", "--", "sh",
                    "-c",
                    "cd \(folder.path); touch ready; \(busy) 2",
                ],
                errors: terminal.path
            )
            defer { silt.end() }
            try waitForFile(folder.file("ready"))
            terminal.press(0x13)
            try waitForFile(folder.file("done"))
            terminal.press(0x11)
            let text = terminal.text(until: silt)
            #expect(try silt.wait(seconds: 1) == 4)
            #expect(text.contains("\ncomplete: all "), "the report comes then")
        }

        @Test func aPipeThatNobodyReadsHoldsNobodyUp() throws {
            let folder = try ScratchFolder()
            let busy = try busy(folder)
            let script = #"""
                mkfifo full; exec 3<>full; head -c 65536 /dev/zero >&3
                "$silt" run --serve :0 --snapshot-every 50ms -- \#(busy) 1 2>&3; echo $?; ls done
                """#
            let result = try EndToEnd.bash(script, in: folder)
            #expect(result.output == "4\ndone\n", "\(result.errors)")
        }
    }
}
