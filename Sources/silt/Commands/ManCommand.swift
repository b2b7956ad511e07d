internal import ArgumentParser
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
        try Terminal.output(ManualPage(command, version: siltVersion).text)
    }
}
