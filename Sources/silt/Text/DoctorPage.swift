internal import SiltSession
internal import SiltSymbols
internal import SiltText

/// What `silt doctor` prints: facts, then whether the program can be traced, then what to know.
struct DoctorPage {
    let width: Int
    private(set) var text = ""

    init(width: Int) { self.width = width }

    /// A program that does not run yet.
    mutating func add(_ program: TargetInspection, named name: String) {
        text += name + "\n"
        for script in program.scripts { paragraph("\(script) is a script") }
        facts(program)
        let command = Format.commandLine([name])
        verdict(program, command: command)
        let names = [name] + program.scripts + [program.executable]
        notes(program, names.lazy.compactMap { Interpreter(file: $0) }.first, command: command)
    }

    mutating func add(_ process: ProcessInspection) {
        text += "process \(process.pid)\n"
        let (program, command) = (process.program, process.command ?? process.program.executable)
        facts(program)
        if let user = process.otherUser { paragraph("user:    \(user)") }
        if let unit = process.unit { paragraph("unit:    \(unit)") }
        if let root = process.otherRoot { paragraph("root:    \(root)") }
        if !process.ownNamespaces.isEmpty {
            paragraph("container: it has its own namespaces (\(process.ownNamespaces.joined(separator: ", ")))")
        }
        switch process.tracing {
        case .traced(let recording):
            paragraph("it is being traced, into \(recording)")
            line("watch it:  silt top \(process.pid)")
            line("report:    silt report \(Format.commandLine([recording]))")
            return
        case .silent(let why):
            paragraph("it has the preload library and is not being traced: \(why)")
        case .notLoaded(let library):
            paragraph("its LD_PRELOAD names \(library), which was not loaded: can its user read it?")
        case .none: break
        }
        verdict(program, command: command)
        if program.canBeTraced { waysToRestart(process) }
        notes(program, process.interpreter, command: command)
        if let debugger = process.debugger { paragraph("note: process \(debugger) watches it with ptrace") }
    }

    private mutating func facts(_ program: TargetInspection) {
        line("program: \(program.executable)")
        if let interpreter = program.interpreter { line("loader:  \(interpreter)") }
    }

    private mutating func verdict(_ program: TargetInspection, command: String) {
        if let obstacle = program.obstacle {
            paragraph("cannot be traced: \(obstacle.problem)")
            paragraph("instead: \(obstacle.remedy)")
        } else {
            line("can be traced: silt run -- \(command)")
        }
    }

    /// A running program is traced from its next start on.
    private mutating func waysToRestart(_ process: ProcessInspection) {
        if process.tracing == .none {
            paragraph("note: it runs without the preload library; start it again under silt to trace it")
        }
        let isContained = !process.ownNamespaces.isEmpty || process.otherRoot != nil
        if isContained {
            paragraph(
                "note: silt, libsilt.so and the folder of SILT_OUT must lie where it sees them: COPY both files into its "
                    + "image, or mount them"
            )
        }
        if let user = process.otherUser {
            paragraph("note: \(user) must be able to read the library and to write to the folder of the recording")
        }
        guard let unit = process.unit, !isContained else { return }
        let name = unit.split(separator: "@").first.map(String.init) ?? unit
        let folder = "silt-" + name.replacing(".service", with: "")
        paragraph("note: \(unit) starts it; to trace it there:")
        for command in [
            "silt shim /usr/local/lib/libsilt.so", "systemctl edit \(unit)", "  [Service]",
            "  StateDirectory=\(folder)", "  Environment=LD_PRELOAD=/usr/local/lib/libsilt.so",
            "  Environment=SILT_OUT=/var/lib/\(folder)/server.silt", "systemctl restart \(unit)",
        ] {
            line("  " + command)
        }
    }

    private mutating func notes(_ program: TargetInspection, _ interpreter: Interpreter?, command: String) {
        if let interpreter {
            paragraph("\(interpreter.name) in it; silt sees: \(interpreter.seen)")
            paragraph("silt does not see: \(interpreter.unseen)")
            paragraph("to see more: \(interpreter.advice)")
        }
        if !program.hasLineTables, interpreter == nil, program.canBeTraced {
            paragraph("note: no line tables in it: build with -g, or install its -dbgsym package, to see file and line")
        }
        for note in program.notes { paragraph("note: \(note)") }
    }

    /// As it stands, to be copied.
    private mutating func line(_ words: String) { text += "  \(words)\n" }

    private mutating func paragraph(_ words: String) {
        let words = words.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        for line in words.lines("  ", indent: 4, width: width) { text += line + "\n" }
    }
}
