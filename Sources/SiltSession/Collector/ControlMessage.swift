package import SiltGrowth
package import SiltRecording

/// What another process asks of a running trace, over the socket at which traced programs announce themselves.
///
/// One message each way (SOCK_SEQPACKET keeps their bounds), in lines of UTF-8: `silt-control 1`, the word of the request,
/// then `key=value`. The answer begins with `ok` or with `error` and a sentence.
package enum ControlRequest: Equatable, Sendable {
    /// How the trace stands.
    case status
    /// From here on every interval is a round that somebody ends; what lives now is the baseline.
    case beginHunt
    case endRound(RoundMark)
    /// Brings the recording up to date, names included, so that it can be read while the trace goes on.
    case symbolize
    /// Closes the recording, lets the traced programs go on untraced and ends the trace.
    case finish
}

/// A round of a hunt has ended.
package struct RoundMark: Equatable, Sendable {
    package var phase: String
    package var kind: RecordedRound.Kind
    package var requests: UInt64?
    package var failedRequests: UInt64?

    package init(phase: String, kind: RecordedRound.Kind, requests: UInt64? = nil, failedRequests: UInt64? = nil) {
        self.phase = phase
        self.kind = kind
        self.requests = requests
        self.failedRequests = failedRequests
    }

    /// As a user names it: rounds of the phase idle are those in which nothing was asked of the program.
    package init(named phase: String, requests: UInt64? = nil, failedRequests: UInt64? = nil) {
        let kind: RecordedRound.Kind = phase == "idle" ? .idle : .round
        self.init(phase: phase, kind: kind, requests: requests, failedRequests: failedRequests)
    }
}

/// How a trace stands: sums over all processes that are traced now, and over those that were.
package struct TraceStatus: Equatable, Sendable {
    package var recording = ""
    /// Rounds of the hunt that have ended; nil: no hunt is on.
    package var rounds: Int?
    /// Processes that are traced now, and that ever were.
    package var processes = 0
    package var traced = 0
    /// What is traced now allocated and holds.
    package var allocatedCount: UInt64 = 0
    package var inUseBytes: UInt64 = 0
    package var inUseCount: UInt64 = 0
    /// Functions that grow in the phase of the round that just ended, by how sure that is; 0 but after `endRound`.
    package var growing = GrowingCounts()
    /// Why a program could not be traced; empty when all could.
    package var problem = ""

    /// What a mark of that name did, in words.
    package func done(by mark: String) -> String {
        rounds == 0 ? "the measurement begins" : "round \(rounds ?? 0) ended: \(mark)"
    }
}

/// How many blamed functions grow, by confidence.
package struct GrowingCounts: Equatable, Sendable {
    package var high = 0
    package var medium = 0
    package var low = 0
    /// Not charged, but they still fill.
    package var filling = 0
    /// The one of them that loses most, by name.
    package var suspect: String?

    package init() {}

    package var charged: Int { high + medium + low }

    package mutating func add(_ confidence: Confidence?) {
        switch confidence {
        case .high: high += 1
        case .medium: medium += 1
        case .low: low += 1
        case nil: break
        }
    }

    /// More rounds may tell.
    package var isInDoubt: Bool { medium + low + filling > 0 }
}

/// A message that cannot be understood, or a request that was refused; `reason` is a sentence.
package struct ControlError: Error, Equatable, CustomStringConvertible {
    package var reason: String

    package init(_ reason: String) { self.reason = reason }

    package var description: String { reason }
}

/// The text of messages.
enum ControlText {
    static let greeting = "silt-control 1"
    /// Bytes of the longest message.
    static let limit = 8192

    static func encode(_ request: ControlRequest) -> String {
        switch request {
        case .status: return "\(greeting)\nstatus"
        case .beginHunt: return "\(greeting)\nhunt"
        case .symbolize: return "\(greeting)\nsymbolize"
        case .finish: return "\(greeting)\nfinish"
        case .endRound(let mark):
            var text = "\(greeting)\nround\nkind=\(mark.kind.rawValue)"
            if let requests = mark.requests { text += "\nrequests=\(requests)" }
            if let failed = mark.failedRequests { text += "\nfailed=\(failed)" }
            return text + "\nphase=\(mark.phase.filter { !$0.isNewline })"
        }
    }

    static func decode(request text: String) throws(ControlError) -> ControlRequest {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 2, lines[0] == greeting else {
            throw ControlError("a request of another silt: this one speaks \(greeting)")
        }
        let values = values(lines.dropFirst(2))
        switch lines[1] {
        case "status": return .status
        case "hunt": return .beginHunt
        case "symbolize": return .symbolize
        case "finish": return .finish
        case "round":
            guard let phase = values["phase"], !phase.isEmpty,
                let kind = RecordedRound.Kind(rawValue: values["kind"] ?? "")
            else { throw ControlError("a round without its phase or kind") }
            return .endRound(
                RoundMark(
                    phase: phase,
                    kind: kind,
                    requests: try number(values["requests"]),
                    failedRequests: try number(values["failed"])
                )
            )
        default: throw ControlError("unknown request \(lines[1])")
        }
    }

    static func encode(_ status: TraceStatus) -> String {
        var text = "ok\nprocesses=\(status.processes)\ntraced=\(status.traced)\nallocated=\(status.allocatedCount)"
        text += "\ninuse_space=\(status.inUseBytes)\ninuse_objects=\(status.inUseCount)"
        text += "\nhigh=\(status.growing.high)\nmedium=\(status.growing.medium)\nlow=\(status.growing.low)"
        text += "\nfilling=\(status.growing.filling)"
        if let suspect = status.growing.suspect { text += "\nsuspect=\(suspect.filter { !$0.isNewline })" }
        if let rounds = status.rounds { text += "\nrounds=\(rounds)" }
        text += "\nproblem=\(status.problem.filter { !$0.isNewline })"
        return text + "\nrecording=\(status.recording)"
    }

    static func encode(_ error: ControlError) -> String { "error \(error.reason)" }

    static func decode(status text: String) throws(ControlError) -> TraceStatus {
        if text.hasPrefix("error ") { throw ControlError(String(text.dropFirst("error ".count))) }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.first == "ok" else { throw ControlError("the answer is not silt's: something else listens there") }
        let values = values(lines.dropFirst())
        var status = TraceStatus()
        status.processes = Int(clamping: try number(values["processes"]) ?? 0)
        status.traced = Int(clamping: try number(values["traced"]) ?? 0)
        status.allocatedCount = try number(values["allocated"]) ?? 0
        status.inUseBytes = try number(values["inuse_space"]) ?? 0
        status.inUseCount = try number(values["inuse_objects"]) ?? 0
        status.rounds = try number(values["rounds"]).map { Int(clamping: $0) }
        status.growing.high = Int(clamping: try number(values["high"]) ?? 0)
        status.growing.medium = Int(clamping: try number(values["medium"]) ?? 0)
        status.growing.low = Int(clamping: try number(values["low"]) ?? 0)
        status.growing.filling = Int(clamping: try number(values["filling"]) ?? 0)
        status.growing.suspect = values["suspect"]
        status.problem = values["problem"] ?? ""
        status.recording = values["recording"] ?? ""
        return status
    }

    private static func values(_ lines: ArraySlice<Substring>) -> [String: String] {
        var result: [String: String] = [:]
        for line in lines {
            guard let equals = line.firstIndex(of: "=") else { continue }
            result[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        return result
    }

    private static func number(_ text: String?) throws(ControlError) -> UInt64? {
        guard let text else { return nil }
        guard let number = UInt64(text) else { throw ControlError("\(text.prefix(40)) is no number") }
        return number
    }
}
