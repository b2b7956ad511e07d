package import SiltEvents
package import SiltRecording

/// What is said of the memory of one process as a whole.
package struct WholeMemory: Sendable {
    /// In `Recording.processes`.
    package var process: Int
    /// With an RSS, until it let its memory go at its end.
    package var rows: [RecordedSnapshot]
    /// The last look at its address space; nil: there was none, or things have changed since.
    package var look: RecordedMemory?
    /// Nil with too few snapshots.
    package var growth: MemoryGrowth?
    package var cause: Cause?

    /// By which RSS has risen after the last look, where that is notable; else 0.
    package var laterBytes: UInt64 {
        guard let look, let end = rows.last?.rssBytes, end > look.bytes.sum else { return 0 }
        return Double(end - look.bytes.sum) >= MemoryGrowth.minimumBytes ? end - look.bytes.sum : 0
    }

    /// What it is that RSS grew by, or stays at, where that is shown.
    package enum Cause: Equatable, Sendable {
        /// The allocator holds what was freed; of the rise in bytes that is `held`.
        case retention(held: Double, risen: Double, MemoryCause?)
        /// It holds so much of a peak.
        case kept(held: UInt64, live: UInt64, peak: UInt64, MemoryCause?)
        /// Live blocks were touched for the first time; `huge`: that much of it is huge pages.
        case touched(Double, live: UInt64, huge: Double)
        /// Memory was swapped out, and RSS is less by that.
        case swapped(Double)
        /// Memory that malloc does not know.
        case outside(Double, MemoryUse)
        /// Pages of files, of shared memory, or of the program's variables.
        case files(Double)
        case shared(Double)
        case variables(Double)

        /// Freed memory that the allocator holds.
        package var isRetention: Bool {
            switch self {
            case .retention, .kept: true
            case .touched, .swapped, .outside, .files, .shared, .variables: false
            }
        }

        /// Memory that malloc does not know.
        package var isOutside: Bool {
            if case .outside = self { return true }
            return false
        }

        /// What the ledger calls it; nil: that is no cause that it knows.
        package var entry: MemoryCause? {
            switch self {
            case .retention(_, _, let cause), .kept(_, _, _, let cause): cause
            case .touched(let bytes, _, let huge):
                huge >= MemoryGrowth.explainedShare * bytes ? .hugePages : .touchedLate
            case .swapped: .swapped
            case .outside: nil
            case .files: .files
            case .shared: .sharedMemory
            case .variables: .variables
            }
        }
    }

    /// The live heap may have grown by this share of a rise at most for its blocks to be touched late.
    private static let maximumLiveShare = 0.25

    /// The traced process whose RSS rose most, or else that of `pid`, or the one that allocated most; nil without an RSS.
    ///
    /// `pid`: of the process that the first finding is about, where there are several.
    fileprivate init?(_ recording: Recording, clocks: [ProcessClock], preferring pid: UInt32?) {
        let all = recording.processes.indices.filter { !recording.processes[$0].isProfiled }.compactMap {
            WholeMemory(process: $0, clock: clocks[$0], recording)
        }
        func weight(_ one: WholeMemory) -> (Double, Int, UInt64) {
            let isNotable = one.growth.map(\.isNotable) ?? false
            let isPreferred = pid != nil && recording.processes[one.process].pid == pid
            let allocated = recording.totals[one.process].allocatedBytes
            return (isNotable ? one.growth?.risen ?? 0 : 0, isPreferred ? 1 : 0, allocated)
        }
        guard let main = all.max(by: { weight($0) < weight($1) }) else { return nil }
        self = main
    }

    private init?(process: Int, clock: ProcessClock, _ recording: Recording) {
        self.process = process
        rows = MemoryGrowth.beforeLetGo(clock.rows.filter { ($0.rssBytes ?? 0) > 0 })
        guard let last = rows.last else { return nil }
        look = MemoryGrowth.lastLook(in: MemoryGrowth.looks(of: process, in: recording), rows)
        if clock.canBeJudged || !recording.rounds.isEmpty {
            growth = MemoryGrowth(clock.evenRows.filter { ($0.rssBytes ?? 0) > 0 }, process: process, in: recording)
        }
        let isProfiled = recording.processes.contains(where: \.isProfiled)
        let ledger = look.map { MemoryLedger($0, of: recording) }
        let peak = recording.totals[process].peakInUseBytes
        cause = growth.flatMap { cause(of: $0, ledger, last: last, peak: peak, isProfiled: isProfiled) }
    }

    private func cause(
        of growth: MemoryGrowth,
        _ ledger: MemoryLedger?,
        last: RecordedSnapshot,
        peak: UInt64,
        isProfiled: Bool
    ) -> Cause? {
        // A peak between two snapshots leaves as much behind.
        let peak = max(peak, rows.map(\.inUseBytes).max() ?? 0)
        if growth.isNotable, let parts = growth.parts {
            // What silt itself takes, as for each thread, is not the program's; where that is nearly all, no share of the rest
            // explains anything below half of what is notable.
            let risen = growth.risen - max(0, parts[.own])
            let share = max(risen * MemoryGrowth.explainedShare, MemoryGrowth.minimumBytes / 2)
            let before = Double(rows[rows.count / 8].inUseBytes)
            let held = parts[.allocator]
            if held >= share { return .retention(held: held, risen: growth.risen, ledger?.retention(ofHeld: held)) }
            if parts[.live] >= share, Double(last.inUseBytes) - before < growth.risen * Self.maximumLiveShare {
                return .touched(parts[.live], live: last.inUseBytes, huge: growth.rise(.hugePages))
            }
            if !isProfiled, parts.outsideMalloc >= MemoryGrowth.minimumBytes, parts.outsideMalloc >= growth.risen / 2 {
                return .outside(parts.outsideMalloc, parts.foremostOutsideMalloc)
            }
            if parts[.files] >= share {
                let (shared, variables) = (growth.rise(.sharedMemory), growth.rise(.variables))
                if 2 * variables >= parts[.files] { return .variables(variables) }
                return 2 * shared >= parts[.files] ? .shared(shared) : .files(parts[.files])
            }
            return nil
        }
        let swapped = growth.rise(.swapped)
        if swapped >= max(MemoryGrowth.minimumBytes, growth.resident * MemoryGrowth.minimumShare) {
            return .swapped(swapped)
        }
        // What was freed since the peak, if it is worth a word, is still there.
        let freed = peak > last.inUseBytes ? Double(peak - last.inUseBytes) : 0
        guard let look, freed >= max(MemoryGrowth.minimumBytes, Double(last.inUseBytes)),
            Double(look.bytes[.allocator]) >= MemoryGrowth.explainedShare * freed
        else { return nil }
        let held = look.bytes[.allocator]
        let cause = ledger?.retention(ofHeld: Double(held))
        return .kept(held: held, live: look.bytes[.live], peak: peak, cause)
    }
}

extension HeapReport {
    /// Of the process that says most; nil without an RSS.
    package var wholeMemory: WholeMemory? {
        WholeMemory(
            recording,
            clocks: ProcessClock.all(of: recording),
            preferring: growing.first?.evidence.process?.pid
        )
    }

    /// True when most of that growth is charged to call sites.
    func isNamed(_ outside: MemoryGrowth) -> Bool {
        let charged = sites.lazy.filter(\.isGrowing).reduce(0.0) {
            let own = $1.resource == .heap ? 0 : max($1.lastInUseBytes, $1.inUseBytes)
            return $0 + Double(own) + Double($1.threadStackBytes)
        }
        return charged >= (outside.parts?.outsideMalloc ?? outside.risen) / 2
    }

    /// Growth that no allocation explains: of the process and, in a hunt, the phase that has most of it; nil without any.
    ///
    /// `turns`: workers that replace each other are looked at together as well, since none lives long enough to show much.
    static func outsideMalloc(
        _ recording: Recording,
        clocks: [ProcessClock],
        turns: [WorkerTurns],
        hunt: HuntPhases?
    ) -> MemoryGrowth? {
        // Profiles say what is in a heap that malloc does not know.
        guard !recording.processes.contains(where: \.isProfiled) else { return nil }
        var result: MemoryGrowth?
        for index in recording.processes.indices where !recording.processes[index].isProfiled {
            let clock = clocks[index]
            guard hunt != nil || clock.canBeJudged else { continue }
            let rows = (hunt == nil ? clock.evenRows : Array(clock.rows)).filter { ($0.rssBytes ?? 0) > 0 }
            let all =
                hunt.map { hunt in
                    hunt.phases.compactMap { MemoryGrowth(rows, process: index, phase: $0, of: hunt, in: recording) }
                } ?? [MemoryGrowth(rows, process: index, in: recording)].compactMap { $0 }
            for growth in all where growth.isOutsideMalloc && growth.risen > result?.risen ?? 0 { result = growth }
        }
        guard hunt == nil || result == nil else { return result }
        for turns in turns {
            guard let growth = MemoryGrowth(turns, clocks, in: recording), growth.isOutsideMalloc,
                growth.risen > result?.risen ?? 0
            else { continue }
            result = growth
        }
        return result
    }
}
