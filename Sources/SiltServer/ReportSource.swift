package import SiltFindings
internal import Synchronization

/// The report that is served: made when it is asked for, and not too often.
///
/// Who asks while it is made waits for it. One that took long is kept for longer, so that neither the traced program nor
/// the machine feels who is watching.
package final class ReportSource: Sendable {
    package struct Current: Sendable {
        package var report: HeapReport
        /// Rises with each report that is made.
        package var number: Int
        /// Seconds that it took.
        package var seconds: Double
    }

    private struct State {
        var current: Current?
        var madeAt: ContinuousClock.Instant?
    }

    private let make: @Sendable (_ isFirst: Bool) throws -> HeapReport?
    private let period: Double
    private let state = Mutex(State())

    /// Share of a processor that making reports may take.
    private static let share = 0.05

    /// A source whose reports live for `period` seconds at least.
    ///
    /// `make` reads the recording; nil from it says that nothing has changed, and cannot be for the first.
    package init(period: Double = 1, make: @escaping @Sendable (_ isFirst: Bool) throws -> HeapReport?) {
        self.period = period
        self.make = make
    }

    /// Blocks while a report is made; throws what `make` does, and next time tries again.
    ///
    /// `isLast`: nobody asks again, so the report is made anew however young the one before is.
    package func current(isLast: Bool = false) throws -> Current {
        try state.withLock { state in
            if !isLast, let current = state.current, let madeAt = state.madeAt {
                let age = (ContinuousClock.now - madeAt) / .seconds(1)
                if age < max(period, current.seconds / Self.share) { return current }
            }
            let start = ContinuousClock.now
            let made = try make(state.current == nil)
            let now = ContinuousClock.now
            if made == nil { state.madeAt = now }
            guard let report = made else {
                if let current = state.current { return current }
                preconditionFailure("the first report was not made")
            }
            let current = Current(
                report: report,
                number: (state.current?.number ?? 0) + 1,
                seconds: (now - start) / .seconds(1)
            )
            state = State(current: current, madeAt: now)
            return current
        }
    }
}
