import SiltTestSupport
import Testing

extension EndToEnd {
    /// A terminal that silt shares with the command.
    struct SharedTerminals {
        /// A server that loads 8 MiB at its start, and whose leaking function is inlined into main.
        @Test func theLineOfProgressNamesTheFunctionThatTheReportNames() throws {
            let folder = try ScratchFolder()
            let program = folder.file("shop")
            let source = packageRoot.appending(path: "Tests/Workloads/shop.cpp").path()
            _ = try consume(["g++", "-O1", "-g", "-o", program, source])
            let terminal = try Pseudoterminal()
            let silt = try StartedProgram(
                [siltExecutable, "run", "--no-keep", "--snapshot-every", "100ms", "--", program, "5"],
                errors: terminal.path
            )
            defer { silt.end() }
            let lines = terminal.text(until: silt).split(whereSeparator: \.isNewline)
            let progress = try #require(lines.first { $0.contains(#/silt: \d s  live /#) })
            #expect(progress.hasSuffix("s  Server::login(int)"), "\(progress)")
            #expect(lines.contains { $0.contains("shop.cpp:32  Server::login") }, "\(lines)")
        }

        @Test func whatTheCommandWritesStaysAndIsNotWrittenOver() throws {
            let terminal = try Pseudoterminal()
            let silt = try StartedProgram(
                [siltExecutable, "run", "--no-keep", "--", "sh", "-c", "printf first >&2; sleep 2.5; printf last >&2"],
                errors: terminal.path
            )
            defer { silt.end() }
            let text = terminal.text(until: silt)
            #expect(try silt.wait(seconds: 1) == 0)
            #expect(text.hasPrefix("firstsilt: 2 s  live "), "\(text)")
            // As many spaces as there are columns: the report begins on a line of its own.
            let blank = String(repeating: " ", count: 80) + "\r\u{1b}[K"
            #expect(text.contains("\nlast" + blank), "\(text)")
        }
    }
}
