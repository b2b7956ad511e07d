internal import ArgumentParser
internal import Glibc
internal import SiltFindings
internal import SiltReports
internal import SiltServer
internal import SiltSession

/// `silt top PID|F.silt`: what grows, live in the terminal.
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch a running trace in the terminal: what grows, how fast, growing call sites first.",
        discussion: """
            silt top 4711
            silt top server.silt
            silt top server.silt --once

            The process must be traced: started with silt run, or preloaded with SILT_SOCKET. Of a recording that is being \
            written, or is finished, the numbers are those of its last snapshot. Keys: Enter opens a stack, s sorts, \
            / filters, f freezes, m marks the end of a round (as silt mark does), ? lists them, q quits.
            """
    )

    @Flag(help: "Print one screen as text and end.")
    var once = false

    @Option(help: "Take functions that match this regular expression for allocator wrappers; may be repeated.")
    var hide: [String] = []

    @Argument(help: "The id of a traced process, or a recording.", completion: .file())
    var target: String

    func run() throws {
        guard once || isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 else {
            Terminal.message("top needs a terminal; --once prints one screen")
            throw SiltExit.usage
        }
        do {
            let trace = try LiveTrace(target: target)
            let source = ReportSource(trace, hide: hide)
            var view = TopView(target)
            view.take(try source.current().report)
            if once {
                let lines = view.lines(width: Terminal.columns(of: STDOUT_FILENO), height: 40, color: false)
                Terminal.write(lines.dropLast().map { $0.trimmedRight + "\n" }.joined(), to: STDOUT_FILENO)
                return
            }
            try watch(&view, trace, source)
        } catch {
            throw Terminal.fail(error)
        }
    }

    private func watch(_ view: inout TopView, _ trace: LiveTrace, _ source: ReportSource) throws {
        Interrupts.listen()
        let screen = try Screen()
        defer { screen.leave() }
        var hasEnded = false
        while Interrupts.count == 0 {
            let size = screen.size
            screen.draw(view.lines(width: size.columns, height: size.rows, color: screen.isColored))
            for key in screen.keys(milliseconds: 200) {
                switch view.press(key, rows: TopView.rows(height: size.rows)) {
                case .none: break
                case .quit: return
                case .mark(let phase):
                    do {
                        view.message = try trace.mark(phase)
                    } catch {
                        view.message = "\(error)"
                    }
                }
            }
            do {
                view.take(try source.current().report)
                if !hasEnded, trace.hasEnded {
                    hasEnded = true
                    view.message = "the trace has ended: these are its last numbers (q quits)"
                }
            } catch {
                view.message = "\(error)"
            }
        }
    }
}

extension LiveTrace {
    /// What a user names: a process by its number, or a recording.
    init(target: String) throws(ControlError) {
        if let pid = pid_t(target) { try self.init(pid: pid) } else { self.init(recording: target) }
    }
}

/// The terminal as a screen of its own, with keys that come one by one (termios(3), console_codes(4)).
final class Screen {
    let isColored = Terminal.usesColor(STDOUT_FILENO)
    private var saved = termios()
    private var pending: [UInt8] = []
    private var shown: [String] = []

    init() throws {
        guard tcgetattr(STDIN_FILENO, &saved) == 0 else {
            throw SessionError.system(call: "tcgetattr", reason: String(cString: strerror(errno)))
        }
        var raw = saved
        cfmakeraw(&raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw)
        // Another screen, without a cursor.
        Terminal.write("\u{1b}[?1049h\u{1b}[?25l", to: STDOUT_FILENO)
    }

    /// As it was before.
    func leave() {
        Terminal.write("\u{1b}[?25h\u{1b}[?1049l", to: STDOUT_FILENO)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &saved)
    }

    var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// In one write, and only when something has changed.
    func draw(_ lines: [String]) {
        guard lines != shown else { return }
        shown = lines
        Terminal.write(
            "\u{1b}[H" + lines.map { $0 + "\u{1b}[K" }.joined(separator: "\r\n") + "\u{1b}[J",
            to: STDOUT_FILENO
        )
    }

    /// The keys that were pressed within that time; returns as soon as there is one.
    func keys(milliseconds: Int32) -> [TopView.Key] {
        var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard poll(&input, 1, milliseconds) > 0 else { return [] }
        var buffer = [UInt8](repeating: 0, count: 256)
        let got = read(STDIN_FILENO, &buffer, buffer.count)
        // The terminal is gone.
        guard got > 0 else { return [.interrupt] }
        return Self.keys(Array(buffer.prefix(got)))
    }

    /// What a terminal sends for keys; what it sends for others is nothing.
    static func keys(_ bytes: [UInt8]) -> [TopView.Key] {
        var keys: [TopView.Key] = []
        var rest = bytes[...]
        let sequences: [(String, TopView.Key)] = [
            ("\u{1b}[A", .up), ("\u{1b}[B", .down), ("\u{1b}OA", .up), ("\u{1b}OB", .down), ("\u{1b}[5~", .pageUp),
            ("\u{1b}[6~", .pageDown), ("\u{1b}[H", .home), ("\u{1b}[F", .end), ("\u{1b}[1~", .home),
            ("\u{1b}[4~", .end),
        ]
        while let byte = rest.first {
            if let (text, key) = sequences.first(where: { rest.starts(with: $0.0.utf8) }) {
                keys.append(key)
                rest = rest.dropFirst(text.utf8.count)
                continue
            }
            switch byte {
            case 3: keys.append(.interrupt)
            case 8, 127: keys.append(.backspace)
            case 10, 13: keys.append(.enter)
            case 27 where rest.count > 1 && rest.dropFirst().first == UInt8(ascii: "["):
                // A sequence that is not known ends with a letter or ~.
                rest = rest.dropFirst(2).drop { !(0x40...0x7e).contains($0) }
            case 27: keys.append(.escape)
            case 32...126: keys.append(.character(Character(UnicodeScalar(byte))))
            default: break
            }
            rest = rest.dropFirst()
        }
        return keys
    }
}

extension String {
    fileprivate var trimmedRight: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
