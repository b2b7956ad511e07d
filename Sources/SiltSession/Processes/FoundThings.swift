internal import SiltSystem

/// What a look at a process has found to be there since the last one, and not to be there any more, by handles.
struct FoundThings: Equatable {
    var came: [UInt64] = []
    var gone: [UInt64] = []

    var isEmpty: Bool { came.isEmpty && gone.isEmpty }
}

extension FoundThings {
    /// As event files have it (`RawStream.Mark.found`).
    var words: [UInt64] { gone.map { $0 << 1 | 1 } + came.map { $0 << 1 } }

    init(words: [UInt64]) {
        gone = words.filter { $0 & 1 == 1 }.map { $0 >> 1 }
        came = words.filter { $0 & 1 == 0 }.map { $0 >> 1 }
    }
}

/// One thing that a process holds, in words.
struct HeldExample: Equatable {
    var handle: UInt64
    /// As `socket`.
    var kind: String
    /// Which one: a path, addresses; may be empty.
    var text: String
    /// Since when it was seen to be there, in seconds of the trace.
    var since: Double
}

/// When a look is due that may take a share of a CPU.
struct LookClock {
    /// One part in so many.
    let share: Double
    /// Seconds between two at least.
    let period: Double
    private var nextAt = 0.0
    private var began: UInt64 = 0

    init(share: Double, period: Double = 0) {
        self.share = share
        self.period = period
    }

    var isDue: Bool { Clock.monotonicSeconds >= nextAt }

    /// On a busy machine a look takes long, and costs no more; what other threads do meanwhile is none of it.
    mutating func begin() { began = Clock.threadCPUNanoseconds }

    /// Ends a look; `aside`: what it did besides, in nanoseconds of CPU.
    mutating func end(aside: UInt64 = 0) {
        let cost = Double(Clock.threadCPUNanoseconds &- began &- aside) / 1e9
        nextAt = Clock.monotonicSeconds + max(period, share * cost)
    }
}
