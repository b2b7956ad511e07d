internal import ArgumentParser
internal import SiltServer
internal import SiltText

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
            if !label.isEmpty { throw Refusal.worksOnlyWith("--label", "--push") }
            if pushAs != nil { throw Refusal.worksOnlyWith("--push-as", "--push") }
            return
        }
        do {
            _ = try target(service: "silt")
        } catch {
            throw Refusal.said(error)
        }
    }

    private func target(service: String) throws -> PushTarget? {
        try push.map { url in
            try PushTarget(
                url,
                as: pushAs ?? .pyroscope,
                service: service,
                labels: label,
                token: Environment.content("SILT_PUSH_TOKEN"),
                user: Environment.content("SILT_PUSH_USER"),
                password: Environment.content("SILT_PUSH_PASSWORD"),
                version: siltVersion
            )
        }
    }

    /// nil: nothing is to be pushed.
    func pusher(_ source: ReportSource, service: String) throws -> ProfilePusher? {
        let name = service.split(separator: "/").last.map(String.init) ?? service
        return try target(service: name).map { target in
            ProfilePusher(source, to: target, every: pushEvery.seconds) { Terminal.message(.note($0)) }
        }
    }
}

extension ProfileReceiver: ExpressibleByArgument {}
