internal import SiltEvents
internal import SiltFindings
internal import SiltRecording

/// What all processes have in use of a resource, blocks unless told, over the time of a trace, in equal spans.
struct HeapTimeline: Sendable {
    struct Column: Equatable, Sendable {
        /// The most that was in use at once in the span: bytes, or a number of what has no size.
        var inUseBytes: UInt64 = 0
        /// nil: not seen.
        var rssBytes: UInt64?
    }

    /// A phase of a hunt, or a mark (which has no length), in columns.
    struct Span: Equatable, Sendable {
        var name: String
        var columns: ClosedRange<Int>
    }

    private(set) var columns: [Column] = []
    private(set) var spans: [Span] = []
    let startNs: UInt64
    let endNs: UInt64

    var seconds: Double { Double(endNs - startNs) / 1e9 }

    /// Empty without two snapshots at different times.
    init(_ recording: Recording, of resource: Resource = .heap, columns count: Int) {
        let rows = recording.snapshots.sorted { ($0.timeNs, $0.process) < ($1.timeNs, $1.process) }
        startNs = rows.first?.timeNs ?? 0
        endNs = rows.last?.timeNs ?? 0
        guard endNs > startNs, count > 0 else { return }
        let changes = Self.changes(of: resource, in: recording, rows, until: endNs)
        columns = Array(repeating: Column(), count: count)
        var live: [UInt32: (inUse: UInt64, rss: UInt64?)] = [:]
        var next = 0
        for index in columns.indices {
            var most = Self.sum(live)
            while next < changes.count, column(of: changes[next].timeNs) <= index {
                let change = changes[next]
                live[change.process] = (change.inUse, change.rss)
                let now = Self.sum(live)
                if now.inUseBytes >= most.inUseBytes { most.inUseBytes = now.inUseBytes }
                most.rssBytes = [most.rssBytes, now.rssBytes].compactMap { $0 }.max()
                next += 1
            }
            columns[index] = most
        }
        addSpans(recording)
    }

    /// The most that all processes together were seen with, and when that was first; nil without a snapshot.
    static func highest(of resource: Resource, in recording: Recording) -> (inUse: UInt64, timeNs: UInt64)? {
        var live: [UInt32: UInt64] = [:]
        var sum: UInt64 = 0
        var highest: (inUse: UInt64, timeNs: UInt64)?
        for change in changes(of: resource, in: recording, recording.snapshots, until: .max) {
            sum = sum &- live[change.process, default: 0] &+ change.inUse
            live[change.process] = change.inUse
            if highest.map({ sum > $0.inUse }) ?? true { highest = (sum, change.timeNs) }
        }
        return highest
    }

    private typealias Level = (timeNs: UInt64, process: UInt32, inUse: UInt64, rss: UInt64?)

    /// What each process has at its snapshots, and nothing once it has ended, in the order of time.
    private static func changes(
        of resource: Resource,
        in recording: Recording,
        _ rows: [RecordedSnapshot],
        until end: UInt64
    ) -> [Level] {
        let levels = ResourceLevels(resource, recording)
        var changes: [Level] = rows.map { ($0.timeNs, $0.process, levels.inUse(at: $0), $0.rssBytes) }
        for process in recording.processes {
            if let ended = process.endNs, ended < end { changes.append((ended, process.id, 0, 0)) }
        }
        return changes.sorted { ($0.timeNs, $0.process) < ($1.timeNs, $1.process) }
    }

    /// By column: what resident memory is for by its end; empty where nobody looked.
    func parts(_ recording: Recording) -> [MemoryUses<UInt64>] {
        let looks = recording.memoryLooks
        guard !looks.isEmpty, !columns.isEmpty else { return [] }
        let ends = recording.processes.filter { $0.endNs ?? .max < endNs }.map { ($0.endNs ?? .max, $0.id) }
        var latest: [UInt32: MemoryUses<UInt64>] = [:]
        var next = 0
        return columns.indices.map { index in
            while next < looks.count, column(of: looks[next].timeNs) <= index {
                latest[looks[next].look.process] = looks[next].look.bytes
                next += 1
            }
            for (end, process) in ends where column(of: end) <= index { latest[process] = nil }
            return latest.values.reduce(into: MemoryUses()) { $0 += $1 }
        }
    }

    private static func sum(_ live: [UInt32: (inUse: UInt64, rss: UInt64?)]) -> Column {
        live.values.reduce(into: Column()) { sum, process in
            sum.inUseBytes &+= process.inUse
            if let rss = process.rss { sum.rssBytes = (sum.rssBytes ?? 0) &+ rss }
        }
    }

    private func column(of timeNs: UInt64) -> Int {
        let share = Double(timeNs &- min(timeNs, startNs)) / Double(endNs - startNs)
        return min(columns.count - 1, max(0, Int(share * Double(columns.count))))
    }

    private mutating func addSpans(_ recording: Recording) {
        for phase in recording.phases {
            guard phase.startNs < endNs else { continue }
            // The column of its end is that in which the next begins.
            let start = column(of: phase.startNs)
            let end = phase.endNs.map { max(start, column(of: $0) - 1) } ?? columns.count - 1
            spans.append(Span(name: phase.name, columns: start...end))
        }
        for mark in recording.marks {
            spans.append(Span(name: mark.name, columns: column(of: mark.timeNs)...column(of: mark.timeNs)))
        }
    }
}
