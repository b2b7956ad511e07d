internal import Glibc
internal import SiltText

/// Why a hunt cannot begin or go on; each description says what to do.
package enum HuntError: Error, Equatable {
    /// The plan's text is wrong in that line (from 1; 0: the file as a whole).
    case plan(file: String, line: Int, problem: String)
    /// A command-line option is wrong.
    case option(name: String, problem: String)
    /// There is nothing to hunt.
    case noService
    /// Profiles are wanted of a trace that somebody else started.
    case profilesOfAttached
    /// An invalid regular expression.
    case pattern(String, reason: String)
    /// The service ended before it was ready; `status` as a shell reports it, nil when somebody else has taken it.
    case endedBeforeReady(status: Int32?)
    /// It ended while it was hunted; `status` as a shell reports it.
    case serviceEnded(status: Int32)
    /// Something else answers where the service is to, before it has been started.
    case alreadyAnswered(Readiness)
    case notReady(Readiness, seconds: Double, lastProblem: String)
    /// The script of a phase ended with another status than 0.
    case loadFailed(phase: String, round: Int, status: Int32, output: String)
    case loadTimedOut(phase: String, round: Int, seconds: Double, output: String)
    /// The user ended it.
    case interrupted
    case system(call: String, reason: String)
}

extension HuntError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .plan(let file, let line, let problem):
            line > 0 ? "\(file):\(line): \(problem)" : "\(file): \(problem)"
        case .option(let name, let problem):
            "\(name): \(problem)"
        case .noService:
            "name the service: silt hunt … -- ./server, or command: in the plan; or one that runs, with --pprof URL"
        case .profilesOfAttached:
            "--pprof and --attach-socket cannot go together: let silt start the service, silt hunt --pprof URL … -- "
                + "./server, or pull its profiles alone"
        case .pattern(let pattern, let reason):
            "\(pattern) is no extended regular expression: \(reason)"
        case .endedBeforeReady(let status):
            "the service ended before it was ready"
                + (status.map { ", with status \($0)\(HuntError.signalName($0))" } ?? "")
                + ": start it by hand to see why"
        case .serviceEnded(let status):
            "the service ended during the hunt, with status \(status)\(HuntError.signalName(status)): it must stay in the "
                + "foreground (nginx -g 'daemon off;') and survive the load"
        case .alreadyAnswered(let readiness):
            "something listens at \(readiness) before the service has been started: end that first, or use another port"
        case .notReady(let readiness, let seconds, let lastProblem):
            "the service was not ready within \(seconds.shortest) s (\(readiness)): \(lastProblem); "
                + "ready_timeout gives it longer"
        case .loadFailed(let phase, let round, let status, let output):
            "the load of phase \(phase) failed in \(HuntError.name(round)), with status \(status)\(HuntError.signalName(status)): "
                + "a script whose last command may fail ends with `|| true`" + HuntError.quoted(output)
        case .loadTimedOut(let phase, let round, let seconds, let output):
            "the load of phase \(phase) did not end within \(seconds.shortest) s in \(HuntError.name(round)): give the phase a "
                + "longer timeout, or a script that makes fewer requests" + HuntError.quoted(output)
        case .interrupted:
            "interrupted"
        case .system(let call, let reason):
            "\(call): \(reason)"
        }
    }

    /// As " (signal 9)" for 137; statuses up to 128 need no word.
    private static func signalName(_ status: Int32) -> String {
        status > 128 ? " (signal \(status - 128))" : ""
    }

    private static func name(_ round: Int) -> String { round == 0 ? "its warm-up" : "round \(round)" }

    /// The last lines of an output, indented, under the message.
    private static func quoted(_ output: String) -> String {
        let lines = output.split(whereSeparator: \.isNewline)
        guard !lines.isEmpty else { return "; it printed nothing" }
        let shown = lines.suffix(20)
        let omitted = lines.count > shown.count ? "\n  … \(lines.count - shown.count) lines before" : ""
        return "; it printed:" + omitted + shown.map { "\n  " + $0 }.joined()
    }

    /// The error of the system call that just failed.
    package static func last(_ call: String) -> HuntError {
        .system(call: call, reason: errorText(errno))
    }
}

extension Double {
    /// As 0.5, 10, 300: without a point where none is needed.
    package var shortest: String {
        self == rounded() && magnitude < 1e15 ? "\(Int(self))" : "\(self)"
    }
}
