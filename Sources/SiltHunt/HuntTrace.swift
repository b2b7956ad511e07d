package import SiltSession

/// What measures the hunted program: a trace of its allocations, or profiles that it serves.
package protocol HuntTrace: AnyObject {
    /// Blocks it has allocated until now, to tell when it is quiet; nil: not known.
    func allocatedCount() throws -> UInt64?
    /// False when the program has a heap that this count says nothing of.
    var seesEverything: Bool { get }
    /// What lives now is the baseline.
    func beginHunt() throws
    /// A round has ended; returns what grows in its phase, as far as that is known, for each heap by itself.
    func endRound(_ mark: RoundMark) throws -> [GrowingCounts]
    /// Writes the recording; the program goes on unmeasured.
    func finish() throws
}

/// A trace under the preload library, collected by another process.
package final class PreloadTrace: HuntTrace {
    private let control: TraceControl

    package init(_ control: TraceControl) { self.control = control }

    package func allocatedCount() throws -> UInt64? { try control.ask(.status).allocatedCount }

    package var seesEverything: Bool { true }

    /// Whether anything is traced now.
    func hasTraced() throws -> Bool { try control.ask(.status).processes > 0 }

    package func beginHunt() throws { try control.ask(.beginHunt) }

    package func endRound(_ mark: RoundMark) throws -> [GrowingCounts] { [try control.ask(.endRound(mark)).growing] }

    package func finish() throws { try control.ask(.finish) }
}
