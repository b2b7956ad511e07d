internal import ArgumentParser
internal import Glibc
internal import SiltFindings
internal import SiltRecording
internal import SiltReports
internal import SiltServer
internal import SiltSession
internal import Synchronization

/// `silt serve PID|F.silt`: the report over HTTP.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve a report over HTTP: a live page, profiles for go tool pprof, metrics for Prometheus.",
        discussion: """
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

    @Option(help: "Take functions that match this regular expression for allocator wrappers; may be repeated.")
    var hide: [String] = []

    @Argument(help: "A recording, or the id of a traced process.", completion: .file())
    var target: String

    func validate() throws { _ = try serverAddress() }

    private func serverAddress() throws -> ServerAddress { try ServerAddress(local: at, others: listen) }

    func run() throws {
        do {
            let source = ReportSource(try LiveTrace(target: target), hide: hide)
            // A recording that cannot be read is no reason to listen.
            let traced = try source.current().report.recording.target.command.first
            let server = try ReportServer(source, at: try serverAddress(), token: ServerAddress.token)
            Terminal.message("serving \(target) at \(server.address)")
            let pusher = try push.pusher(source, service: traced ?? target)
            defer { pusher.map { Terminal.message($0.finish()) } }
            Interrupts.listen()
            while Interrupts.count == 0 { usleep(50_000) }
            server.stop()
        } catch {
            throw Terminal.fail(error)
        }
    }
}

extension ServerAddress {
    /// What must be sent by who asks from elsewhere.
    static var token: String? { getenv("SILT_TOKEN").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } }

    init(local: String, others: String? = nil) throws {
        if let others {
            guard let address = ServerAddress(others) else {
                throw ValidationError("--listen \(others) is no HOST:PORT")
            }
            guard ServerAddress.token != nil else {
                throw ValidationError("--listen needs a token that requests must carry: set SILT_TOKEN")
            }
            self = address
            return
        }
        guard let address = ServerAddress(local) else {
            throw ValidationError("\(local) is no port, and no unix:PATH")
        }
        if case .network = address {
            throw ValidationError(
                "\(local) can be reached by others: say --listen \(local), with a token in SILT_TOKEN"
            )
        }
        self = address
    }
}

extension ReportSource {
    /// The report of a trace, brought up to date each time.
    convenience init(_ trace: LiveTrace, hide: [String]) {
        var options = ReportOptions()
        options.hide = hide
        let seen = Mutex<[Int64]>([])
        self.init { [options] isFirst in
            trace.refresh()
            let stamp = trace.stamp
            let isNews = seen.withLock { seen in
                defer { seen = stamp }
                return seen != stamp
            }
            guard isFirst || isNews else { return nil }
            return try ReportBuilder.build(Recording(path: trace.recording), options: options)
        }
    }
}

/// Where profiles are sent to, and how often.
struct PushOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Send the profile there again and again, by http or https; credentials are SILT_PUSH_TOKEN, or \
            SILT_PUSH_USER and SILT_PUSH_PASSWORD.
            """,
            valueName: "url"
        )
    )
    var push: String?

    @Option(
        help: ArgumentHelp(
            "What takes it: pyroscope, by its push API, or otlp, a collector of OpenTelemetry profiles.",
            valueName: "receiver"
        )
    )
    var pushAs: ProfileReceiver?

    @Option(help: "Time between two profiles that are pushed.")
    var pushEvery: Duration = Duration(seconds: 15)

    @Option(help: ArgumentHelp("A label of the profiles that are pushed; may be repeated.", valueName: "name=value"))
    var label: [String] = []

    func validate() throws {
        guard push != nil else {
            if !label.isEmpty { throw ValidationError("--label goes with --push") }
            if pushAs != nil { throw ValidationError("--push-as goes with --push") }
            return
        }
        do {
            _ = try target(service: "silt")
        } catch {
            throw ValidationError("\(error)")
        }
    }

    private func target(service: String) throws -> PushTarget? {
        func variable(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        return try push.map { url in
            try PushTarget(
                url,
                as: pushAs ?? .pyroscope,
                service: service,
                labels: label,
                token: variable("SILT_PUSH_TOKEN"),
                user: variable("SILT_PUSH_USER"),
                password: variable("SILT_PUSH_PASSWORD"),
                version: siltVersion
            )
        }
    }

    /// nil: nothing is to be pushed.
    func pusher(_ source: ReportSource, service: String) throws -> ProfilePusher? {
        let name = service.split(separator: "/").last.map(String.init) ?? service
        return try target(service: name).map { target in
            ProfilePusher(source, to: target, every: pushEvery.seconds) { Terminal.message($0) }
        }
    }
}

extension ProfileReceiver: ExpressibleByArgument {}
