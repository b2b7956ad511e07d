internal import ArgumentParser
internal import Glibc
internal import SiltSession

/// `silt doctor`: says whether a program can be traced, before anything is run.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say whether and how a program can be traced, and what to do where it cannot.",
        discussion: """
            silt doctor ./server
            silt doctor 4711          a running process

            Exit status: 0 it can be traced, 3 it cannot.
            """
    )

    @Argument(help: "A program (looked up on PATH) or the id of a running process.")
    var target: String

    func run() throws {
        if let pid = Int32(target), access("/proc/\(pid)", F_OK) == 0 {
            try examineProcess(pid)
        } else {
            try show(inspectTarget(command: target), title: target, command: target)
        }
    }

    private func show(_ inspection: TargetInspection, title: String, command: String) throws {
        var lines = [title]
        for script in inspection.scripts { lines.append("  \(script) is a script") }
        lines.append("  program: \(inspection.executable)")
        if let interpreter = inspection.interpreter { lines.append("  loader:  \(interpreter)") }
        if let obstacle = inspection.obstacle {
            lines.append("  cannot be traced: \(obstacle.problem)")
            lines.append("  instead: \(obstacle.remedy)")
        } else {
            lines.append("  can be traced: silt run -- \(command)")
        }
        if !inspection.hasLineTables {
            lines.append(
                "  note: no line tables in it: build with -g, or install its -dbgsym package, to see file and line"
            )
        }
        for note in inspection.notes { lines.append("  note: \(note)") }
        try Terminal.output(lines.joined(separator: "\n") + "\n")
        if !inspection.canBeTraced { throw SiltExit.cannotMeasure }
    }

    private func examineProcess(_ pid: Int32) throws {
        guard let executable = processExecutable(pid) else {
            throw Terminal.fail(
                SessionError.system(call: "reading /proc/\(pid)/exe", reason: "not permitted, or a kernel thread")
            )
        }
        switch isPreloaded(pid) {
        case true?:
            try Terminal.output("process \(pid) (\(executable)) has the preload library: it is being traced\n")
        default:
            let inspection = inspectTarget(command: executable)
            try show(inspection, title: "process \(pid)", command: processCommand(pid) ?? executable)
            try Terminal.output("  note: it runs without the preload library; start it again under silt to trace it\n")
        }
    }
}
