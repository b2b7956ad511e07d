internal import ArgumentParser
internal import Glibc
internal import SiltSystem
internal import SiltText

/// Standard output and error as silt uses them: reports, progress, messages.
enum Terminal {
    /// Writes a result to standard output; ends with a message and a status when it cannot be written.
    ///
    /// A reader that went away is no failure.
    static func output(_ text: String) throws {
        do {
            let file = try OutputFile("-")
            file.write(text.shown)
            try file.close()
        } catch {
            throw fail(error)
        }
    }

    /// Writes all of a message; a reader that went away ends it quietly.
    static func write(_ text: String, to descriptor: Int32) {
        _ = FileBytes.write(Array(text.shown.utf8), to: descriptor)
    }

    static func message(_ text: String) {
        write("silt: \(text)\n", to: STDERR_FILENO)
    }

    /// False for a pipe that is full and stays so for some seconds: nobody reads it, and nobody shall wait for that.
    ///
    /// A terminal that was stopped goes on some time.
    static func isRead(_ descriptor: Int32) -> Bool {
        if isatty(descriptor) == 1 { return true }
        var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&state, 1, 3000) != 0
    }

    /// Columns to use, 40 to 120: the terminal's width (tty_ioctl(4)); where the output is no terminal COLUMNS, or 120.
    static func columns(of descriptor: Int32) -> Int {
        var size = winsize()
        let isTerminal = isatty(descriptor) == 1 && ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        let asked = isTerminal ? Int(size.ws_col) : Environment.value("COLUMNS").flatMap { Int($0) }
        return min(120, max(40, asked ?? 120))
    }

    /// Colour only on a terminal, and never with NO_COLOR set (no-color.org) or TERM=dumb.
    static func usesColor(_ descriptor: Int32) -> Bool {
        func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
        return isatty(descriptor) == 1 && variable("NO_COLOR").isEmpty && variable("TERM") != "dumb"
    }

    /// Ends with a message and the status for "silt could not measure".
    static func fail(_ error: any Error) -> ExitCode {
        // Said already.
        if let status = error as? ExitCode { return status }
        message("\(error)")
        return SiltExit.cannotMeasure
    }
}
