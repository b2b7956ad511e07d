package import SiltEvents
internal import SiltGrowth
internal import SiltRecording

/// Where the resident memory of one process went while it grew: by its snapshots, and by what was seen of its address space.
package struct MemoryGrowth: Equatable, Sendable {
    /// In `Recording.processes`; of workers the one that lived longest.
    package var process: Int
    /// Those that replace each other, of which it is the sum; 1: it is of one process.
    package var workers = 1
    /// What RSS rose by, in bytes; of a hunt: in the rounds of the phase.
    package var risen = 0.0
    /// RSS at the end.
    package var resident = 0.0
    /// Its share of the rise; nil: nobody looked at the address space.
    package var parts: MemoryUses<Double>?
    /// At the looks between which it rose.
    private var startDetails = MemoryDetails()
    private var endDetails = MemoryDetails()
    /// What it rises by, a second or a request; nil: not known.
    package var rate: Rate?
    /// In a hunt.
    package var phase: String?
    /// What the last two fifths of the time rose by: a shorter rest may be one of several.
    var lateRise = 0.0
    /// Of the rounds of a phase, or of equal parts of a free run.
    var trend: MemoryTrend?

    /// Less may be chance, in bytes and as a share of the RSS at the end.
    static let minimumBytes = GrowthLimits.notableBytes
    static let minimumShare = GrowthLimits.notableShare
    /// The last part of the time has at least this share of the rise, else it is over: a steady one has half.
    private static let lateShare = 0.1
    /// One use of memory explains a rise when this share of it is its own.
    static let explainedShare = 0.8

    /// Parts of a free run, after its first quarter, that must each rise for a rise that is not notable to count.
    private static let steadyParts = 8
    /// What has changed by a larger share of RSS has to be looked at again.
    private static let maximumChange = 0.2

    init(process: Int) { self.process = process }

    /// True when it is too much to be chance.
    package var isNotable: Bool { risen >= max(Self.minimumBytes, resident * Self.minimumShare) }

    /// True when it rises by little, and not as evenly as what is lost with each request: a heap of the program's own does so
    /// until it is full, or collected.
    package var mayBeFilling: Bool { !isNotable && !(trend?.isSteady ?? false) }

    /// What a detail rose by; of one process that ran freely.
    func rise(_ detail: MemoryDetail) -> Double { Double(endDetails[detail]) - Double(startDetails[detail]) }

    /// True when it is memory that no allocation explains, and goes on.
    var isOutsideMalloc: Bool {
        guard let parts else { return false }
        let rises = trend.map { $0.state == .rising && parts.outsideMalloc >= Self.explainedShare * $0.risen } ?? false
        if phase != nil { return rises }
        if rises, trend?.isSteady ?? false { return true }
        return isNotable && parts.outsideMalloc >= max(Self.minimumBytes, resident * Self.minimumShare)
            && lateRise >= Self.lateShare * risen
    }
}

extension MemoryGrowth {
    /// The growth of a process that ran freely; nil with too few snapshots.
    ///
    /// `rows` are equally far apart in time.
    init?(_ rows: [RecordedSnapshot], process: Int, in recording: Recording) {
        guard rows.count >= SiteOpinion.minimumSnapshots else { return nil }
        self.init(process: process)
        let resident = rows.map { Double($0.rssBytes ?? 0) }
        let quarter = max(1, rows.count / 4)
        let eighth = max(1, rows.count / 8)
        let (first, last) = (quarter / 2, rows.count - 1 - quarter / 2)
        self.resident = Self.median(resident.suffix(quarter))
        risen = self.resident - Self.median(resident.prefix(quarter))
        let late = rows.count * 3 / 5
        lateRise = Self.median(resident.suffix(eighth)) - Self.median(resident[max(0, late - eighth)..<late])
        let looks = Self.looks(of: process, in: recording)
        // The process may have ended while it was looked at for the last time.
        if let start = looks.last(where: { $0.snapshot <= rows[quarter].snapshot }) ?? looks.first,
            let end = Self.lastLook(in: looks, Self.beforeLetGo(rows)), end.snapshot > start.snapshot
        {
            parts = end.bytes.rise(since: start.bytes)
            (startDetails, endDetails) = (start.details, end.details)
            // A moment may be a peak.
            risen = min(risen, Double(end.bytes.sum) - Double(start.bytes.sum))
            trend = Self.trend(rows.dropFirst(quarter), looks, rows)
        }
        let seconds = Double(rows[last].timeNs &- rows[first].timeNs) / 1e9
        if seconds > 0 {
            let value = risen / seconds
            rate = Rate(value: value, low: value, high: value, unit: .bytesPerSecond)
        }
    }

    /// What workers that replace each other grew by, each while it lived; nil when too few of them were looked at.
    init?(_ turns: WorkerTurns, _ clocks: [ProcessClock], in recording: Recording) {
        guard turns.canBeJudged else { return nil }
        let all = turns.judged.sorted().compactMap { index in
            let growth = MemoryGrowth(
                clocks[index].evenRows.filter { ($0.rssBytes ?? 0) > 0 },
                process: index,
                in: recording
            )
            return growth?.parts == nil ? nil : growth
        }
        guard all.count >= WorkerTurns.minimumGenerations, 2 * all.count >= turns.judged.count else { return nil }
        self.init(process: turns.leader)
        workers = all.count
        var sums = MemoryUses<Double>()
        var perSecond = 0.0
        for growth in all {
            risen += growth.risen
            resident += growth.resident
            lateRise += growth.lateRise
            growth.parts.map { sums += $0 }
            perSecond += growth.rate?.value ?? 0
        }
        parts = sums
        // As many as live at once.
        let value = perSecond * turns.alive / Double(all.count)
        rate = Rate(value: value, low: value, high: value, unit: .bytesPerSecond)
    }

    /// What a process grew by in the rounds of one phase, the first of them left out; nil when there are too few.
    init?(
        _ rows: [RecordedSnapshot],
        process: Int,
        phase: HuntPhases.Phase,
        of hunt: HuntPhases,
        in recording: Recording
    ) {
        let rounds = hunt.steadyPositions(of: phase)
        guard rounds.count >= HuntPhases.Phase.minimumRounds - 1 else { return nil }
        self.init(process: process)
        self.phase = phase.name
        // A service that took long to be ready has snapshots from before the hunt.
        func row(at time: UInt64) -> RecordedSnapshot? { rows.last { $0.timeNs <= time } }
        let looks = Self.looks(of: process, in: recording)
        var sums: MemoryUses<Double>? = looks.isEmpty ? nil : MemoryUses()
        // At the end of the first round, and as it rose in each of the others.
        var outside = [0.0]
        for round in rounds {
            let times = recording.rounds[round]
            guard let before = row(at: times.startNs), let after = row(at: times.endNs) else { return nil }
            resident = Double(after.rssBytes ?? 0)
            risen += resident - Double(before.rssBytes ?? 0)
            let rise = Self.outsideMalloc(at: after, looks, rows) - Self.outsideMalloc(at: before, looks, rows)
            outside.append((outside.last ?? 0) + rise)
        }
        for span in hunt.steadySpans(of: phase) where !span.isEmpty {
            guard let first = span.first.flatMap({ row(at: recording.rounds[$0].startNs) }),
                let last = span.last.flatMap({ row(at: recording.rounds[$0].endNs) }),
                let start = Self.look(at: first, in: looks, rows), let end = Self.look(at: last, in: looks, rows)
            else {
                sums = nil
                break
            }
            sums? += end.bytes.rise(since: start.bytes)
        }
        parts = sums
        trend = MemoryTrend(outside, loads: rounds.map { hunt.intervals.requests[$0] }, resident: resident)
        if let requests = rounds.map({ recording.rounds[$0] }).requests, requests > 0 {
            let value = risen / Double(requests)
            rate = Rate(value: value, low: value, high: value, unit: .bytesPerRequest)
        }
    }

    /// Of equal parts of those rows of a free run; nil: there are too few.
    private static func trend(
        _ rows: ArraySlice<RecordedSnapshot>,
        _ looks: [RecordedMemory],
        _ all: [RecordedSnapshot]
    ) -> MemoryTrend? {
        guard rows.count > 2 * steadyParts, let last = rows.last else { return nil }
        let ends = (0...steadyParts).map { rows[rows.startIndex + (rows.count - 1) * $0 / steadyParts] }
        return MemoryTrend(
            ends.map { outsideMalloc(at: $0, looks, all) },
            loads: Array(repeating: 0, count: steadyParts),
            resident: Double(last.rssBytes ?? 0)
        )
    }

    /// By the newest look at that time, and what has changed since; 0 where there was none.
    private static func outsideMalloc(
        at row: RecordedSnapshot,
        _ looks: [RecordedMemory],
        _ rows: [RecordedSnapshot]
    ) -> Double {
        guard let look = looks.last(where: { $0.snapshot <= row.snapshot }) ?? looks.first,
            let then = rows.first(where: { $0.snapshot >= look.snapshot })
        else { return 0 }
        return look.bytes.outsideMalloc(
            residentChange: Double(row.rssBytes ?? 0) - Double(then.rssBytes ?? 0),
            liveChange: Double(row.inUseBytes) - Double(then.inUseBytes)
        )
    }

    /// `process`: in `Recording.processes`.
    static func looks(of process: Int, in recording: Recording) -> [RecordedMemory] {
        let id = recording.processes[process].id
        return recording.memory.filter { $0.process == id }
    }

    /// The newest at that snapshot, or the first; nil when things have changed since.
    static func look(
        at row: RecordedSnapshot,
        in looks: [RecordedMemory],
        _ rows: [RecordedSnapshot]
    ) -> RecordedMemory? {
        near(row, in: looks, rows).flatMap { hasStayed(row.rssBytes, since: $0.then.rssBytes, row) ? $0.look : nil }
    }

    /// The newest of a process, also where its RSS has risen on in its last half: where looks are expensive, or the machine
    /// is busy, there are few.
    static func lastLook(in looks: [RecordedMemory], _ rows: [RecordedSnapshot]) -> RecordedMemory? {
        guard let row = rows.last, let (look, then) = near(row, in: looks, rows) else { return nil }
        if hasStayed(row.rssBytes, since: then.rssBytes, row) { return look }
        return row.rssBytes ?? 0 > then.rssBytes ?? 0 && look.snapshot >= rows[rows.count / 2].snapshot ? look : nil
    }

    /// Without the last moments of a process that lets its memory go before it ends.
    static func beforeLetGo(_ rows: [RecordedSnapshot]) -> [RecordedSnapshot] {
        let resident = rows.map { Double($0.rssBytes ?? 0) }
        let usual = median(resident.suffix(max(1, rows.count / 4)))
        let gone = resident.suffix(rows.count / 8).reversed().prefix { $0 < usual / 2 }.count
        return Array(rows.dropLast(gone))
    }

    /// The newest at that snapshot, or the first, with its snapshot; nil when the live heap has changed since.
    private static func near(
        _ row: RecordedSnapshot,
        in looks: [RecordedMemory],
        _ rows: [RecordedSnapshot]
    ) -> (look: RecordedMemory, then: RecordedSnapshot)? {
        guard let look = looks.last(where: { $0.snapshot <= row.snapshot }) ?? looks.first,
            let then = rows.first(where: { $0.snapshot >= look.snapshot }),
            hasStayed(row.inUseBytes, since: then.inUseBytes, row)
        else { return nil }
        return (look, then)
    }

    /// Whether bytes at a snapshot are nearly what they were before, as its RSS goes.
    private static func hasStayed(_ bytes: UInt64?, since before: UInt64?, _ row: RecordedSnapshot) -> Bool {
        let tolerance = max(minimumBytes / 2, Double(row.rssBytes ?? 0) * maximumChange)
        return abs(Double(bytes ?? 0) - Double(before ?? 0)) <= tolerance
    }

    private static func median(_ values: some Sequence<Double>) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
}
