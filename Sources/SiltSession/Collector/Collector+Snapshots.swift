internal import SiltHeap
internal import SiltSystem
internal import SiltText

/// Snapshots by the clock, and the looks at processes that go with them.
extension Collector {
    func snapshot() throws {
        let now = Clock.monotonicSeconds
        let time = now - startedAt
        let isPeriod = now >= nextPeriod
        if isPeriod { output.untraced.look(at: time) }
        // Those that are due within half a tick need no look of their own.
        let due = scale == .even ? Array(images.values) : images.values.filter { $0.nextSnapshot <= time + tick / 2 }
        let earliest = closeIntervals(of: due, at: time)
        for image in due where scale != .even {
            while !image.plan(after: time, tick: tick, notBefore: earliest) {
                image.closeInterval()
                events?.snapshot([image], at: time)
            }
        }
        if try record({ try output.snapshot(due, at: time) }) != nil, isPeriod, let report = options.progress {
            report(output.progress(of: Array(images.values), at: time))
        }
        // One that would not be written would be missing when the process ends before the next.
        for image in due where scale != .even {
            image.nextSnapshot = max(image.nextSnapshot, output.writesFrom + tick / 2)
        }
        let finished = Clock.monotonicSeconds
        if isPeriod { nextPeriod = max(nextPeriod + options.snapshotEvery, finished) }
        nextSnapshot = nextPeriod
        guard scale != .even else { return }
        for image in images.values { nextSnapshot = min(nextSnapshot, startedAt + image.nextSnapshot) }
        nextSnapshot = max(nextSnapshot, finished)
    }

    /// Ends the open intervals of processes at a snapshot; returns before when there should be no other.
    private func closeIntervals(of due: [TracedImage], at time: Double) -> Double {
        // What was sent has to be taken in at any rate, looks have bounds of their own, and other threads read symbols
        // meanwhile: none of that is the closing's.
        for image in due {
            image.drain()
            look(image)
        }
        let began = Clock.threadCPUNanoseconds
        for image in due { image.closeInterval() }
        let cost = Double(Clock.threadCPUNanoseconds - began) / 1e9
        events?.snapshot(due, at: time)
        return time + SnapshotScale.rest(after: cost, share: Self.closingShare, at: time)
    }

    /// Snapshots of processes that began during the hunt.
    func writeOwnSnapshots() throws {
        let time = Clock.monotonicSeconds - startedAt
        let due = images.values.filter { $0.own != nil && $0.nextSnapshot <= time + TracedImage.shortestWait / 2 }
        let earliest = closeIntervals(of: due, at: time)
        for image in due { image.planOwnSnapshot(after: time, notBefore: earliest) }
        try record { try output.snapshot(due, at: time) }
        let next = images.values.lazy.filter { $0.own != nil }.map(\.nextSnapshot).min()
        nextSnapshot = next.map { startedAt + max($0, output.writesFrom) } ?? .infinity
    }

    /// What ended or was closed unseen is not there at the snapshot that follows.
    func look(_ image: TracedImage, anyway: Bool = false) {
        image.look(anyway: anyway)
        if let failure = image.looks.descriptorFailure, !hasToldOfDescriptors {
            hasToldOfDescriptors = true
            outcome.notes.append(
                "what is open in process \(image.pid) cannot be seen (/proc/\(image.pid)/fd: "
                    + "\(errorText(failure))): what it opens and closes past the C library is not known"
            )
        }
    }

    /// Closing the intervals of a large heap may take a fiftieth of a CPU.
    static let closingShare = 50.0
}
