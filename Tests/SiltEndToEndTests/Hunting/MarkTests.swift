import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Hunts in traces that were started by somebody else: by marks from a shell, and by `--attach-socket`.
    @Suite(.serialized)
    struct Marks {
        /// A listener, and the service preloaded by hand.
        private final class Trace {
            let folder: ScratchFolder
            let program: String
            let socket: String
            let server: String
            let recording: String
            private let listener: StartedProgram
            private var service: StartedProgram?

            init() throws {
                folder = try ScratchFolder()
                program = try buildWorkload("service", into: folder)
                socket = folder.file("silt.sock")
                server = folder.file("server.sock")
                recording = folder.file("trace.silt")
                listener = try StartedProgram(
                    [siltExecutable, "listen", "--out", recording, socket],
                    errors: folder.file("listener")
                )
                try waitForFile(socket)
            }

            func startService() throws {
                let library = folder.file("libsilt.so")
                try #require(try runProgram([siltExecutable, "shim", library]).status == 0)
                service = try StartedProgram(
                    [program, "serve", server, "well"],
                    environment: ["LD_PRELOAD": library, "SILT_SOCKET": socket]
                )
                try waitForFile(server)
            }

            func load(_ letter: String) -> String { "'\(program)' load '\(server)' \(letter) 100" }

            func mark(_ words: [String]) throws -> ProgramResult {
                try runProgram([siltExecutable, "mark", "--socket", socket] + words)
            }

            /// Ends the service, then the listener as a user would.
            func end() throws {
                service?.end()
                kill(listener.pid, SIGINT)
                #expect(try listener.wait(seconds: 20) == 0)
            }

            func report() throws -> TraceReport { try SiltTestSupport.report(of: recording) }

            deinit {
                service?.end()
                listener.end()
            }
        }

        private func expectTheLeak(_ report: TraceReport) throws {
            let growing = report.sites.filter { $0.verdict.hasSuffix("growing") }
            #expect(growing.map(\.phase) == ["keep"], "\(growing.map(\.evidence))")
            let site = try #require(growing.first)
            #expect(site.blame.function == "keep_order")
            #expect(site.rate?.unit == "bytes/request")
            #expect(abs((site.rate?.value ?? 0) - 1000) < 20)
        }

        @Test func marksFromAShellAreTheRoundsOfAHunt() throws {
            let trace = try Trace()
            try trace.startService()
            let first = try trace.mark(["start"])
            #expect(first.status == 0 && first.errors.contains("the measurement begins"), "\(first.errors)")
            let script = """
                for phase in keep forget; do
                    for i in 1 2 3 4 5 6 7; do
                        '\(trace.program)' load '\(trace.server)' $(printf %.1s $phase) 100 >/dev/null || exit 1
                        '\(siltExecutable)' mark $phase --requests 100 || exit 1
                    done
                done
                """
            let marked = try runProgram(["sh", "-c", script], environment: ["SILT_SOCKET": trace.socket])
            #expect(marked.status == 0, "\(marked.errors)")
            #expect(marked.errors.contains("round 14 ended: forget"))
            try trace.end()
            let report = try trace.report()
            #expect(report.verdict == "growing")
            try expectTheLeak(report)
            let timeline = try runProgram([siltExecutable, "report", "--timeline", trace.recording]).output
            #expect(timeline.contains("start") && timeline.contains("keep"), "\(timeline)")
        }

        @Test func aHuntJoinsATraceThatIsOnAndLeavesItsServiceRunning() throws {
            let trace = try Trace()
            try trace.startService()
            let words = [
                "hunt", "--attach-socket", trace.socket, "--idle", "1s", "--max-rounds", "7",
                "--phase", "keep=\(trace.load("k"))", "--phase", "forget=\(trace.load("f"))",
            ]
            let hunt = try runProgram([siltExecutable] + words, seconds: 60)
            #expect(hunt.status == 1, "\(hunt.errors)")
            #expect(hunt.output.hasPrefix("GROWING: 1 call site leaks on keep, 1000 B per request"))
            #expect(try runProgram(["sh", "-c", trace.load("f")]).output == "silt: requests=100\n")
            // A trace is hunted once: its baseline is that of the hunt.
            let again = try runProgram([siltExecutable] + words, seconds: 60)
            #expect(again.status == 3 && again.errors.contains("a trace takes one hunt"), "\(again.errors)")
            try trace.end()
            try expectTheLeak(try trace.report())
        }

        @Test func marksWithoutATraceSayWhatIsMissing() throws {
            let folder = try ScratchFolder()
            let nowhere = try runProgram([siltExecutable, "mark", "--socket", folder.file("none"), "orders"])
            #expect(nowhere.status == 3)
            #expect(nowhere.errors.contains("start one with silt listen \(folder.file("none"))"))
            let unnamed = try runProgram([siltExecutable, "mark", "orders"], environment: ["SILT_SOCKET": ""])
            #expect(unnamed.status != 0)
            for name in ["", "two\nlines"] {
                let bad = try runProgram([siltExecutable, "mark", "--socket", folder.file("none"), name])
                #expect(bad.status == 2 && bad.errors.contains("a phase needs a name, on one line"))
            }
            let trace = try Trace()
            let early = try trace.mark(["orders"])
            #expect(early.status == 3 && early.errors.contains("nothing is traced yet: start a program first"))
            #expect(
                try trace.mark([String(repeating: "n", count: 9000)]).errors.contains("the phase's name is too long")
            )
            // It listens on.
            try trace.startService()
            #expect(try trace.mark(["start"]).status == 0)
            // Nobody vouches for a number, and the sum of two such is none.
            for _ in 1...2 {
                let absurd = try trace.mark(["orders", "--requests", "\(UInt64.max)", "--failed", "\(UInt64.max)"])
                #expect(absurd.status == 0, "\(absurd.errors)")
            }
            try trace.end()
            let text = try runProgram([siltExecutable, "report", trace.recording]).output
            #expect(text.contains("100 % of the requests of orders failed"), "\(text)")
        }

        @Test func aSocketThatIsNoneOfSiltsIsToldApart() throws {
            let folder = try ScratchFolder()
            let path = folder.file("other")
            let other = try StartedProgram([
                "python3", "-c",
                """
                import socket
                s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                s.bind('\(path)'); s.listen(1)
                c, _ = s.accept(); c.recv(8192); c.send(b'hello')
                """,
            ])
            defer { other.end() }
            try waitForFile(path)
            let result = try runProgram([siltExecutable, "mark", "--socket", path, "orders"])
            #expect(
                result.status == 3 && result.errors.contains("the answer is not silt's"),
                "\(result.errors)"
            )
        }
    }
}
