internal import Glibc
internal import NIOPosix
internal import SiltPprof
internal import SiltSystem
internal import Synchronization

/// Sends the profile of a trace somewhere, again and again.
///
/// What cannot be sent is tried again, later each time; of what waits too long the oldest goes, and is counted.
package final class ProfilePusher: Sendable {
    private struct State {
        var isOver = false
        var sent = 0
        var dropped = 0
        var lastProblem = ""
    }

    private let source: ReportSource
    private let target: PushTarget
    private let period: Double
    private let state = Mutex(State())
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let say: @Sendable (String) -> Void

    /// Profiles that may wait.
    private static let maximumWaiting = 8
    /// Seconds until the first new attempt, and at most between two.
    private static let (firstPause, maximumPause) = (1.0, 60.0)
    /// Seconds that `finish` waits for the last one.
    private static let lastPatience = 10.0

    /// `say` is told when sending begins to fail, and when it goes well again.
    package init(
        _ source: ReportSource,
        to target: PushTarget,
        every period: Double,
        say: @escaping @Sendable (String) -> Void
    ) {
        self.source = source
        self.target = target
        self.period = period
        self.say = say
        withoutSignals { pool.start() }
        pool.submit { _ in self.run() }
    }

    /// Sends what is known at the end, and ends; returns what was sent and what was not, in words.
    package func finish() -> String {
        state.withLock { $0.isOver = true }
        let done = Occasion()
        pool.submit { _ in done.signal() }
        done.wait(seconds: Self.lastPatience)
        return state.withLock { state in
            "pushed \(state.sent) profiles"
                + (state.dropped > 0 ? ", \(state.dropped) could not be: \(state.lastProblem)" : "")
        }
    }

    private func run() {
        var waiting: [[UInt8]] = []
        var number = 0
        var nextProfile = now + period
        var nextAttempt = now
        var pause = Self.firstPause
        var isFailing = false
        while true {
            let isOver = state.withLock { $0.isOver }
            if isOver || now >= nextProfile {
                nextProfile = now + period
                number += 1
                if let request = request(number, isLast: isOver) { waiting.append(request) }
                if waiting.count > Self.maximumWaiting {
                    waiting.removeFirst()
                    state.withLock { $0.dropped += 1 }
                }
            }
            while let first = waiting.first, isOver || now >= nextAttempt {
                do {
                    try target.send(first)
                    waiting.removeFirst()
                    state.withLock { $0.sent += 1 }
                    pause = Self.firstPause
                    if isFailing { say("profiles are pushed again") }
                    isFailing = false
                } catch {
                    state.withLock { $0.lastProblem = "\(error)" }
                    if !isFailing {
                        let what = error.isFinal ? "it is dropped" : "will be tried again"
                        say("pushing a profile failed, \(what): \(error)")
                    }
                    isFailing = true
                    if error.isFinal {
                        waiting.removeFirst()
                        state.withLock { $0.dropped += 1 }
                        continue
                    }
                    // Those who failed together do not come back together.
                    nextAttempt = now + pause * Double.random(in: 0.5...1.5)
                    pause = min(Self.maximumPause, 2 * pause)
                    break
                }
            }
            if isOver {
                state.withLock { $0.dropped += waiting.count }
                return
            }
            usleep(50_000)
        }
    }

    private func request(_ number: Int, isLast: Bool) -> [UInt8]? {
        do {
            let current = try source.current(isLast: isLast)
            let answer = try Answer(.profile(isAllocated: false, isText: false, seconds: nil), current)
            return try target.body(answer.body, number: number)
        } catch {
            state.withLock { $0.lastProblem = "\(error)" }
            return nil
        }
    }

    private var now: Double { Clock.monotonicSeconds }
}

/// Something another thread waits for, with a limit.
private final class Occasion: Sendable {
    private let isDone = Mutex(false)

    func signal() { isDone.withLock { $0 = true } }

    func wait(seconds: Double) {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while !isDone.withLock({ $0 }), ContinuousClock.now < deadline { usleep(5000) }
    }
}

/// Threads made in `body` take no signals: a collector waits for those of its own thread, and SIGCHLD would be lost on
/// another.
func withoutSignals<Result>(_ body: () -> Result) -> Result {
    var all = sigset_t()
    var mask = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, &mask)
    defer { pthread_sigmask(SIG_SETMASK, &mask, nil) }
    return body()
}
