internal import ArgumentParser
internal import Glibc

/// The traced half of the demo.
struct DemoServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "demo-server", shouldDisplay: false)

    @Argument var portFile: String

    func run() throws {
        throw ExitCode(DemoServer.serve(portFile: portFile))
    }
}

/// The loading half of the demo.
struct DemoLoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "demo-load", shouldDisplay: false)

    @Argument var portFile: String
    @Argument var seconds: Double

    func run() throws {
        throw ExitCode(DemoLoad.run(portFile: portFile, seconds: seconds, requestsPerSecond: 400))
    }
}
