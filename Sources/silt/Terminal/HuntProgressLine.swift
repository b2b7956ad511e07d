internal import Glibc
internal import SiltHunt

/// What a hunt is doing: a line that changes on a terminal, and a line per phase that stays.
final class HuntProgressLine {
    private let isTerminal = isatty(STDERR_FILENO) == 1

    func show(_ step: HuntStep) {
        switch step {
        // Lines of their own: what the service writes comes behind them.
        case .waiting, .ended: if let words = step.words { PatientWriter.errors.say(.note(words)) }
        case .idle, .load, .settling, .confirming, .writing: if let words = step.words { change(words) }
        case .over: clear()
        }
    }

    private func change(_ text: String) {
        guard isTerminal else { return }
        PatientWriter.errors.show("\r\u{1b}[K" + text.prefix(Terminal.columns(of: STDERR_FILENO) - 1))
    }

    private func clear() {
        PatientWriter.errors.finish()
        if isTerminal { Terminal.write("\r\u{1b}[K", to: STDERR_FILENO) }
    }
}
