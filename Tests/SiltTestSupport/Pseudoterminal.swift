import Glibc

/// A terminal of 80 columns whose screen nobody draws: what programs write to it can be read as it came.
package final class Pseudoterminal {
    private let descriptor: Int32
    /// The other end, for programs.
    package let path: String

    package init() throws {
        descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        // TIOCSPTLCK and TIOCGPTN of ioctl_tty(2): unlock its other end, and its number.
        var (locked, number) = (Int32(0), Int32(0))
        guard descriptor >= 0, ioctl(descriptor, 0x4004_5431, &locked) == 0,
            ioctl(descriptor, 0x8004_5430, &number) == 0
        else { throw TestSetupError(description: "no pseudoterminal") }
        path = "/dev/pts/\(number)"
        var size = winsize(ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0)
        guard ioctl(descriptor, UInt(TIOCSWINSZ), &size) == 0 else { throw TestSetupError(description: "no size") }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit { close(descriptor) }

    /// A key of its keyboard.
    package func press(_ key: UInt8) {
        var key = key
        _ = write(descriptor, &key, 1)
    }

    /// All that comes until the program has ended, and what it wrote last; the ends of lines as programs write them.
    package func text(until program: StartedProgram) -> String {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        var (isRunning, got) = (true, 0)
        repeat {
            isRunning = program.isRunning
            got = read(descriptor, &buffer, buffer.count)
            if got > 0 { text += buffer[..<got] } else { usleep(5000) }
        } while isRunning || got > 0
        return String(decoding: text, as: UTF8.self).replacing("\r\n", with: "\n")
    }
}
