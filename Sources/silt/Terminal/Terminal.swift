internal import ArgumentParser
internal import Glibc
internal import SiltFindings
internal import SiltReports
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

    /// Wrapped at spaces where it is known how wide the terminal is.
    static func message(_ notice: Notice) {
        let lines = "silt: \(notice.text)".split(separator: "\n", omittingEmptySubsequences: false)
        let width = knownColumns(of: STDERR_FILENO)
        let shown = width.map { width in lines.map { wrapped($0, to: max(40, width)) } } ?? lines.map(String.init)
        write(shown.joined(separator: "\n") + "\n", to: STDERR_FILENO)
    }

    private static func wrapped(_ line: Substring, to width: Int) -> String {
        guard line.count > width else { return String(line) }
        let indent = line.prefix { $0 == " " }
        return line.dropFirst(indent.count).split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            .lines(String(indent), indent: indent.count + 2, width: width)
            .joined(separator: "\n")
    }

    /// False for a pipe that is full and stays so for some seconds: nobody reads it, and nobody shall wait for that.
    ///
    /// A terminal that was stopped goes on some time.
    static func isRead(_ descriptor: Int32) -> Bool {
        if isatty(descriptor) == 1 { return true }
        var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&state, 1, 3000) != 0
    }

    /// Columns to use, 40 to 120: the terminal's width; where the output is no terminal COLUMNS, or 120.
    static func columns(of descriptor: Int32) -> Int {
        min(120, max(40, knownColumns(of: descriptor) ?? 120))
    }

    private static func knownColumns(of descriptor: Int32) -> Int? {
        width(of: descriptor) ?? Environment.value("COLUMNS").flatMap { Int($0) }
    }

    /// Of a terminal, as it says (tty_ioctl(4)); nil: it does not, or is none.
    private static func width(of descriptor: Int32) -> Int? {
        var size = winsize()
        guard isatty(descriptor) == 1, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return nil
        }
        return Int(size.ws_col)
    }

    /// What follows stands at the start of a line of a terminal, without a line more where it would anyway.
    ///
    /// As many spaces as there are columns go on to the next line unless they begin at the first column (zsh does so before
    /// it prompts).
    static func beginLine(of descriptor: Int32) {
        guard let width = width(of: descriptor) else { return }
        write(String(repeating: " ", count: width) + "\r\u{1b}[K", to: descriptor)
    }

    /// Colour only on a terminal, and never with NO_COLOR set (no-color.org) or TERM=dumb.
    static func usesColor(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1 && Environment.content("NO_COLOR") == nil && Environment.value("TERM") != "dumb"
    }

    /// Ends with a message and the status for "silt could not measure", or of a usage error for a name that is not there and
    /// for what another command line would show.
    static func fail(_ error: any Error) -> ExitCode {
        // Said already.
        if let status = error as? ExitCode { return status }
        message(.error(error))
        let isOfUsage = error is NoSuchFunction || (error as? ReportError)?.isOfUsage == true
        return isOfUsage ? SiltExit.usage : SiltExit.cannotMeasure
    }
}
