internal import SiltEvents
internal import SiltGrowth
internal import SiltHeap
internal import SiltRecording
internal import SiltSystem
internal import SiltText

/// Looks now and then at what the memory of one process is for, and writes that down.
///
/// A look has the kernel walk the process's page tables, and goes through its live blocks. So there is none while the
/// resident size and the live heap stay, but one now and then, and those at all processes take about a fiftieth of a CPU.
struct MemoryWatch {
    private var account: MemoryAccount
    /// That of its limit; nil until the first look, since most processes of a build have ended by then.
    private var group: ControlGroup??
    private var lastResident: UInt64?
    private var lastLive: UInt64 = 0
    private var lastAt = 0.0
    /// By the monotonic clock.
    private var nextAt: Double
    /// Seconds that lie between two looks at least.
    private let period: Double
    private var rows: [RecordedMemory] = []
    private var lastShares: MemoryUses<UInt64>?
    private var lastCost = 0.0
    /// In a hunt: by its intervals, from the baseline on, what was in memory outside malloc, and in all.
    private var marks: [(outside: Double, resident: Double)] = []
    /// What all looks took.
    private(set) var nanoseconds: UInt64 = 0

    private static let (minimumChange, changeShare) = (UInt64(1 << 20), UInt64(50))
    /// Seconds after which what is resident may be for something else.
    private static let maximumWait = 5.0
    private static let restFactor = 50.0
    /// The marks of a hunt are what its verdict rests on: changes by less are looked at there, and it costs more.
    private static let (markChange, markChangeShare, markRestFactor) = (UInt64(1 << 17), UInt64(200), 5.0)
    /// Half of the looks are forgotten when there are more.
    private static let maximumRows = 128

    /// `allocator`: the path of the module that defines malloc; `period`: seconds before the first look, and between two.
    init(allocator: String, period: Double) {
        self.period = period
        nextAt = Clock.monotonicSeconds + period
        account = MemoryAccount(RecordedTarget.isGlibc(allocator: allocator) ? .glibc : .whole)
    }

    /// Nil when it is not time for a look, or the process cannot be looked at.
    ///
    /// `processes`: how many are watched; `isMark`: a round of a hunt, or its baseline, ends with it.
    mutating func look(
        _ image: TracedImage,
        resident: UInt64,
        processes: Int,
        isMark: Bool
    ) -> MemoryLook? {
        let began = Clock.monotonicSeconds
        let live = image.heap.totals.inUseBytes
        let markAt = lastAt + Self.markRestFactor * Double(processes) * lastCost
        guard !image.isReplayed, began >= (isMark ? min(nextAt, markAt) : nextAt) else { return nil }
        if let last = lastResident {
            let change = max(Self.distance(last, resident), Self.distance(lastLive, live))
            let least =
                isMark
                ? max(Self.markChange, resident / Self.markChangeShare)
                : max(Self.minimumChange, resident / Self.changeShare)
            let isChanged = change >= least
            guard isChanged || began - lastAt >= Self.maximumWait else { return nil }
        }
        let ownBytes = image.shared.header.own_bytes
        let before = Clock.threadCPUNanoseconds
        var account = account
        var look = MemoryMap.read(image.pid) { map in
            account.shares(map.areas, of: image.heap, ownBytes: ownBytes, residentBytes: map.residentBytes)
        }
        let group = self.group ?? ControlGroup(of: image.pid)
        self.group = .some(group)
        let hasMemory = look?.details.addAround(image.pid, group) ?? false
        lastAt = Clock.monotonicSeconds
        let cost = Clock.threadCPUNanoseconds - before
        nanoseconds += cost
        lastCost = Double(cost) / 1e9
        nextAt = lastAt + max(period, Self.restFactor * Double(processes) * lastCost)
        // What has ended has no memory any more.
        guard let look, hasMemory, look.uses.sum > 0 else { return nil }
        self.account = account
        (lastResident, lastLive, lastShares) = (resident, live, look.uses)
        return look
    }

    /// A round of a hunt, or its baseline, has ended with this.
    mutating func mark(resident: UInt64, live: UInt64) {
        let outside = lastShares?.outsideMalloc(
            residentChange: Double(resident) - Double(lastResident ?? resident),
            liveChange: Double(live) - Double(lastLive)
        )
        marks.append((outside ?? 0, Double(resident)))
    }

    /// How it rose in those rounds of the hunt; nil of a process that was not there for all of them.
    func trend(_ rounds: Range<Int>, of hunt: HuntIntervals) -> MemoryTrend? {
        guard lastShares != nil, marks.count == hunt.count + 1, !rounds.isEmpty else { return nil }
        return MemoryTrend(
            marks[(rounds.lowerBound + 1)...rounds.upperBound].map(\.outside),
            loads: rounds.dropFirst().map { hunt.requests[$0] },
            resident: marks[rounds.upperBound].resident
        )
    }

    private static func distance(_ one: UInt64, _ other: UInt64) -> UInt64 { one > other ? one - other : other - one }

    /// Takes a row in; returns those to write, and whether they replace all that was written.
    mutating func add(_ row: RecordedMemory) -> (rows: [RecordedMemory], isAll: Bool) {
        rows.append(row)
        guard rows.count > Self.maximumRows else { return ([row], false) }
        // The first and the newest stay.
        let last = rows.count - 1
        rows = rows.indices.filter { ($0 - last) % 2 == 0 || $0 == 0 }.map { rows[$0] }
        return (rows, true)
    }
}

extension MemoryDetails {
    /// Adds what the kernel counts without a walk of the page tables; false where the process has no memory any more.
    fileprivate mutating func addAround(_ pid: Int32, _ group: ControlGroup?) -> Bool {
        let status = ProcessStatus(FileBytes.read(ifThere: "/proc/\(pid)/status") ?? [])
        self[.threads] = status.threads
        self[.swapped] = status.swappedBytes
        self[.sharedMemory] = status.sharedBytes
        if let use = group?.use { (self[.groupUsed], self[.groupCache]) = (use.all, use.cache) }
        return status.hasMemory
    }
}
