internal import ArgumentParser

/// The traced half of the demo.
struct DemoServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "demo-server", shouldDisplay: false)

    @Argument var portFile: String

    func run() throws {
        throw ExitCode(DemoServer.serve(portFile: portFile))
    }
}
