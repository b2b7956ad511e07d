internal import Glibc
internal import SiltEvents
internal import SiltSession
internal import SiltText

/// One line on the terminal that says how the trace stands.
enum ProgressLine {
    /// Takes the place of the one before.
    static let show: @Sendable (TraceProgress) -> Void = { progress in
        let room = Terminal.columns(of: STDERR_FILENO) - 1
        PatientWriter.errors.show("\r\u{1b}[K" + text(progress, width: room).prefix(room))
    }

    static func text(_ progress: TraceProgress, width: Int) -> String {
        let function = progress.topGrower?.function.printable ?? ""
        let whole = lead(progress, blocks: " in \(Format.plural(progress.liveBlocks, "block"))")
        // Where not all of it fits, a function's name says more than how many blocks there are.
        let shown = whole.count + function.count <= width ? whole : lead(progress, blocks: "")
        return shown + fitted(function, to: max(8, width - shown.count))
    }

    /// Characters of a caller that still tell which one it is.
    private static let minimumCaller = 8

    /// Of `caller → function` the caller is cut first.
    private static func fitted(_ chain: String, to width: Int) -> String {
        guard chain.count > width, let arrow = chain.firstRange(of: " → ") else { return chain.cutInside(to: width) }
        let function = String(chain[arrow.upperBound...])
        let room = width - function.count - 3
        guard room >= minimumCaller else { return function.cutInside(to: width) }
        return String(chain[..<arrow.lowerBound]).cutInside(to: room) + " → " + function
    }

    private static func lead(_ progress: TraceProgress, blocks: String) -> String {
        var line = "\(Int(progress.seconds)) s  live \(Format.bytes(progress.liveBytes))\(blocks)"
        if progress.processes != 1 { line += "  " + Format.plural(UInt64(progress.processes), "process", "processes") }
        guard let top = progress.topGrower else { return line }
        let rise = top.resource.isCounted ? Format.plural(top.rise, top.resource.unit) : Format.bytes(top.rise)
        return line + "  +\(rise) in \(Int(top.seconds.rounded())) s  "
    }

    static func clear() {
        PatientWriter.errors.finish()
        if isatty(STDERR_FILENO) == 1 { Terminal.write("\r\u{1b}[K", to: STDERR_FILENO) }
    }
}

/// The same on a terminal that the traced command writes to as well: lines that stay, ever fewer of them.
///
/// A line that is written over would end up in the middle of what the command says.
final class ProgressLines: @unchecked Sendable {
    /// Seconds of the first ones; then one a minute.
    private static let first = [2.0, 5, 10, 20, 30]
    private static let later = 60.0

    // Used by the collector alone.
    private var shown = 0.0

    func show(_ progress: TraceProgress) {
        let now = progress.seconds
        let due = Self.first.last { $0 <= now } ?? 0
        let last = max(due, (now / Self.later).rounded(.down) * Self.later)
        guard last > shown else { return }
        shown = last
        let name = "silt: "
        PatientWriter.errors.sayBetween(
            ProgressLine.text(progress, width: Terminal.columns(of: STDERR_FILENO) - 1 - name.count)
        )
    }
}
