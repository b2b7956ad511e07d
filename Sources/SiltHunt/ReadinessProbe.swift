internal import CSiltSystem
package import Glibc
package import SiltPlan

/// Looks again and again whether the service is ready; whoever reads its trace calls `advance` in between.
package final class ReadinessProbe {
    private let readiness: Readiness
    private let pid: pid_t
    private let isOutlived: () -> Bool
    private let timeoutSeconds: Double
    private let startedAt = ContinuousClock.now
    private let places: [SocketPlace]
    private var attempt: ConnectionAttempt?
    private var attempts = 0
    private var attemptedAt = ContinuousClock.now
    private var lastProblem: String

    /// Between two attempts, and the longest wait for one to succeed, in seconds.
    private static let pause = 0.05
    private static let patience = 10.0

    /// `pid` is the service, a child of this process; the time runs from now.
    ///
    /// `isOutlived` says, when that has ended well, whether it has left a process that goes on, as daemons do.
    package init(
        _ readiness: Readiness,
        pid: pid_t,
        timeoutSeconds: Double,
        isOutlived: @escaping () -> Bool = { false }
    ) throws(HuntError) {
        self.readiness = readiness
        self.pid = pid
        self.isOutlived = isOutlived
        self.timeoutSeconds = timeoutSeconds
        places = try readiness.places
        switch readiness {
        case .quiet: lastProblem = "it still allocates"
        case .tcp, .unix, .http: lastProblem = "no connection"
        case .log:
            lastProblem =
                "no line of its output matched; a program that holds back what it prints while its output is no "
                + "terminal must be told not to (stdbuf -oL, PYTHONUNBUFFERED=1)"
        case .time: lastProblem = "the time is longer than ready_timeout"
        }
    }

    /// True once the service is ready; does not wait.
    ///
    /// `isQuiet` answers for `.quiet`, and `log` for `.log`: it is copied here. Throws `.endedBeforeReady` and `.notReady`.
    package func advance(isQuiet: Bool = false, log: OutputTap? = nil) throws(HuntError) -> Bool {
        log?.copy()
        if isReady(isQuiet: isQuiet, log: log) { return true }
        try checkThatItRuns()
        guard seconds < timeoutSeconds else {
            throw .notReady(readiness, seconds: timeoutSeconds, lastProblem: lastProblem)
        }
        return false
    }

    /// Waits until the service is ready, looking every 20 ms; `isInterrupted` ends that with `.interrupted`.
    ///
    /// A traced service waits for its events to be read: another process has to do that meanwhile.
    package func wait(
        log: OutputTap? = nil,
        isQuiet: () -> Bool = { false },
        isInterrupted: () -> Bool = { false }
    ) throws(HuntError) {
        while try !advance(isQuiet: isQuiet(), log: log) {
            guard !isInterrupted() else { throw .interrupted }
            usleep(20_000)
        }
    }

    private var seconds: Double { (ContinuousClock.now - startedAt) / .seconds(1) }

    private func isReady(isQuiet: Bool, log: OutputTap?) -> Bool {
        switch readiness {
        case .quiet: isQuiet
        case .log: log?.hasMatched ?? false
        case .time(let wanted): seconds >= wanted
        case .tcp, .unix: isAnswered(request: nil)
        case .http(let address): isAnswered(request: address.request)
        }
    }

    private func checkThatItRuns() throws(HuntError) {
        var status: Int32 = 0
        switch silt_has_ended(pid, &status) {
        case 0: return
        case 1:
            if status != 0 || !isOutlived() { throw .endedBeforeReady(status: status) }
        default:
            // No child of ours, or somebody has taken its status already.
            guard kill(pid, 0) == 0 || errno == EPERM else { throw .endedBeforeReady(status: nil) }
        }
    }

    /// Goes on with the attempt under way, or begins the next one, at the next of the addresses.
    private func isAnswered(request: String?) -> Bool {
        let sinceAttempt = (ContinuousClock.now - attemptedAt) / .seconds(1)
        guard let current = attempt else {
            if attempts == 0 || sinceAttempt >= ReadinessProbe.pause {
                attempt = ConnectionAttempt(to: places[attempts % places.count], request: request)
                attempts += 1
                attemptedAt = ContinuousClock.now
            }
            return false
        }
        current.advance()
        switch current.state {
        case .underWay:
            guard sinceAttempt >= ReadinessProbe.patience else { return false }
            lastProblem = "no answer for \(ReadinessProbe.patience.shortest) s"
        case .failed(let problem): lastProblem = problem
        case .succeeded(let status):
            guard let status, status >= 500 else { return true }
            lastProblem = "its answer has status \(status)"
        }
        attempt = nil
        return false
    }
}

extension Readiness {
    /// Throws `.alreadyAnswered` when a connection succeeds now, before the service is started: a forgotten instance would
    /// be loaded in its place.
    package func checkThatNobodyAnswers() throws(HuntError) {
        for place in try places {
            let attempt = ConnectionAttempt(to: place)
            for _ in 0..<50 where attempt.state == .underWay {
                attempt.advance()
                usleep(2000)
            }
            guard attempt.state != .succeeded(httpStatus: nil) else { throw .alreadyAnswered(self) }
        }
    }

    /// Where one connects to see it; empty for what needs no connection.
    fileprivate var places: [SocketPlace] {
        get throws(HuntError) {
            switch self {
            case .tcp(let host, let port): try SocketPlace.resolve(host: host, port: port)
            case .unix(let path): [try SocketPlace.unix(path: path)]
            case .http(let address): try SocketPlace.resolve(host: address.host, port: address.port)
            case .quiet, .log, .time: []
            }
        }
    }
}

extension HTTPAddress {
    fileprivate var request: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return
            "GET \(path) HTTP/1.1\r\nHost: \(name):\(port)\r\nUser-Agent: silt\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    }
}
