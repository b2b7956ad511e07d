import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// The preload library without `silt run`: as in a systemd unit or a container's entry point.
    @Suite(.serialized)
    struct Preload {
        /// A folder with the library, `silt` beside it, and a recording to be made.
        struct Installation {
            let folder: ScratchFolder
            let library: String
            let recording: String

            init(besideIt: Bool = true) throws {
                folder = try ScratchFolder()
                library = folder.file("libsilt.so")
                recording = folder.file("run.silt")
                guard try runProgram([siltExecutable, "shim", library]).status == 0 else {
                    throw TestSetupError(description: "silt shim \(library)")
                }
                if besideIt {
                    try FileManager.default.createSymbolicLink(
                        atPath: folder.file("silt"),
                        withDestinationPath: siltExecutable
                    )
                }
            }

            var environment: [String: String] { ["LD_PRELOAD": library, "SILT_OUT": recording] }

            /// The report, once the analyzer has closed the recording.
            func report() throws -> TraceReport {
                try waitUntil("\(recording) is closed") {
                    try runProgram(["sqlite3", recording, "SELECT closed FROM target"]).output == "1\n"
                }
                return try SiltTestSupport.report(of: recording)
            }
        }

        private func count(_ function: String, _ report: TraceReport) -> Int {
            report.sites(named: function).map(\.allocObjects).reduce(0, +)
        }

        @Test func aPreloadedProgramStartsItsAnalyzerAndItsChildrenJoinTheRecording() throws {
            let here = try Installation()
            let forks = try buildWorkload("forks", into: here.folder)
            let script = "\(forks) 3; (cd /; \(forks) 4 &); \(forks) 2; exec \(forks) 5"
            let result = try runProgram(["sh", "-c", script], environment: here.environment)
            #expect(result.status == 0)
            #expect(result.output == "")
            #expect(result.errors == "")
            let report = try here.report()
            #expect(count("child_work", report) == 14_000)
            #expect(report.processes.filter { $0.command.hasPrefix(forks) }.count >= 14 + 4)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
            #expect(report.trust.lost == 0)
        }

        /// A service manager does so; the analyzer of the run before is still there.
        @Test func aProgramThatIsStartedAgainAtOnceIsTracedAgain() throws {
            let here = try Installation()
            let forks = try buildWorkload("forks", into: here.folder)
            for count in ["3", "2"] {
                let result = try runProgram([forks, count], environment: here.environment)
                #expect(result.status == 0)
                #expect(result.errors == "")
            }
            #expect(count("child_work", try here.report()) == 2000)
        }

        @Test func aProgramSeesTheSameSurroundingsWithTheLibrary() throws {
            let here = try Installation()
            let program = try buildWorkload("surroundings", into: here.folder)
            let plain = try runProgram([program])
            let preloaded = try runProgram([program], environment: here.environment)
            #expect(preloaded.output == plain.output)
            #expect(preloaded.errors == "")
            #expect(count("seen_block", try here.report()) == 1000)
            #expect(try trace([program]).result.output == plain.output)
        }

        @Test func theAnalyzerIsFoundBySiltBinOnPathOrWhereItIsInstalled() throws {
            let here = try Installation(besideIt: false)
            let program = try buildWorkload("surroundings", into: here.folder)
            let named = here.environment.merging(["SILT_BIN": siltExecutable, "PATH": "/usr/bin:/bin"]) { $1 }
            #expect(try runProgram([program], environment: named).errors == "")
            #expect(count("seen_block", try here.report()) == 1000)
            let bin = here.folder.file("bin")
            try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: false)
            try FileManager.default.createSymbolicLink(atPath: bin + "/silt", withDestinationPath: siltExecutable)
            let onPath = here.environment.merging(["PATH": "/usr/bin:/bin:\(bin)"]) { $1 }
            #expect(try runProgram([program], environment: onPath).errors == "")
            #expect(count("seen_block", try here.report()) == 1000)
            // As it lies in an unpacked archive.
            let installed = here.folder.file("lib/x86_64-linux-gnu/silt")
            try FileManager.default.createDirectory(atPath: installed, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: here.library, toPath: installed + "/libsilt.so")
            let unpacked = ["LD_PRELOAD": installed + "/libsilt.so", "PATH": "/usr/bin:/bin"]
            #expect(try runProgram([program], environment: here.environment.merging(unpacked) { $1 }).errors == "")
            #expect(count("seen_block", try here.report()) == 1000)
        }

        @Test func withoutAnAnalyzerTheProgramRunsUntracedAfterOneLine() throws {
            let here = try Installation(besideIt: false)
            let forks = try buildWorkload("forks", into: here.folder)
            let none = here.environment.merging(["PATH": "/usr/bin:/bin"]) { $1 }
            let result = try runProgram(["sh", "-c", "\(forks) 2; exec \(forks) 2"], environment: none)
            #expect(result.status == 0)
            #expect(
                result.errors
                    == "silt: no analyzer found (SILT_BIN, beside the library, PATH); the program runs untraced\n"
            )
            let nowhere = here.environment.merging(["SILT_BIN": siltExecutable, "SILT_OUT": "/nonexistent/F.silt"]) {
                $1
            }
            let refused = try runProgram(["sh", "-c", "\(forks) 2; exec \(forks) 2"], environment: nowhere)
            #expect(refused.status == 0)
            #expect(
                refused.errors == "silt: the analyzer did not start (can it write SILT_OUT?): \(siltExecutable)\n"
            )
            let silent = try runProgram([forks, "2"], environment: ["LD_PRELOAD": here.library])
            #expect(silent.status == 0)
            #expect(silent.errors == "")
            let gone = ["LD_PRELOAD": here.library, "SILT_SOCKET": here.folder.file("nobody.sock")]
            #expect(try runProgram([forks, "2"], environment: gone).errors == "")
        }

        @Test func aProgramWithoutHomeOrRuntimeDirectoryIsTraced() throws {
            let here = try Installation()
            let program = try buildWorkload("surroundings", into: here.folder)
            let result = try runProgram(
                ["env", "-i", "LD_PRELOAD=\(here.library)", "SILT_OUT=\(here.recording)", "setsid", "-w", program]
            )
            #expect(result.status == 0)
            #expect(result.errors == "")
            #expect(count("seen_block", try here.report()) == 1000)
        }

        /// The kernel ends the whole namespace with its first process, the analyzer included.
        @Test func theFirstProcessOfAContainerIsTracedToItsEnd() throws {
            let here = try Installation()
            let program = try buildWorkload("surroundings", into: here.folder)
            let container = ["unshare", "--pid", "--fork", "--mount-proc"]
            guard try runProgram(container + ["true"]).status == 0 else {
                print("skipped: no right to make a pid namespace")
                return
            }
            let plain = try runProgram(container + [program])
            let preload = ["env", "LD_PRELOAD=\(here.library)", "SILT_OUT=\(here.recording)"]
            let result = try runProgram(container + preload + [program])
            #expect(result.output == plain.output)
            #expect(result.errors == "")
            #expect(result.status == 0)
            let report = try here.report()
            #expect(report.target.pid == 1)
            #expect(count("seen_block", report) == 1000)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }

        @Test func aServiceManagersSignalToTheWholeGroupDoesNotCutTheRecording() throws {
            let here = try Installation()
            let program = try buildWorkload("surroundings", into: here.folder)
            let script = """
                mkfifo \(here.folder.file("in")); \(program) wait < \(here.folder.file("in")) & pid=$!
                exec 9> \(here.folder.file("in"))
                while ! pgrep -f '[l]isten.*\(here.recording)' > /dev/null; do sleep 0.05; done
                sleep 0.3
                kill -TERM $(pgrep -f '[l]isten.*\(here.recording)')
                sleep 0.3
                echo on >&9
                wait $pid
                """
            // The shell itself is not traced: only what it starts with the library.
            let result = try runProgram([
                "sh", "-c",
                script.replacingOccurrences(
                    of: "\(program) wait",
                    with: "env LD_PRELOAD=\(here.library) SILT_OUT=\(here.recording) \(program) wait"
                ),
            ])
            #expect(result.status == 0)
            let report = try here.report()
            #expect(count("seen_block", report) == 1000)
            #expect(report.trust.lost == 0)
        }

        @Test func aListenerTakesProgramsThatNameItsSocket() throws {
            let here = try Installation()
            let program = try buildWorkload("surroundings", into: here.folder)
            let socket = here.folder.file("s")
            let script = """
                \(siltExecutable) listen --once --out \(here.recording) \(socket) & silt=$!
                while ! [ -S \(socket) ]; do sleep 0.05; done
                LD_PRELOAD=\(here.library) SILT_SOCKET=\(socket) \(program) > /dev/null
                wait $silt
                """
            #expect(try runProgram(["sh", "-c", script]).status == 0)
            #expect(count("seen_block", try here.report()) == 1000)
        }
    }
}
