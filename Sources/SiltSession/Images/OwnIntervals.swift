internal import SiltEvents
internal import SiltHeap
internal import SiltRecording

/// The intervals of a process that began during a hunt.
///
/// Workers that are replaced may see few rounds, or none. So theirs end with the rounds, and in between by what the process
/// has done: a part of the life of the one before it, or of its own so far.
struct OwnIntervals {
    /// By interval, from 1: the round of the hunt that it belongs to.
    private(set) var rounds: [Int] = []
    /// The round that is on.
    var round: Int
    /// Events so far.
    private(set) var done = 0
    private var end = Self.shortest
    /// Events when what it holds was written before it gave that back.
    private var written = 0
    /// Events from the beginning to the end of such a process that has ended; 0: none has.
    private let usualLife: Int
    /// The numbers at the ends of intervals, which are not written yet.
    private var rows: [RecordedSnapshot] = []

    /// In events.
    private static let shortest = 8
    private static let (partsOfUsualLife, partsOfOwnLife) = (128, 16)
    /// What it holds is written so that each time it has done so much more.
    private static let writtenParts = 32
    /// Intervals that end between rounds; the other half of what a history holds is for the ends of rounds.
    private static let most = RoundHistory.limit / 2

    init(round: Int, usualLife: Int) { (self.round, self.usualLife) = (round, usualLife) }

    /// Events until the open interval ends.
    var room: Int { rounds.count < Self.most ? end - done : .max }

    /// Whether it has done enough since the last time for what it holds to be written before it gives that back.
    var isWorthWriting: Bool { rounds.count < Self.most && done - written > done / Self.writtenParts }

    mutating func wrote() { written = done }

    mutating func take(events count: Int) { done += count }

    /// The open interval has ended.
    mutating func close(_ heap: borrowing ProcessHeap, at time: UInt64) {
        let part = usualLife > done ? usualLife / Self.partsOfUsualLife : done / Self.partsOfOwnLife
        end = done + max(Self.shortest, part)
        rounds.append(round)
        rows.append(RecordedSnapshot(of: heap, process: 0, timeNs: time))
    }

    /// Events that are looked at together.
    static let batch = 1 << 16

    /// Where a process begins to give back what it holds; the number of events where it does not.
    static func decline(_ events: UnsafeBufferPointer<HeapEvent>, _ inUse: UInt64) -> Int {
        var (blocks, most, turn) = (Int(clamping: inUse), Int(clamping: inUse), 0)
        for (index, event) in events.enumerated() {
            switch event.kind {
            case .alloc, .realloc, .unfree: blocks += 1
            case .free: blocks -= 1
            case .temporary, .map, .remap, .unmap, .take, .give, .kept, .over, .detach, .join: break
            }
            if blocks >= most { (most, turn) = (blocks, index + 1) }
        }
        return most - blocks > max(Self.fewBlocks, most / Self.keptPart) ? turn : events.count
    }

    /// One part in so many must go, and more than few blocks.
    private static let (keptPart, fewBlocks) = (64, 8)

    mutating func takeRows() -> [RecordedSnapshot] {
        defer { rows = [] }
        return rows
    }

    /// A history by the rounds of the hunt.
    func byRounds(_ history: SiteHistory, count: Int) -> IntervalSeries? {
        guard case .rounds(let own) = history else { return nil }
        return own.regrouped(rounds).series(intervals: count)
    }
}
