internal import CSiltSystem
internal import Glibc
internal import SiltSystem

/// A command outlives what goes wrong with its trace: a full disk, a file that is gone, an error of the analyzer.
///
/// Its events go on being read as long as they are of use; then its processes are told to record no more. Either way none
/// of them waits for silt, and silt waits for the command, whose status it passes on.
extension Collector {
    /// Writes to the recording; nil when it has ended.
    ///
    /// What goes wrong here ends the recording alone, while the raw stream is kept besides.
    @discardableResult
    func record<Result>(_ write: () throws -> Result) throws -> Result? {
        guard outcome.failure == nil else { return nil }
        do {
            return try write()
        } catch {
            if error is ControlError { throw error }
            guard hasCommand, let events, events.failure == nil else { throw error }
            fail(error)
            return nil
        }
    }

    /// Says at once that the raw stream has ended; throws when nothing is recorded any more.
    func lookAtEvents() throws {
        guard let failure = events?.failure, !hasLostEvents else { return }
        hasLostEvents = true
        options.warn?("\(failure): the raw stream ends here")
        if outcome.failure != nil { throw failure }
    }

    /// After an error: waits until the command has ended, and reads its status and its signals alone.
    ///
    /// Throws the error again where there is no command that silt stands for.
    func outlive(_ error: any Error) throws {
        for image in images.values { image.stop() }
        guard hasCommand, child != 0 || outcome.exit != nil else { throw error }
        onlyWaits = true
        if outcome.failure == nil { fail(error) }
        // Who comes now finds nobody, and runs untraced.
        leaveRendezvous()
        finished = false
        while child != 0 || options.follow && images.values.contains(where: { !$0.hasEnded }), !finished {
            var watched = signals.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            poll(&watched, nfds_t(watched.count), child != 0 ? 1000 : 100)
            // Nothing that is looked at now can fail.
            do { try readSignals() } catch { continue }
        }
        outcome.stillRunning = images.values.count { !$0.hasEnded }
        if let failure = events?.close(outcome, at: Clock.monotonicSeconds - startedAt) {
            outcome.notes.append("\(failure): the raw stream ends there")
        }
        output.salvage(outcome, at: Clock.monotonicSeconds - startedAt)
    }

    private func fail(_ error: any Error) {
        outcome.failure = TraceFailure(reason: "\(error)", seconds: Clock.monotonicSeconds - startedAt)
        output.abandon()
        options.warn?("\(error). Nothing more is recorded\(child == 0 ? "" : "; the command goes on")")
    }
}
