internal import Glibc
internal import SiltReports
internal import SiltSession
internal import SiltText

/// The terminal as a screen of its own, with keys that come one by one (termios(3), console_codes(4)).
final class Screen {
    let isColored = Terminal.usesColor(STDOUT_FILENO)
    private var saved = termios()
    private var pending: [UInt8] = []
    private var shown: [String] = []

    init() throws {
        guard tcgetattr(STDIN_FILENO, &saved) == 0 else {
            throw SessionError.system(call: "tcgetattr", reason: errorText(errno))
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
