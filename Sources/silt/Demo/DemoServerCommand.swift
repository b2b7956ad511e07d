internal import ArgumentParser
internal import SiltText

/// The traced half of the demo, which a hunt can be tried on as well.
struct DemoServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "demo-server", shouldDisplay: false)

    @Option(help: "Loopback port to listen on.")
    var port: UInt16 = 8080

    /// In the environment, so that the command that is traced means the same when the demo is over.
    static let portFileVariable = "SILT_DEMO_PORT_FILE"

    func run() throws {
        guard let portFile = Environment.content(Self.portFileVariable) else {
            throw ExitCode(DemoServer.serve(port: port))
        }
        throw ExitCode(DemoServer.serve(port: 0, portFile: portFile))
    }
}
