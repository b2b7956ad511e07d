import Foundation

/// The JSON twin of a report, as the tests read it: unknown keys fail a test that compares the whole.
public struct TraceReport: Decodable {
    public struct Place: Decodable {
        public var function: String
        public var file: String?
        public var line: Int?
        public var module: String?
    }

    public struct Rate: Decodable {
        public var value: Double
        public var low: Double
        public var high: Double
        public var unit: String
    }

    public struct Site: Decodable {
        public var rank: Int
        public var kind: String
        public var verdict: String
        public var confidence: String?
        public var reason: String?
        public var evidence: String?
        public var rate: Rate?
        public var blame: Place
        public var caller: Place?
        public var inuse_space: Int
        public var inuse_objects: Int
        public var alloc_space: Int
        public var alloc_objects: Int
        public var stack: [Place]
    }

    public struct Totals: Decodable {
        public var alloc_objects: Int
        public var alloc_space: Int
        public var free_objects: Int
        public var inuse_objects: Int
        public var inuse_space: Int
        public var peak_inuse_space: Int
    }

    public struct Trust: Decodable {
        public var events_sent: Int
        public var events_received: Int
        public var lost: Int
        public var unknown_frees: Int
        public var waits: Int
        public var stacks_complete_percent: Double
        public var symbolized_percent: Double
    }

    public struct Process: Decodable {
        public var pid: Int
        public var parent: Int?
        public var command: String
        public var totals: Totals
    }

    public struct Target: Decodable {
        public var command: String
        public var pid: Int
        public var allocator: String?
        public var exit_status: Int?
    }

    public var format: String
    public var version: Int
    public var target: Target
    public var verdict: String
    public var totals: Totals
    public var trust: Trust
    public var processes: [Process]
    public var sites: [Site]

    /// Sites blamed on that function, or called from it as the distinguishing caller.
    public func sites(named function: String) -> [Site] {
        sites.filter { $0.blame.function == function || $0.caller?.function == function }
    }
}

/// Runs a command under silt, then reads the recording's JSON report.
public func trace(
    _ command: [String], options: [String] = [], environment: [String: String] = [:], seconds: Double = 120
) throws -> (result: ProgramResult, report: TraceReport) {
    let folder = try ScratchFolder()
    let recording = folder.file("run.silt")
    let result = try runProgram(
        [siltExecutable, "run", "--out", recording] + options + ["--"] + command, environment: environment,
        seconds: seconds)
    return (result, try report(of: recording))
}

/// The JSON report of a recording.
public func report(of recording: String) throws -> TraceReport {
    let json = try runProgram([siltExecutable, "report", recording, "--json"])
    guard json.status == 0 else { throw TestSetupError(description: json.errors) }
    return try JSONDecoder().decode(TraceReport.self, from: Data(json.output.utf8))
}
