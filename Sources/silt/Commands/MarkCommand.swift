internal import ArgumentParser
internal import Glibc
internal import SiltSession
internal import SiltText

/// `silt mark NAME`: tells a running trace that a round of load has ended.
struct MarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mark",
        abstract: "Tell a running trace that a round of load has ended, from any shell.",
        usage: "silt mark [<options>] <name>",
        discussion: """
            silt listen --out server.silt /run/silt.sock &
            LD_PRELOAD=/usr/local/lib/libsilt.so SILT_SOCKET=/run/silt.sock ./server &
            silt mark --socket /run/silt.sock start
            for i in 1 2 3 4 5 6 7; do
                hey -n 2000 http://127.0.0.1:8080/orders; sleep 2
                silt mark --socket /run/silt.sock orders --requests 2000
            done
            silt report server.silt

            A mark names what was done since the one before it. The first mark of a trace only says where the \
            measurement begins; marks in a row with one name are the rounds of one phase, and "idle" is the name for \
            rounds in which nothing was asked of the program. Seven rounds of a phase make a verdict, and half a minute's watch \
            after them makes it certain.
            """
    )

    @Option(help: "Requests answered in the round.")
    var requests: UInt64?

    @Option(help: "How many of them failed.")
    var failed: UInt64?

    @Option(help: "The socket of the trace; without it, that in SILT_SOCKET.")
    var socket: String?

    @Argument(help: "The phase: a route, or idle.")
    var name: String

    func validate() throws {
        if name.isEmpty || name.contains(where: \.isNewline) { throw Refusal.markNeedsName }
        if socketPath == nil { throw Refusal.markNeedsSocket }
    }

    private var socketPath: String? { socket ?? Environment.value("SILT_SOCKET") }

    func run() throws {
        do {
            let mark = RoundMark(named: name, requests: requests, failedRequests: failed)
            let status = try TraceControl(path: socketPath ?? "").ask(.endRound(mark))
            Terminal.message(.marked(status.done(by: name), bytes: status.inUseBytes, blocks: status.inUseCount))
        } catch {
            throw Terminal.fail(error)
        }
    }
}
