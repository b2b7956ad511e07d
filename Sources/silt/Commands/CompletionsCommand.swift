internal import ArgumentParser

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
        try Terminal.output(Silt.completionScript(for: kind) + "\n")
    }
}
