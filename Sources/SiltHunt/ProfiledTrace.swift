package import SiltSession

/// A trace under the preload library, with profiles of the same program pulled at the same marks, in one recording.
///
/// For programs with two heaps: Go with C in it. The profiles are kept here until the trace has closed its recording.
package final class ProfiledTrace: HuntTrace {
    private let preload: PreloadTrace
    private let profiles: PprofTrace
    private let recording: String
    /// The process that serves the profiles.
    private let pid: UInt32
    /// False when the hunt began and the program had not loaded the preload library: profiles are all there is then.
    package private(set) var isTraced = true

    package init(_ preload: PreloadTrace, _ profiles: PprofTrace, recording: String, pid: UInt32) {
        self.preload = preload
        self.profiles = profiles
        self.recording = recording
        self.pid = pid
    }

    package func allocatedCount() throws -> UInt64? { isTraced ? try preload.allocatedCount() : nil }

    package var seesEverything: Bool { false }

    package func beginHunt() throws {
        try profiles.beginHunt()
        isTraced = try preload.hasTraced()
        if isTraced { try preload.beginHunt() }
    }

    /// The profiles first: they fail more often, and then the trace has no round that they lack.
    package func endRound(_ mark: RoundMark) throws -> [GrowingCounts] {
        let growing = try profiles.endRound(mark)
        return isTraced ? try growing + preload.endRound(mark) : growing
    }

    /// After the trace's own end, so that its recording is closed.
    package func finish() throws {
        try preload.finish()
        if isTraced { try profiles.add(to: recording, pid: pid) } else { try profiles.finish() }
    }
}
