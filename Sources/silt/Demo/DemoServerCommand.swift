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
        let portFile = Environment.content(Self.portFileVariable)
        throw ExitCode(DemoServer.serve(port: portFile == nil ? port : 0, portFile: portFile))
    }
}
