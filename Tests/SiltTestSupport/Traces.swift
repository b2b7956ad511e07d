import Foundation

/// The JSON twin of a report, as the tests read it: unknown keys fail a test that compares the whole.
package struct TraceReport: Decodable, Sendable {
    package struct Place: Decodable, Sendable {
        package var function: String
        package var file: String?
        package var line: Int?
        package var module: String?
    }

    package struct Rate: Decodable, Sendable {
        package var value: Double
        package var low: Double
        package var high: Double
        package var unit: String
    }

    package struct Part: Decodable, Sendable {
        package var rank: Int
        package var reason: String
    }

    package struct Example: Decodable, Sendable {
        package var kind: String
        package var text: String
        package var ageSeconds: Double
    }

    package struct Site: Decodable, Sendable {
        package var rank: Int
        package var kind: String
        package var verdict: String
        package var confidence: String?
        package var reason: String?
        package var evidence: String?
        package var rate: Rate?
        package var blame: Place
        package var caller: Place?
        package var inuseSpace: Int
        package var inuseObjects: Int
        package var allocSpace: Int
        package var allocObjects: Int
        package var stack: [Place]
        /// Of hunts.
        package var phase: String?
        package var leakFraction: Double?
        package var freedBy: Place?
        /// Of what grows.
        package var example: Example?
        /// Of a site that follows another.
        package var partOf: Part?

        package var isGrowing: Bool { verdict.hasSuffix("growing") && verdict != "not-growing" }
    }

    package struct Phase: Decodable, Sendable {
        package var name: String
        package var rounds: Int
        package var requests: Int?
        package var failedRequests: Int?
        package var verdict: String
    }

    package struct Totals: Decodable, Sendable {
        package var allocObjects: Int
        package var allocSpace: Int
        package var freeObjects: Int
        package var inuseObjects: Int
        package var inuseSpace: Int
        package var peakInuseSpace: Int
    }

    package struct Trust: Decodable, Sendable {
        package var eventsSent: Int
        package var eventsReceived: Int
        package var lost: Int
        package var unknownFrees: Int
        package var waits: Int
        package var stacksCompletePercent: Double
        package var symbolizedPercent: Double
        package var descriptorsUnseen: Int?
    }

    package struct Process: Decodable, Sendable {
        package var pid: Int
        package var parent: Int?
        package var command: String
        package var totals: Totals
    }

    package struct Untraced: Decodable, Sendable {
        package var program: String
        package var reason: String
        package var became: String
        package var processes: Int
    }

    package struct Target: Decodable, Sendable {
        package var command: String
        package var pid: Int
        package var allocator: String?
        package var exitStatus: Int?
    }

    package var format: String
    package var version: Int
    package var target: Target
    package var verdict: String
    package var headline: String?
    package var totals: Totals
    package var trust: Trust
    package var processes: [Process]
    package var untraced: [Untraced]
    package var sites: [Site]
    /// Of hunts.
    package var phases: [Phase]?

    /// The sites charged with a phase, in the report's order.
    package func charged(_ phase: String) -> [Site] { sites.filter { $0.isGrowing && $0.phase == phase } }

    /// Sites blamed on that function, or called from it as the distinguishing caller.
    package func sites(named function: String) -> [Site] {
        sites.filter { $0.blame.function == function || $0.caller?.function == function }
    }
}

/// Runs a command under silt, then reads the recording's JSON report.
package func trace(
    _ command: [String],
    options: [String] = [],
    environment: [String: String] = [:],
    seconds: Double = 120
) throws -> (result: ProgramResult, report: TraceReport) {
    let folder = try ScratchFolder()
    let recording = folder.file("run.silt")
    let result = try runProgram(
        [siltExecutable, "run", "--out", recording] + options + ["--"] + command,
        environment: environment,
        seconds: seconds
    )
    return (result, try report(of: recording))
}

/// The JSON report of a recording.
package func report(
    of recording: String,
    options: [String] = [],
    silt: String = siltExecutable
) throws -> TraceReport {
    let json = try runProgram([silt, "report", recording, "--json"] + options)
    guard json.status == 0 else { throw TestSetupError(description: json.errors) }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(TraceReport.self, from: Data(json.output.utf8))
}

/// Runs `silt hunt` with those options and command, and reads its JSON report.
///
/// A hunt of seconds never makes a verdict certain, so there are no more rounds than a likely one takes, unless options or
/// `maximumRounds` say so; nil: as many as silt makes by itself.
package func hunt(
    _ options: [String],
    command: [String],
    maximumRounds: Int? = 8,
    seconds: Double = 180
) throws -> (result: ProgramResult, report: TraceReport) {
    let folder = try ScratchFolder()
    let recording = folder.file("hunt.silt")
    let rounds = options.contains("--max-rounds") ? nil : maximumRounds
    let result = try runProgram(
        [siltExecutable, "hunt", "--out", recording] + (rounds.map { ["--max-rounds", "\($0)"] } ?? []) + options
            + ["--"] + command,
        seconds: seconds
    )
    guard FileManager.default.fileExists(atPath: recording) else { throw TestSetupError(description: result.errors) }
    return (result, try report(of: recording))
}

/// The options of a hunt for its phases: names and load scripts.
package func phases(_ scripts: [(name: String, script: String)]) -> [String] {
    scripts.flatMap { ["--phase", "\($0.name)=\($0.script)"] }
}

extension TraceReport.Place {
    private enum CodingKeys: CodingKey { case function, file, line, module }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        // Of a function without a name: empty.
        function = try values.decodeIfPresent(String.self, forKey: .function) ?? ""
        file = try values.decodeIfPresent(String.self, forKey: .file)
        line = try values.decodeIfPresent(Int.self, forKey: .line)
        module = try values.decodeIfPresent(String.self, forKey: .module)
    }
}
