internal import ArgumentParser
internal import SiltShim

/// `silt shim PATH`: writes the preload library that this executable carries.
struct ShimCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shim",
        abstract: "Write the preload library that this executable carries.",
        discussion: """
            silt shim /usr/local/lib/libsilt.so
            LD_PRELOAD=/usr/local/lib/libsilt.so SILT_OUT=/var/tmp/server.silt ./server

            The path must have neither space nor colon: LD_PRELOAD splits there, as
            ld.so(8) says.
            """
    )

    @Argument(help: "Where to write it.")
    var path: String

    func validate() throws {
        guard path.contains(where: { $0 == " " || $0 == ":" }) else { return }
        throw Refusal.shimPath(path)
    }

    func run() throws {
        do {
            try ShimFile.write(to: path)
        } catch {
            throw Terminal.fail(error)
        }
    }
}
