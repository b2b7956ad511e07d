internal import Glibc
internal import SiltGrowth
package import SiltHTTP
internal import SiltHeap
internal import SiltPprof
internal import SiltProfiles
internal import SiltRecording
package import SiltSession
internal import SiltSymbols
internal import SiltSystem

/// Measures a service by the profiles that it serves: heap and goroutines, pulled when a round ends.
///
/// For Go, whose heap never calls malloc, and whatever else has such an endpoint; alone, or beside a trace
/// (`ProfiledTrace`).
package final class PprofTrace: HuntTrace {
    private let endpoint: PprofEndpoint
    private let recording: String
    private let command: [String]
    private let siltVersion: String
    private var heap = ProfileHistory()
    private var goroutines = ProfileHistory()
    private var runtimeFrames = GoRuntimeFrames()
    /// False once the service has said that it has no such profile.
    private var hasGoroutines = true
    /// Bytes from one sample to the next.
    private var period: Int64 = 0
    private var book = RoundBook(startNs: 0)
    /// When profiles were pulled: at the baseline, and at the end of each round.
    private var times: [UInt64] = []
    private let startedAt: Double

    package init(_ endpoint: PprofEndpoint, recording: String, command: [String], siltVersion: String) {
        self.endpoint = endpoint
        self.recording = recording
        self.command = command
        self.siltVersion = siltVersion
        startedAt = PprofTrace.now
    }

    package func allocatedCount() throws -> UInt64? { nil }

    package var seesEverything: Bool { false }

    package func beginHunt() throws {
        book = RoundBook(startNs: try pull())
    }

    package func endRound(_ mark: RoundMark) throws -> [GrowingCounts] {
        book.end(mark, atNs: try pull())
        return [growing(in: book.intervals)]
    }

    package func finish() throws {
        try ProfileRecording.write(
            to: recording,
            heap: heap,
            goroutines: goroutines,
            book: book,
            times: times,
            target: target
        )
    }

    /// Adds what was pulled to the recording of the same hunt, which must be closed.
    func add(to recording: String, pid: UInt32) throws {
        try ProfileRecording.add(
            to: recording,
            heap: heap,
            goroutines: goroutines,
            command: command,
            pid: pid,
            source: source
        )
    }

    private var target: RecordedTarget {
        var target = RecordedTarget(command: command)
        target.siltVersion = siltVersion
        target.allocator = source
        return target
    }

    private var source: String {
        ProfileSource.text("profiles of \(endpoint.address)", period: period)
    }

    /// Returns when that was.
    private func pull() throws -> UInt64 {
        // Before the garbage collection that the heap profile asks for: it is what the round left running.
        let running = try pullGoroutines()
        var profile = try endpoint.fetch(.heap)
        runtimeFrames.restore(in: &profile, from: endpoint)
        let inUse = try endpoint.inUse(of: profile, .heap)
        // Both or neither: a round has one of each.
        period = profile.period
        if let running { goroutines.add(running, countsOnly: true) }
        heap.add(inUse, countsOnly: false)
        let now = Clock.nanoseconds(PprofTrace.now - startedAt)
        times.append(now)
        return now
    }

    /// nil for a service without such a profile.
    private func pullGoroutines() throws -> PprofInUse? {
        guard hasGoroutines else { return nil }
        do {
            return try endpoint.inUse(of: try endpoint.fetch(.goroutine), .goroutine)
        } catch HTTPError.refused(_, status: 404, _) where goroutines.length == 0 {
            hasGoroutines = false
            return nil
        }
    }

    /// As `Collector` does for traced programs: every stack for itself.
    private func growing(in hunt: HuntIntervals) -> GrowingCounts {
        var counts = GrowingCounts()
        guard let route = hunt.lastRoute else { return counts }
        // More than medium is never said without births.
        let isEnough = hunt.positions(ofPhase: route).count >= Self.enoughRounds
        let judged =
            heap.complete.filter { !GoName.isKeptByRuntime(heap.functions(of: $0)) }.map { ($0, heap) }
            + goroutines.complete.map { ($0, goroutines) }
        var steepest = 0.0
        for (stack, history) in judged where stack.bytes.last != stack.bytes.first {
            let verdict = judgeHuntWithoutBirths(stack.bytes.map(Double.init), hunt).routes[route - 1]
            if verdict.confidence != nil, verdict.slope >= steepest {
                steepest = verdict.slope
                counts.suspect = history.functions(of: stack).first { GoName.kind($0) == .program } ?? counts.suspect
            }
            counts.add(verdict.confidence == .medium && isEnough ? .high : verdict.confidence)
        }
        // What is uncertain beside it gets no surer.
        if counts.high > 0 { counts.low = 0 }
        return counts
    }

    /// Warm-up and rounds up to which medium confidence asks for more.
    private static let enoughRounds = 9

    private static var now: Double { Clock.monotonicSeconds }
}
