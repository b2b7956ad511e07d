internal import ArgumentParser
internal import Glibc
internal import SiltFindings
internal import SiltRecording
internal import SiltServer
internal import SiltSession

/// `silt serve PID|F.silt`: the report over HTTP.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve a report over HTTP: a live page, profiles for go tool pprof, metrics for Prometheus.",
        usage: "silt serve [<options>] [<target>]",
        discussion: """
            silt serve --at 6070
            silt serve server.silt --at 6070
            silt serve 4711 --at 6070
            silt serve server.silt --at unix:/run/silt-http.sock
            silt serve 4711 --push http://127.0.0.1:4040 --label env=staging
            silt serve 4711 --push http://127.0.0.1:4318 --push-as otlp
            SILT_TOKEN=secret silt serve server.silt --listen 0.0.0.0:6070

            Of a running trace (its process, started with silt run or with SILT_SOCKET) the report is made anew when it is \
            asked for. / is a page that keeps itself up to date, /debug/pprof/heap and /debug/pprof/allocs are profiles \
            (?seconds=30: what came in that time, ?debug=1: text), /metrics is for Prometheus, /api/report is the JSON of \
            silt report. Only this machine is answered, unless --listen names another address; then each request needs \
            the token of the environment variable SILT_TOKEN as Authorization: Bearer. Ctrl-C ends it.
            """
    )

    @Option(help: "Where to listen on this machine: a port, :0 for any, or unix:PATH.")
    var at: String = ":0"

    @Option(help: "Where to listen for others, as 0.0.0.0:6070; needs SILT_TOKEN.")
    var listen: String?

    @OptionGroup(title: "Push") var push: PushOptions

    @Option(help: .hide)
    var hide: [String] = []

    @Argument(
        help: "A recording, or the id of a traced process; without it what is traced now.",
        completion: .recordingsAndTraces
    )
    var target: String?

    func validate() throws { _ = try serverAddress() }

    private func serverAddress() throws -> ServerAddress { try ServerAddress(local: at, others: listen) }

    func run() throws {
        do {
            let (trace, target) = try LiveTrace.chosen(target, by: Self._commandName)
            let source = ReportSource(trace, kept: .file(trace.recording), hide: hide)
            // A recording that cannot be read is no reason to listen.
            let traced = try source.current().report.recording.target.command.first
            let server = try ReportServer(source, at: try serverAddress(), token: ServerAddress.token)
            Terminal.message(.serving(target, at: server.address))
            let pusher = try push.pusher(source, service: traced ?? target)
            defer { pusher.map { Terminal.message(.note($0.finish())) } }
            Interrupts.listen()
            while Interrupts.count == 0 { usleep(50_000) }
            server.stop()
        } catch {
            throw Terminal.fail(error)
        }
    }
}
