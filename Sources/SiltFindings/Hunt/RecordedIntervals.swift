internal import SiltEvents
internal import SiltHeap
internal import SiltRecording

/// The intervals of processes that began during a hunt: they end with its rounds, and in between as the process goes on.
struct RecordedIntervals: Sendable {
    /// What one process had at the ends of its intervals.
    struct Clock {
        /// When it ended, and blocks that the process had allocated and in use then.
        var ends: [UInt64] = []
        var allocated: [Double] = []
        var inUse: [Double] = []
    }

    /// By process id.
    private let rounds: [UInt32: [Int]]
    /// By the beginning of a history in `Recording.historyBytes`: whose it is.
    private let owners: [Int: UInt32]

    init(_ recording: Recording) {
        var rounds: [UInt32: [Int]] = [:]
        for index in recording.processes.indices where Self.began(recording.processes[index], during: recording) {
            let id = recording.processes[index].id
            rounds[id] = Self.clock(of: id, in: recording).ends.map { Self.round(at: $0, recording) + 1 }
        }
        self.rounds = rounds
        var owners: [Int: UInt32] = [:]
        func note(_ histories: [RecordedHistory<some RowID>]) {
            for history in histories where rounds[history.process] != nil {
                owners[history.range.lowerBound] = history.process
            }
        }
        if !rounds.isEmpty {
            note(recording.histories)
            note(recording.groupHistories)
        }
        self.owners = owners
    }

    /// Whose history it is that begins there; nil of a process that has the intervals of the hunt.
    func owner(ofHistoryAt offset: Int) -> UInt32? { owners.isEmpty ? nil : owners[offset] }

    /// By interval: the round of the hunt, from 1.
    func rounds(of process: UInt32) -> [Int] { rounds[process] ?? [] }

    static func began(_ process: RecordedProcess, during hunt: Recording) -> Bool {
        !process.isProfiled && process.startNs > hunt.rounds.first?.startNs ?? .max
    }

    /// In `Recording.rounds`: the one that was on.
    static func round(at time: UInt64, _ recording: Recording) -> Int {
        recording.rounds.dropLast().partitioningIndex { $0.endNs >= time }
    }

    /// Snapshots that were thinned away ended when the next one did.
    ///
    /// Those of a free trace may be more than a history holds.
    static func clock(of process: UInt32, in recording: Recording, limit: Int = RoundHistory.limit) -> Clock {
        var clock = Clock()
        let all = recording.snapshots
        let first = all.partitioningIndex { $0.process >= process }
        for row in all[first...].prefix(while: { $0.process == process }) where row.snapshot <= limit {
            while clock.ends.count < Int(row.snapshot) {
                clock.ends.append(row.timeNs)
                clock.allocated.append(Double(row.allocatedCount))
                clock.inUse.append(Double(row.inUseCount))
            }
        }
        return clock
    }
}
