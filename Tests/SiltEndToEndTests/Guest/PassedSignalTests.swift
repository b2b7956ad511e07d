import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// A service manager knows silt alone: what it sends there means the command.
    struct PassedSignals {
        /// All that a program can wait for, but for SIGCHLD, which silt gets for its child.
        private static let passed: [Int32] =
            [
                SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGCONT, SIGTSTP, SIGTTIN,
                SIGTTOU,
                SIGURG, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGWINCH, SIGIO, SIGPWR, 16,
                SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS,
            ] + [34, 37, 64]

        @Test(arguments: [[], ["--serve", ":0"]])
        func everySignalReachesTheCommand(options: [String]) throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("receives", into: folder)
            let silt = try StartedProgram(
                [siltExecutable, "run", "--out", folder.file("run.silt")] + options
                    + ["--", program, folder.file("ready")],
                output: folder.file("output"),
                errors: folder.file("errors")
            )
            defer { silt.end() }
            try waitForFile(folder.file("ready"))
            func received() throws -> Set<Int32> {
                let text = try String(contentsOfFile: folder.file("output"), encoding: .utf8)
                return Set(text.split(separator: "\n").compactMap { Int32($0.prefix { $0 != " " }) })
            }
            // One by one: SIGCONT and the signals that stop take back each other.
            for signal in Self.passed {
                kill(silt.pid, signal)
                try waitUntil("signal \(signal) came") { try received().contains(signal) }
            }
            #expect(silt.isRunning)
            kill(silt.pid, SIGTERM)
            #expect(try silt.wait(seconds: 30) == 4)
            #expect(try report(of: folder.file("run.silt")).trust.lost == 0)
        }

        @Test func aValueIsPassedOnWithItsSignal() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("receives", into: folder)
            let script = """
                "$silt" run --out run.silt -- \(program) ready >output 2>errors & pid=$!
                while ! [ -e ready ]; do sleep 0.05; done
                /bin/kill -q 4711 -s USR2 $pid; /bin/kill -q 12 -s 40 $pid; /bin/kill -q 13 -s SEGV $pid
                for i in $(seq 200); do [ "$(wc -l <output)" = 3 ] && break; sleep 0.05; done
                kill -TERM $pid; wait $pid; echo $?; sort output
                """
            let result = try EndToEnd.bash(script, in: folder)
            #expect(result.output == "4\n11 13\n12 4711\n15 0\n40 12\n", "\(result.errors)")
        }

        /// timeout(1) of old: a timer that execve(2) keeps.
        @Test func anAlarmThatWasSetBeforeReachesTheCommand() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("receives", into: folder)
            let script = """
                \(program) alarm "$silt" run --out run.silt -- \(program) ready >output 2>errors & pid=$!
                for i in $(seq 200); do grep -q 14 output && break; sleep 0.05; done
                kill -TERM $pid; wait $pid; echo $?; cat output
                """
            let result = try EndToEnd.bash(script, in: folder)
            #expect(result.output == "4\n14 0\n15 0\n", "\(result.errors)")
        }

        @Test func aCommandThatSignalsItsGroupIsSignaledOnce() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("receives", into: folder)
            let result = try runProgram([siltExecutable, "run", "--", program, "group"], seconds: 30)
            #expect(result.output == "1\n")
            #expect(result.status == 0, "\(result.errors)")
        }

        /// Ctrl-Z, and SIGTSTP from elsewhere: the shell has to see silt stop.
        @Test(arguments: [true, false])
        func siltStopsAndGoesOnWithItsCommand(wholeGroup: Bool) throws {
            let folder = try ScratchFolder()
            // Not a shell's loop: one that waits for its vfork(2) child, which has stopped before its execve(2), cannot
            // stop, with silt or without.
            let script = #"open F, ">", $ARGV[0]; close F; select undef, undef, undef, 0.1 for 1..10; exit 4"#
            let program = ["perl", "-e", script, folder.file("ready")]
            let silt = try StartedProgram([siltExecutable, "run", "--out", folder.file("run.silt"), "--"] + program)
            defer { silt.end() }
            try waitForFile(folder.file("ready"))
            kill(wholeGroup ? -silt.pid : silt.pid, SIGTSTP)
            func state() throws -> Character? {
                let stat = try String(contentsOfFile: "/proc/\(silt.pid)/stat", encoding: .utf8)
                return stat.split(separator: ")").last?.first { $0 != " " }
            }
            try waitUntil("silt has stopped") { try state() == "T" }
            kill(wholeGroup ? -silt.pid : silt.pid, SIGCONT)
            #expect(try silt.wait(seconds: 30) == 4)
        }

        /// A shell's `trap '' CHLD` is inherited, and then nobody can wait for a child.
        @Test func aCommandIsWaitedForWhereChildrenWereIgnored() throws {
            let script = #"trap '' CHLD; exec "$silt" run --out run.silt -- sh -c 'exit 4'"#
            #expect(try EndToEnd.bash(script, in: ScratchFolder()).status == 4)
        }

        /// Ignored by nohup, which has to hold for a listener too.
        @Test func aListenerThatIgnoresHangingUpGoesOn() throws {
            let script = #"""
                trap '' HUP; "$silt" listen --out run.silt socket >report 2>&1 & pid=$!
                while ! [ -S socket ]; do sleep 0.05; done
                kill -HUP $pid; kill -USR1 $pid; sleep 0.3; kill -0 $pid && echo runs; kill -TERM $pid; wait $pid; echo $?
                """#
            #expect(try EndToEnd.bash(script, in: ScratchFolder()).output == "runs\n0\n")
        }

        @Test func aHuntPassesOnWhatMeansNothingToIt() throws {
            let script = #"""
                "$silt" hunt --ready 100ms --idle 100ms --phase p='touch loaded; sleep 20' -- \
                    sh -c 'trap "echo >>rotated" USR1; while :; do sleep 0.05; done' >report 2>errors & pid=$!
                for i in $(seq 400); do [ -e loaded ] && break; sleep 0.05; done
                kill -USR1 $pid
                for i in $(seq 200); do [ -e rotated ] && break; sleep 0.05; done
                kill -0 $pid && wc -l <rotated; kill -TERM $pid; wait $pid
                """#
            let result = try EndToEnd.bash(script, in: ScratchFolder())
            #expect(result.output == "1\n", "\(result.errors)")
        }
    }

    /// Runs a script of bash that finds silt in `$silt` and may write into its folder, which it runs in.
    static func bash(_ script: String, in folder: ScratchFolder) throws -> ProgramResult {
        try runProgram(
            ["bash", "-c", "cd \"$folder\" || exit; " + script],
            environment: ["silt": siltExecutable, "folder": folder.path],
            seconds: 60
        )
    }
}
