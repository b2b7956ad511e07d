internal import ArgumentParser
internal import Glibc
internal import SiltJSON

/// `silt man`: the manual page, made of what the commands say of themselves.
struct ManCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "man",
        abstract: "Print the manual page, with all commands, options and examples.",
        discussion: """
            silt man | man -l -
            silt man > /usr/local/share/man/man1/silt.1
            """
    )

    func run() throws {
        guard let help = JSONValue(Array(Silt._dumpHelp().utf8)), let command = help["command"] else {
            preconditionFailure("the parser's description of the commands is no JSON")
        }
        Terminal.write(ManualPage(command, version: siltVersion).text, to: STDOUT_FILENO)
    }
}

/// `silt completions SHELL`: the script with which a shell completes silt's commands and options.
struct CompletionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions",
        abstract: "Print the script with which bash, zsh or fish completes commands and options.",
        discussion: """
            silt completions bash > /etc/bash_completion.d/silt
            silt completions zsh > /usr/local/share/zsh/site-functions/_silt
            silt completions fish > ~/.config/fish/completions/silt.fish
            """
    )

    @Argument(help: "bash, zsh or fish.", completion: .list(["bash", "zsh", "fish"]))
    var shell: Shell

    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish
    }

    func run() throws {
        let kind: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        Terminal.write(Silt.completionScript(for: kind) + "\n", to: STDOUT_FILENO)
    }
}
