package import SiltEvents

/// A round of load, or a slice of an idle phase: one interval of a hunt.
package struct RecordedRound: Equatable, Sendable {
    package enum Kind: String, Sendable {
        /// Nothing was asked of the target.
        case idle
        /// The first round of a phase: fills caches, builds what is built once.
        case warmUp = "warm-up"
        case round
    }

    /// From 1 over the whole hunt: the interval that survivor histories know it by.
    package var number: UInt32
    /// In `Recording.phases`, from 1.
    package var phase: Int
    package var kind: Kind
    /// Requests answered in it, and how many of them failed; nil: not counted.
    package var requests: UInt64?
    package var failedRequests: UInt64?
    package var startNs: UInt64
    package var endNs: UInt64

    package init(number: UInt32, phase: Int, kind: Kind, startNs: UInt64, endNs: UInt64) {
        self.number = number
        self.phase = phase
        self.kind = kind
        self.startNs = startNs
        self.endNs = endNs
    }

    package var isIdle: Bool { kind == .idle }

    /// Requests, 0 when nobody counted them.
    package var load: Double { Double(requests ?? 0) }

    package var seconds: Double { Double(endNs &- startNs) / 1e9 }
}

extension UInt64? {
    /// Adds to a count that is nil as long as nobody counts.
    ///
    /// Whoever says a number may say any: the sum stops at the largest.
    package mutating func add(_ count: UInt64?) {
        guard let count else { return }
        let (sum, isOver) = (self ?? 0).addingReportingOverflow(count)
        self = isOver ? .max : sum
    }
}

extension Sequence<RecordedRound> {
    /// In all of them; nil: nobody counted any.
    package var requests: UInt64? { reduce(into: nil) { $0.add($1.requests) } }
}

/// What a stack allocated in one phase of a hunt, its first round left out.
package struct PhaseAllocations: Equatable, Sendable {
    package var process: UInt32
    package var phase: Int
    package var stack: StackID
    package var count: UInt64
    package var bytes: UInt64

    package init(process: UInt32, phase: Int, stack: StackID, count: UInt64, bytes: UInt64) {
        self.process = process
        self.phase = phase
        self.stack = stack
        self.count = count
        self.bytes = bytes
    }
}

/// Blocks born in a phase, its first round left out, that were freed in it: by the stack that allocated and the one that
/// freed them.
package struct PhaseFrees: Equatable, Sendable {
    package var process: UInt32
    package var phase: Int
    package var stack: StackID
    package var freeStack: StackID
    package var count: UInt64
    package var bytes: UInt64

    package init(process: UInt32, phase: Int, stack: StackID, freeStack: StackID, count: UInt64, bytes: UInt64) {
        self.process = process
        self.phase = phase
        self.stack = stack
        self.freeStack = freeStack
        self.count = count
        self.bytes = bytes
    }
}
