internal import Glibc
internal import SiltSession
internal import SiltText

/// One line on the terminal that says how the trace stands.
enum ProgressLine {
    static let show: @Sendable (TraceProgress) -> Void = { progress in
        var line =
            "\(Int(progress.seconds)) s  live \(Format.bytes(progress.liveBytes)) in \(progress.liveBlocks) blocks"
        if progress.processes != 1 { line += "  \(progress.processes) processes" }
        if let top = progress.topGrower { line += "  +\(Format.bytes(UInt64(max(0, top.bytes)))) \(top.function)" }
        PatientWriter.errors.show("\r\u{1b}[K" + line.prefix(Terminal.columns(of: STDERR_FILENO) - 1))
    }

    static func clear() {
        PatientWriter.errors.finish()
        if isatty(STDERR_FILENO) == 1 { Terminal.write("\r\u{1b}[K", to: STDERR_FILENO) }
    }
}
