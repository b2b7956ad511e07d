internal import ArgumentParser
internal import Glibc
internal import SiltFindings
internal import SiltReports
internal import SiltServer
internal import SiltSession
internal import SiltText

/// `silt top PID|F.silt`: what grows, live in the terminal.
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch a running trace in the terminal: what grows, how fast, growing call sites first.",
        discussion: """
            silt top
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

    @Option(help: .hide)
    var hide: [String] = []

    @Argument(
        help: "The id of a traced process, or a recording; without it what is traced now.",
        completion: .recordingsAndTraces
    )
    var target: String?

    func run() throws {
        guard once || isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 else {
            Terminal.message(.topNeedsTerminal)
            throw SiltExit.usage
        }
        do {
            let (trace, target) = try LiveTrace.chosen(target, by: Self._commandName)
            let source = ReportSource(trace, kept: .file(trace.recording), hide: hide)
            var view = TopView(target)
            view.take(try source.current().report)
            if once {
                let lines = view.lines(width: Terminal.columns(of: STDOUT_FILENO), height: 40, color: false)
                // Without the line of keys and the empty ones above it.
                let said = lines.dropLast().map(\.trimmedEnd)
                let end = said.lastIndex { !$0.isEmpty } ?? 0
                try Terminal.output(said.prefix(end + 1).map { $0 + "\n" }.joined())
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
                    view.message = Notice.traceEnded.text
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

    /// That one, or the only one that is on, with its name; `command`: whose arguments they are.
    static func chosen(_ target: String?, by command: String) throws -> (LiveTrace, name: String) {
        let target = try target ?? only(for: command)
        return (try LiveTrace(target: target), target)
    }

    private static func only(for command: String) throws -> String {
        let traced = tracedProcesses()
        guard let first = traced.first else {
            Terminal.message(.nothingTraced)
            throw SiltExit.cannotMeasure
        }
        guard traced.count == 1 else {
            Terminal.message(.severalTraced(traced, command))
            throw SiltExit.usage
        }
        return String(first.pid)
    }
}
