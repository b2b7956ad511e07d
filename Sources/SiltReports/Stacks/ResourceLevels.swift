internal import SiltEvents
internal import SiltRecording

/// What each process had in use of a resource at its snapshots: bytes, or a number of what has no size.
struct ResourceLevels {
    private let resource: Resource
    /// By process: what the call sites together had from a snapshot on, by snapshot.
    ///
    /// Empty for blocks, which snapshots have themselves, and for goroutines in a recording of nothing else.
    private var steps: [UInt32: [(snapshot: UInt32, inUse: UInt64)]] = [:]

    init(_ resource: Resource, _ recording: Recording) {
        self.resource = resource
        guard resource != .heap else { return }
        var changes: [UInt32: [UInt32: Int64]] = [:]
        var last: (process: UInt32, group: FrameID, inUse: UInt64) = (0, .none, 0)
        for row in recording.groupSamples where row.resource == resource {
            let inUse = resource.isCounted ? row.inUseCount : row.inUseBytes
            let before = (row.process, row.group) == (last.process, last.group) ? last.inUse : 0
            let change = Int64(clamping: inUse) - Int64(clamping: before)
            changes[row.process, default: [:]][row.snapshot, default: 0] &+= change
            last = (row.process, row.group, inUse)
        }
        for (process, ofIt) in changes {
            var level: Int64 = 0
            steps[process] = ofIt.sorted { $0.key < $1.key }.map { snapshot, change in
                level &+= change
                return (snapshot, UInt64(max(0, level)))
            }
        }
    }

    func inUse(at row: RecordedSnapshot) -> UInt64 {
        guard resource != .heap else { return row.inUseBytes }
        guard !steps.isEmpty else { return resource == .goroutine ? row.inUseCount : 0 }
        guard let ofIt = steps[row.process] else { return 0 }
        let later = ofIt.partitioningIndex { $0.snapshot > row.snapshot }
        return ofIt.prefix(upTo: later).last?.inUse ?? 0
    }
}
