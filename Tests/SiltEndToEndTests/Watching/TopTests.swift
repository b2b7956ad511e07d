import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// `silt top` in a real terminal emulator.
    @Suite(.serialized)
    struct Top {
        /// tmux with one window, in which commands are typed.
        private final class TerminalWindow {
            let folder: ScratchFolder
            private let tmux: [String]

            init(columns: Int = 110, rows: Int = 24) throws {
                folder = try ScratchFolder()
                tmux = ["tmux", "-S", folder.file("tmux"), "-f", "/dev/null"]
                _ = try consume(
                    tmux + [
                        "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)",
                        "env PS1='$ ' TERM=screen-256color sh",
                    ]
                )
            }

            deinit { _ = try? runProgram(tmux + ["kill-server"]) }

            func type(_ keys: [String]) throws { _ = try consume(tmux + ["send-keys"] + keys) }

            func run(_ command: String) throws { try type([command, "Enter"]) }

            func resize(columns: Int, rows: Int) throws {
                _ = try consume(tmux + ["resize-window", "-x", "\(columns)", "-y", "\(rows)"])
            }

            var text: String { get throws { try consume(tmux + ["capture-pane", "-p"]) } }

            /// Waits until the screen says that.
            func wait(
                _ what: String,
                sourceLocation: SourceLocation = #_sourceLocation,
                _ isSo: (String) -> Bool
            ) throws {
                var screen = ""
                for _ in 0..<150 {
                    screen = try text
                    if isSo(screen) { return }
                    usleep(100_000)
                }
                Issue.record("\(what) not seen on\n\(screen)", sourceLocation: sourceLocation)
            }
        }

        @Test func keysSortFilterOpenAndLeave() throws {
            let window = try TerminalWindow()
            let path = try EndToEnd.growthRecording.get().path
            try window.run("stty -g > \(window.folder.file("before")); clear; echo on the old screen")
            try window.run("'\(siltExecutable)' top '\(path)'")
            try window.wait("the growing site first") { screen in
                let lines = screen.split(separator: "\n")
                let chosen = lines.prefix(6).first { $0.hasPrefix(">") }
                return lines.first?.hasPrefix("GROWING: 1 call site leaks") == true
                    && chosen?.contains(/growth\.c:\d+ leaky_caller/) == true
            }
            try window.type(["s"])
            try window.wait("sorted by what is in use") { $0.contains("(by in use)") }
            try window.type(["s"])
            try window.wait("sorted by what was allocated") { $0.contains("(by allocated)") }
            try window.type(["/"])
            try window.type(["fill_c"])
            try window.wait("the filter while it is typed") { $0.contains("filter: fill_c_") }
            try window.type(["Enter"])
            try window.wait("only what matches") { $0.contains("fill_cache") && !$0.contains("leaky_caller") }
            try window.type(["Enter"])
            try window.wait("the stack") { $0.contains("main growth.c:") && $0.contains("Esc back") }
            try window.type(["Escape"])
            try window.wait("the list again") { $0.contains("[fill_c] Esc shows all") }
            try window.type(["Escape"])
            try window.wait("all sites") { $0.contains("build_string") }
            try window.type(["f"])
            try window.wait("frozen") { $0.contains("FROZEN") }
            try window.resize(columns: 70, rows: 12)
            try window.wait("a smaller screen") { screen in
                screen.contains("FROZEN") && screen.split(separator: "\n").allSatisfy { $0.count <= 70 }
                    && screen.split(separator: "\n").last?.hasPrefix("q quit") == true
            }
            try window.resize(columns: 110, rows: 24)
            try window.type(["m"])
            try window.type(["orders", "Enter"])
            try window.wait("why not") { $0.contains("a recording cannot be marked") }
            try window.type(["?"])
            try window.wait("the keys") { $0.contains("any key goes back") }
            try window.type(["x", "q"])
            try window.wait("the old screen") { $0.contains("on the old screen") && !$0.contains("GROWING") }
            try window.run("stty -g > \(window.folder.file("after")); echo both written")
            try window.wait("the shell") { $0.contains("both written") }
            let before = try String(contentsOfFile: window.folder.file("before"), encoding: .utf8)
            #expect(try String(contentsOfFile: window.folder.file("after"), encoding: .utf8) == before)
        }

        @Test(arguments: ["C-c", "TERM", "HUP", "INT"])
        func theTerminalIsLeftAsItWas(end: String) throws {
            let window = try TerminalWindow()
            let path = try EndToEnd.growthRecording.get().path
            try window.run("stty -g > \(window.folder.file("before")); clear; echo on the old screen")
            try window.run("'\(siltExecutable)' top '\(path)'")
            try window.wait("the view") { $0.contains("q quit") }
            if end == "C-c" {
                try window.type([end])
            } else {
                let found = try runProgram(["pgrep", "-f", "^\(siltExecutable) top \(path)"]).output
                let pid = try #require(found.split(separator: "\n").first.map(String.init))
                _ = try consume(["kill", "-\(end)", pid])
            }
            try window.wait("the old screen") { $0.contains("on the old screen") && !$0.contains("GROWING") }
            try window.run("stty -g > \(window.folder.file("after")); echo both written")
            try window.wait("the shell") { $0.contains("both written") }
            let before = try String(contentsOfFile: window.folder.file("before"), encoding: .utf8)
            #expect(try String(contentsOfFile: window.folder.file("after"), encoding: .utf8) == before)
        }

        @Test func aRunningTraceIsWatchedAndMarked() throws {
            let window = try TerminalWindow(columns: 130)
            let program = try buildWorkload("service", into: window.folder)
            let socket = window.folder.file("s")
            // The name of the recording is of the folder in which the trace began.
            let trace = try StartedProgram([
                "env", "-C", window.folder.path, siltExecutable, "run", "--snapshot-every", "200ms", "--out",
                "run.silt",
                "--", program, "serve", socket, "well",
            ])
            defer { trace.end() }
            try waitForFile(socket)
            let pid = try #require(
                try runProgram(["pgrep", "-f", "^\(program) serve"]).output.split(separator: "\n").first.map(
                    String.init
                )
            )
            try window.run("clear; '\(siltExecutable)' top \(pid)")
            _ = try consume([program, "load", socket, "k", "300"])
            try window.wait("what is kept") { $0.contains("in 301 blocks") && $0.contains(/service\.c:\d+ keep_order/) }
            try window.type(["m"])
            try window.type(["orders", "Enter"])
            try window.wait("the mark") { $0.contains("the measurement begins") }
            kill(try #require(pid_t(pid)), SIGTERM)
            #expect(try trace.wait(seconds: 20) == 143)
            try window.wait("the end") { $0.contains("the trace has ended") && $0.contains("keep_order") }
            try window.type(["q"])
            try window.wait("the shell") { !$0.contains("keep_order") }
        }

        @Test func withoutATerminalOneScreenIsPrinted() throws {
            let path = try EndToEnd.growthRecording.get().path
            let refused = try runProgram([siltExecutable, "top", path])
            #expect(refused.status == 2 && refused.errors.contains("--once prints one screen"))
            let text = try consume([siltExecutable, "top", path, "--once"])
            #expect(text.hasPrefix("GROWING: ") && text.contains(/growth\.c:\d+ build_string/))
            #expect(!text.unicodeScalars.contains { $0.value < 32 && $0 != "\n" })
        }
    }
}
