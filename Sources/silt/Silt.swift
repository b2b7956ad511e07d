internal import ArgumentParser
internal import CSiltSystem
internal import Glibc
internal import SiltText

/// The command line: one subcommand per file.
@main
struct Silt: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "silt",
        abstract: "Finds the call sites of a Linux program whose memory grows and never comes back.",
        discussion: """
            silt run -- ./server --port 8080   trace a program, print which lines grow
            silt hunt plan.yml                 load a service route by route
            silt check plan.yml                the same as a gate for builds
            silt report run.silt --flame       look at a recording again, another way
            silt top 4711                      watch a running trace
            silt diff before.silt after.silt   what grew from one recording to another
            silt doctor ./server               can this program be traced?
            silt demo                          a small leaking server, found in seconds

            Exit status: that of the traced command for run; 0, 1 when something grows, for hunt and check; 2 for a usage \
            error; 3 when silt could not measure.
            """,
        version: siltVersion,
        subcommands: [
            RunCommand.self, HuntCommand.self, CheckCommand.self, ReportCommand.self, DiffCommand.self,
            DoctorCommand.self,
            ListenCommand.self, MarkCommand.self, ShimCommand.self, DemoCommand.self, TopCommand.self,
            ServeCommand.self, DashboardCommand.self,
            CompletionsCommand.self,
            ManCommand.self, DemoServerCommand.self, DemoLoadCommand.self,
        ]
    )
}

extension Silt {
    /// Parses and runs; a usage error ends with status 2 rather than the parser's own 64.
    static func main() {
        silt_signals_prepare()
        if arguments.first == "help", let problem = unknownCommand(arguments.dropFirst().first, isHelp: true) {
            Terminal.write(fullMessage(for: problem) + "\n", to: STDERR_FILENO)
            exit(withError: SiltExit.usage)
        }
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch {
            if let problem = unknownCommand(arguments.first) {
                Terminal.write(fullMessage(for: problem) + "\n", to: STDERR_FILENO)
                exit(withError: SiltExit.usage)
            }
            if let problem = unknownOption(error) {
                let text = fullMessage(for: error).replacing(message(for: error), with: problem.message)
                Terminal.write(text + "\n", to: STDERR_FILENO)
                exit(withError: SiltExit.usage)
            }
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            Terminal.write(fullMessage(for: error) + "\n", to: STDERR_FILENO)
            exit(withError: SiltExit.usage)
        }
    }
}

extension Silt {
    /// What is wrong with a first word that is no subcommand, or with one behind `silt help`.
    private static func unknownCommand(_ word: String?, isHelp: Bool = false) -> ValidationError? {
        let commands = configuration.subcommands
        let names = commands.filter { $0.configuration.shouldDisplay }.map { $0._commandName } + ["help"]
        if word == "--" { return Refusal.noSubcommand(Array(arguments.dropFirst())) }
        guard let word, !word.hasPrefix("-"), !commands.contains(where: { $0._commandName == word }), word != "help"
        else {
            return nil
        }
        if ["attach", "detach"].contains(word) { return Refusal.noCommand(word, Refusal.onlyFromTheStart) }
        let near = (synonyms[word] ?? nearest(word, among: names)).map { isHelp ? Refusal.help(of: $0) : "silt " + $0 }
        return Refusal.noCommand(word, near.map(Refusal.meant) ?? Refusal.noneNear(word))
    }

    /// How other profilers call what commands of silt do.
    private static let synonyms = [
        "record": "run", "trace": "run", "profile": "run", "exec": "run", "start": "run", "show": "report",
        "view": "report", "print": "report", "analyze": "report", "flamegraph": "report --flame", "compare": "diff",
        "live": "top", "monitor": "top", "init": "hunt --init",
    ]

    /// What is wrong with an option that a command does not have; nil: the error is another.
    private static func unknownOption(_ error: any Error) -> ValidationError? {
        guard let found = message(for: error).firstMatch(of: /^Unknown option '(--[^'=]+)/) else { return nil }
        let name = String(found.1)
        if let command = configuration.subcommands.first(where: { $0._commandName == arguments.first }) {
            return command.unknownOption(name)
        }
        let owners = configuration.subcommands.filter {
            $0.configuration.shouldDisplay && $0.optionNames.contains(name)
        }
        guard let first = owners.first else { return unknownOption(name) }
        return Refusal.optionBeforeCommand(name, of: first._commandName)
    }

    /// The words behind its own name, without loss (`String(system:)`).
    ///
    /// Not `CommandLine.arguments`: those are repaired where they are no UTF-8, and empty where neither the environment
    /// nor /proc leads to them.
    private static var arguments: [String] {
        guard silt_argument_count() > 1 else { return [] }
        return (1..<silt_argument_count()).compactMap { silt_argument($0).map { String(system: $0) } }
    }
}

extension ParsableCommand {
    /// As `--out`, out of the help.
    fileprivate static var optionNames: Set<String> {
        let words = helpMessage(columns: 1000).split { !($0.isLetter || $0.isNumber || $0 == "-") }
        return Set(words.map(String.init).filter { $0.hasPrefix("--") && $0.count > 2 })
    }

    /// What is wrong with an option of that name, and which one was probably meant.
    static func unknownOption(_ name: String) -> ValidationError {
        let help = _commandName == "silt" ? "silt --help" : "silt \(_commandName) --help"
        return Refusal.unknownOption(name, near: nearest(name, among: optionNames.sorted()), help: help)
    }
}
