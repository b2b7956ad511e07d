internal import ArgumentParser
internal import Glibc
internal import SiltSession
internal import SiltText

/// `silt doctor`: says whether a program can be traced, before anything is run.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say whether and how a program can be traced, and what to do where it cannot.",
        discussion: """
            silt doctor ./server
            silt doctor python3       what silt sees of another language
            silt doctor 4711          a running process

            Exit status: 0 it can be traced, 3 it cannot.
            """
    )

    @Argument(
        help: "A program (looked up on PATH) or the id of a running process.",
        completion: .programsAndProcesses
    )
    var target: String

    func run() throws {
        var page = DoctorPage(width: Terminal.columns(of: STDOUT_FILENO))
        let canBeTraced: Bool
        if let pid = pid_t(target), pid > 0, findProgram(target) == nil {
            do {
                let process = try ProcessInspection(pid)
                page.add(process)
                canBeTraced = process.program.canBeTraced
            } catch {
                throw Terminal.fail(error)
            }
        } else {
            let program = inspectTarget(command: target)
            page.add(program, named: target)
            canBeTraced = program.canBeTraced
        }
        try Terminal.output(page.text)
        if !canBeTraced { throw SiltExit.cannotMeasure }
    }
}
