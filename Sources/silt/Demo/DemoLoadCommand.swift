internal import ArgumentParser

/// The loading half of the demo.
struct DemoLoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "demo-load", shouldDisplay: false)

    @Argument var portFile: String
    @Argument var seconds: Double

    func run() throws {
        throw ExitCode(DemoLoad.run(portFile: portFile, seconds: seconds, requestsPerSecond: 400))
    }
}
