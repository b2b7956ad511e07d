import SiltTestSupport
import Testing

extension EndToEnd {
    /// A terminal that silt shares with the command.
    struct SharedTerminals {
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
