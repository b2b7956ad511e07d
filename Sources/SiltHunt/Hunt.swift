internal import Glibc
package import SiltPlan
internal import SiltSession
internal import SiltSystem

/// Runs a plan: waits until the service is ready, watches it idle, loads it round by round, watches it idle again.
///
/// Everything waits in small steps, so that the service's output is passed on, its end is noticed and a Ctrl-C is heard.
package final class Hunt {
    private let plan: HuntPlan
    private let trace: any HuntTrace
    private let service: Service?
    private let watcher: HuntWatcher
    /// Allocations a second while nothing is asked of the service; the busiest slice.
    private var idleRate = 0.0
    private var roundStart = 0.0

    /// Slices of an idle phase: the judge of routes wants four, and leaves the first out.
    private static let idleSlices = 5
    /// A service that has allocated nothing for so long starts without malloc.
    private static let silentSeconds = 3.0
    /// Seconds without more than idle allocations that end a round.
    private static let quiet = 0.3
    /// Warm-up ends when a request allocates what it did in the round before, except for this share.
    private static let steadyShare = 0.1
    /// A phase that is in doubt gets no more rounds after so many seconds.
    private static let maximumDoubt = 300.0
    /// Rounds that are added run the load twice, after so many of them four times, and then eight times.
    private static let doublingRounds = 6
    private static let maximumDoublings = 3

    /// `service` is nil when the program was started by somebody else.
    package init(_ plan: HuntPlan, trace: any HuntTrace, service: Service?, watcher: HuntWatcher = HuntWatcher()) {
        self.plan = plan
        self.trace = trace
        self.service = service
        self.watcher = watcher
    }

    /// Throws what ended it early; what was measured until then is in the trace, which must be finished either way.
    package func run() throws {
        if service != nil { try waitUntilReady() }
        try measured { try trace.beginHunt() }
        roundStart = now
        try idle(plan.idleSeconds, isFinal: false)
        for phase in plan.phases { try run(phase) }
        try idle(plan.finalIdleSeconds, isFinal: true)
        watcher.show(.writing)
    }

    // MARK: Before the load

    private func waitUntilReady() throws {
        guard let service else { return }
        watcher.show(.waiting(plan.ready))
        let probe = try ReadinessProbe(
            plan.ready,
            pid: service.pid,
            timeoutSeconds: plan.readyTimeoutSeconds,
            isOutlived: { service.status == nil }
        )
        var meter = QuietMeter(window: 1)
        var isQuiet = false
        let begun = now
        while try !probe.advance(isQuiet: isQuiet, log: service.tap) {
            if watcher.isInterrupted() { throw HuntError.interrupted }
            if plan.ready == .quiet, let count = try trace.allocatedCount(),
                count > 0 || now >= begun + Hunt.silentSeconds
            {
                isQuiet = meter.isQuiet(at: now, count: count, rate: 20)
            }
            usleep(20_000)
        }
    }

    private func idle(_ seconds: Double, isFinal: Bool) throws {
        guard seconds > 0 else { return }
        watcher.show(.idle(seconds: seconds, isFinal: isFinal))
        for _ in 0..<Hunt.idleSlices {
            let before = try trace.allocatedCount()
            let slice = seconds / Double(Hunt.idleSlices)
            try pause(slice)
            if let before, let after = try trace.allocatedCount() {
                idleRate = max(idleRate, Double(after &- before) / slice)
            }
            try endRound(RoundMark(phase: "idle", kind: .idle))
        }
    }

    // MARK: Load

    private func run(_ phase: HuntPhase) throws {
        let planned = phase.rounds ?? plan.rounds
        let maximum = max(planned, plan.maxRounds)
        let began = now
        var last = try round(0, of: phase, planned: planned)
        // Warm-up ends when requests allocate as much as those of the round before.
        var warm = 0
        var repeats = 1
        for number in 1...maximum {
            let roundBegan = now
            let result = try round(number, of: phase, planned: planned, repeats: repeats)
            if number <= planned, !result.isSteady(after: last) { warm = number - 1 }
            last = result
            guard number >= planned else { continue }
            let isInDoubt = number < planned + warm || result.growing.contains(where: \.isInDoubt)
            let next = Hunt.repeats(
                ofRound: number + 1 - planned - warm,
                after: (repeats, seconds: now - roundBegan),
                seconds: Hunt.maximumDoubt - (now - began),
                isCounted: result.isCounted
            )
            guard number == maximum || !isInDoubt || next == nil else {
                repeats = next ?? repeats
                continue
            }
            if plan.confirmSeconds > 0, result.growing.contains(where: { $0.charged > 0 }) {
                watcher.show(.confirming(phase: phase.name, seconds: plan.confirmSeconds))
                try pause(plan.confirmSeconds)
                _ = try round(number + 1, of: phase, planned: planned, repeats: repeats)
            }
            break
        }
    }

    /// How often the next round runs the load; nil when the time does not suffice for it.
    ///
    /// What a leak leaves is as much as requests are made, while ever fewer keys are new to a cache: the more requests, the
    /// further the two are apart. `number`: from 1, of those that are added. Nobody knows what a round left per request
    /// whose requests are not counted.
    static func repeats(
        ofRound number: Int,
        after last: (repeats: Int, seconds: Double),
        seconds: Double,
        isCounted: Bool
    ) -> Int? {
        let doublings = number < 1 || !isCounted ? 0 : min(maximumDoublings, 1 + (number - 1) / doublingRounds)
        // As it takes the load so often as the last round, or less of it.
        let affordable = seconds / max(last.seconds, .leastNonzeroMagnitude) * Double(last.repeats)
        var repeats = 1 << doublings
        while repeats > last.repeats, Double(repeats) > affordable { repeats /= 2 }
        return Double(repeats) > affordable ? nil : repeats
    }

    /// What a round came to.
    private struct RoundResult {
        var growing: [GrowingCounts]
        /// Requests are.
        var isCounted = false
        /// nil when they, or the requests, are not counted.
        var allocationsPerRequest: Double?

        func isSteady(after other: RoundResult) -> Bool {
            guard let now = allocationsPerRequest, let before = other.allocationsPerRequest else { return true }
            return abs(now - before) <= Hunt.steadyShare * max(now, before)
        }
    }

    private func round(_ number: Int, of phase: HuntPhase, planned: Int, repeats: Int = 1) throws -> RoundResult {
        watcher.show(.load(phase: phase.name, round: number, planned: planned, repeats: repeats))
        let before = try trace.allocatedCount()
        var counted: RequestCount? = RequestCount(requests: 0)
        for _ in 0..<repeats {
            let count = try load(number, of: phase).count
            counted = counted.flatMap { all in count.map { all + $0 } }
        }
        try settle()
        let requests = phase.requestsPerRun.map { min($0, .max / repeats) * repeats } ?? counted?.requests
        let growing = try endRound(
            RoundMark(
                phase: phase.name,
                kind: number == 0 ? .warmUp : .round,
                requests: requests.map { UInt64(max(0, $0)) },
                failedRequests: counted.map { UInt64(max(0, $0.failed)) }
            )
        )
        guard let before, let requests, requests > 0, let after = try trace.allocatedCount(), after >= before else {
            return RoundResult(growing: growing, isCounted: requests ?? 0 > 0)
        }
        let each = Double(after - before) / Double(requests)
        return RoundResult(growing: growing, isCounted: true, allocationsPerRequest: each)
    }

    /// Runs the phase's script once.
    private func load(_ number: Int, of phase: HuntPhase) throws -> LoadResult {
        let load = try LoadScript(phase, of: plan, round: number).start()
        while true {
            try look()
            if let result = try load.advance() { return result }
            load.waitForOutput(milliseconds: 20)
        }
    }

    /// Until the service allocates no more than at idle, but no longer than the plan says.
    private func settle() throws {
        watcher.show(.settling)
        let deadline = now + plan.settleSeconds
        if !trace.seesEverything { try pause(min(1, plan.settleSeconds)) }
        var meter = QuietMeter(window: Hunt.quiet)
        while now < deadline {
            guard let count = try trace.allocatedCount() else { return }
            if meter.isQuiet(at: now, count: count, rate: 1.5 * idleRate + 20) { return }
            try pause(0.05)
        }
    }

    @discardableResult
    private func endRound(_ mark: RoundMark) throws -> [GrowingCounts] {
        try look()
        let growing = try measured { try trace.endRound(mark) }
        watcher.show(.ended(mark, seconds: now - roundStart, growing: growing))
        roundStart = now
        return growing
    }

    /// The end of a service that has just died says more than that it does not answer.
    private func measured<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            try pause(0.5)
            throw error
        }
    }

    // MARK: Waiting

    private func pause(_ seconds: Double) throws {
        let deadline = now + seconds
        while now < deadline {
            try look()
            usleep(UInt32(max(1, min(0.02, deadline - now) * 1e6)))
        }
    }

    /// Throws when the service has ended or the user wants no more.
    private func look() throws {
        service?.tap?.copy()
        if watcher.isInterrupted() { throw HuntError.interrupted }
        if let status = service?.status { throw HuntError.serviceEnded(status: status) }
    }

    private var now: Double { Clock.monotonicSeconds }
}
