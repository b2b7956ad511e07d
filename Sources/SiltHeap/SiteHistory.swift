/// What a recording keeps of a site's past: the one or the other, as the trace ran freely or was a hunt.
package enum SiteHistory: Equatable, Sendable {
    case slices(SliceHistory)
    case rounds(RoundHistory)

    /// False where only live bytes are known.
    package var hasBirths: Bool {
        switch self {
        case .slices: true
        case .rounds(let rounds): rounds.hasBirths
        }
    }

    /// For the judge of free runs; nil of rounds.
    package func series(atSnapshot interval: UInt32) -> SurvivorSeries? {
        switch self {
        case .slices(let slices): slices.series(atSnapshot: interval)
        case .rounds: nil
        }
    }

    /// Of the series the columns of what was born; nil of rounds.
    package func births(atSnapshot interval: UInt32) -> (bytes: [Double], counts: [Double])? {
        switch self {
        case .slices(let slices): slices.births(atSnapshot: interval)
        case .rounds: nil
        }
    }

    /// For the judges of hunts; nil of slices.
    package func intervals(_ count: Int) -> IntervalSeries? {
        switch self {
        case .slices: nil
        case .rounds(let rounds): rounds.series(intervals: count)
        }
    }

    /// Live bytes and blocks that were born after the baseline.
    package var survivors: (bytes: UInt64, count: UInt64) {
        switch self {
        case .slices(let slices): (slices.buckets.sum(.bornBytes), slices.buckets.sum(.bornCount))
        case .rounds(let rounds): (rounds.buckets.sum(.bornBytes), rounds.buckets.sum(.bornCount))
        }
    }

    /// Live bytes and blocks that were born before the baseline of a free run; of rounds nothing is known of them.
    package var bornBeforeBaseline: (bytes: UInt64, count: UInt64) {
        switch self {
        case .slices(let slices): (slices.baseBytes, slices.baseCount)
        case .rounds: (0, 0)
        }
    }

    /// Becomes the history of both together, which are of one kind.
    package mutating func add(_ other: SiteHistory) {
        // Meanwhile this one is empty, so that the sum is not copied.
        switch other {
        case .slices(let part):
            guard case .slices(var sum) = self else { preconditionFailure("a history by slices and one by rounds") }
            self = .empty
            sum.add(part)
            self = .slices(sum)
        case .rounds(let part):
            guard case .rounds(var sum) = self else { preconditionFailure("a history by slices and one by rounds") }
            self = .empty
            sum.add(part)
            self = .rounds(sum)
        }
    }

    private static let empty = SiteHistory.slices(SliceHistory(baselineBytes: 0, baselineCount: 0, interval: 0))
}

/// The histories of a process's stacks and groups, by number: all of them by slices or, once a hunt is on, by rounds.
struct Histories {
    /// The interval whose snapshot is the baseline of the hunt that is on.
    private(set) var huntBaseline: UInt32?
    private var slices: [SliceHistory] = []
    private var rounds: [RoundHistory] = []
    /// The scale of the snapshots that slices are cut by.
    let scale: SnapshotScale

    init(huntBaseline: UInt32?, scale: SnapshotScale) {
        self.huntBaseline = huntBaseline
        self.scale = scale
    }

    /// The history of a number from `append`; nil for 0.
    func history(_ number: UInt32) -> SiteHistory? {
        guard number != 0 else { return nil }
        return huntBaseline == nil ? .slices(slices[Int(number) - 1]) : .rounds(rounds[Int(number) - 1])
    }

    /// Forgets all numbers: a hunt begins.
    mutating func beginHunt(baseline: UInt32) {
        self = Histories(huntBaseline: baseline, scale: scale)
    }

    mutating func append(_ history: SliceHistory) -> UInt32 {
        slices.append(history)
        return UInt32(slices.count)
    }

    mutating func append(_ history: RoundHistory) -> UInt32 {
        rounds.append(history)
        return UInt32(rounds.count)
    }

    mutating func survived(_ number: UInt32, bytes: UInt64, count: UInt64, born birth: UInt32) {
        if let round = round(birth) {
            rounds[Int(number) - 1].survived(bytes: bytes, count: count, born: round)
        } else {
            slices[Int(number) - 1].survived(bytes: bytes, count: count, born: scale.tick(of: birth))
        }
    }

    mutating func died(_ number: UInt32, bytes: UInt64, count: UInt64, born birth: UInt32) {
        if let round = round(birth) {
            rounds[Int(number) - 1].died(bytes: bytes, count: count, born: round)
        } else {
            slices[Int(number) - 1].died(bytes: bytes, count: count, born: scale.tick(of: birth))
        }
    }

    mutating func close(_ number: UInt32, interval: UInt32, liveBytes: UInt64) {
        if let round = round(interval) {
            rounds[Int(number) - 1].close(interval: round, liveBytes: liveBytes)
        } else {
            slices[Int(number) - 1].close(
                interval: scale.tick(of: interval),
                liveBytes: liveBytes,
                step: scale.step(to: interval)
            )
        }
    }

    /// The interval of the hunt; nil without a hunt.
    private func round(_ interval: UInt32) -> Int? { huntBaseline.map { Int(interval - min(interval, $0)) } }
}
