internal import SiltEvents
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
    private var lastResident: UInt64?
    private var lastLive: UInt64 = 0
    private var lastAt = 0.0
    /// By the monotonic clock.
    private var nextAt: Double
    /// Seconds that lie between two looks at least.
    private let period: Double
    private var rows: [RecordedMemory] = []
    /// What all looks took.
    private(set) var nanoseconds: UInt64 = 0

    private static let (minimumChange, changeShare) = (UInt64(1 << 20), UInt64(50))
    /// Seconds after which what is resident may be for something else.
    private static let maximumWait = 5.0
    private static let restFactor = 50.0
    /// Half of the looks are forgotten when there are more.
    private static let maximumRows = 128

    /// `allocator`: the path of the module that defines malloc; `period`: seconds before the first look, and between two.
    init(allocator: String, period: Double) {
        self.period = period
        nextAt = Clock.monotonicSeconds + period
        let name = allocator.lastPathComponent
        account = MemoryAccount(name.hasPrefix("libc.so") || name.hasPrefix("libc-2") ? .glibc : .whole)
    }

    /// Nil when it is not time for a look, or the process cannot be looked at.
    ///
    /// `processes`: how many are watched.
    mutating func look(_ image: TracedImage, resident: UInt64, processes: Int) -> MemoryUses<UInt64>? {
        let began = Clock.monotonicSeconds
        let live = image.heap.totals.inUseBytes
        guard !image.isReplayed, began >= nextAt else { return nil }
        if let last = lastResident {
            let change = max(Self.distance(last, resident), Self.distance(lastLive, live))
            let isChanged = change >= max(Self.minimumChange, resident / Self.changeShare)
            guard isChanged || began - lastAt >= Self.maximumWait else { return nil }
        }
        let ownBytes = image.shared.header.own_bytes
        let before = Clock.processCPUNanoseconds
        var account = account
        let shares = MemoryMap.read(image.pid) { map in
            account.shares(map.areas, of: image.heap, ownBytes: ownBytes, residentBytes: map.residentBytes)
        }
        lastAt = Clock.monotonicSeconds
        let cost = Clock.processCPUNanoseconds - before
        nanoseconds += cost
        nextAt = lastAt + max(period, Self.restFactor * Double(processes) * Double(cost) / 1e9)
        // What has ended has no memory any more.
        guard let shares, shares.sum > 0 else { return nil }
        self.account = account
        (lastResident, lastLive) = (resident, live)
        return shares
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
