package import SiltEvents
internal import SiltHeap
package import SiltRecording

/// A recording as if each process that gave back what it held on its way out had ended right before: what views open on
/// where what grew is no longer there.
///
/// Of blocks a recording may keep what was in use then (`Recording.lastCounters`), where much was given back. Of everything
/// it has the histories, which are not written on the way out: they say what each stack held at the last snapshot before.
package struct BeforeTheWayOut {
    /// A stack that holds something of a resource.
    package struct Place: Hashable {
        var resource: Resource
        var stack: StackID
    }

    package private(set) var recording: Recording
    /// Of which more was in use then than at the end.
    package private(set) var resources: Set<Resource> = []

    /// A process gave back what it held of a resource where that was more than one part in so many.
    private static let keptPart: UInt64 = 8

    /// nil where nothing was given back; `grown`: what is shown as it was however little of all that is.
    package init?(_ recording: Recording, grown: Set<Place> = []) {
        self.recording = recording
        takeLastCounters()
        takeHistories(grown)
        if resources.isEmpty { return nil }
        self.recording.lastCounters = []
    }

    private mutating func takeLastCounters() {
        guard !recording.lastCounters.isEmpty else { return }
        resources.insert(.heap)
        let gone = Set(recording.lastCounters.lazy.map(\.process))
        var last = recording.lastCounters[...]
        for index in recording.counters.indices
        where recording.counters[index].resource == .heap && gone.contains(recording.counters[index].process) {
            let row = recording.counters[index]
            while let first = last.first, (first.process, first.stack) < (row.process, row.stack) { last.removeFirst() }
            let found = last.first.flatMap { ($0.process, $0.stack) == (row.process, row.stack) ? $0 : nil }
            set(index, bytes: found?.inUseBytes ?? 0, count: found?.inUseCount ?? 0)
        }
    }

    private mutating func takeHistories(_ grown: Set<Place>) {
        let known = Set(recording.lastCounters.lazy.map(\.process))
        let leaving = Set(recording.processes.lazy.filter(Self.tearsDown).map(\.id))
        var histories = recording.histories[...]
        var start = 0
        while start < recording.counters.count {
            let (resource, process) = (recording.counters[start].resource, recording.counters[start].process)
            var end = start
            while end < recording.counters.count, recording.counters[end].resource == resource,
                recording.counters[end].process == process
            {
                end += 1
            }
            if leaving.contains(process), !resource.isFound, resource != .heap || !known.contains(process) {
                take(start..<end, grown, &histories)
            }
            start = end
        }
    }

    /// The rows of one resource in one process: all of them as they were where much of them was given back, else those of
    /// what grew.
    private mutating func take(
        _ rows: Range<Int>,
        _ grown: Set<Place>,
        _ histories: inout ArraySlice<RecordedHistory<StackID>>
    ) {
        let resource = recording.counters[rows.lowerBound].resource
        var held: [Int: (bytes: UInt64, count: UInt64)] = [:]
        var (before, after) = (UInt64(0), UInt64(0))
        for index in rows {
            let row = recording.counters[index]
            // A heap has many stacks.
            guard resource != .heap || grown.contains(Place(resource: resource, stack: row.stack)) else { continue }
            let wanted = (resource.rawValue, row.process, row.stack)
            while let first = histories.first, (first.resource.rawValue, first.process, first.key) < wanted {
                histories.removeFirst()
            }
            let found = histories.first.flatMap { first in
                (first.resource.rawValue, first.process, first.key) == wanted ? self.held(first, row) : nil
            }
            held[index] = found
            before &+= found?.bytes ?? row.inUseBytes
            after &+= row.inUseBytes
        }
        let isGivenBack = resource != .heap && before - before / Self.keptPart > after
        for (index, held) in held {
            let row = recording.counters[index]
            let isGrown = grown.contains(Place(resource: resource, stack: row.stack))
            guard isGivenBack || isGrown && held.bytes > row.inUseBytes else { continue }
            set(index, bytes: held.bytes, count: held.count)
            resources.insert(resource)
        }
    }

    private mutating func set(_ index: Int, bytes: UInt64, count: UInt64) {
        recording.counters[index].inUseBytes = bytes
        recording.counters[index].inUseCount = count
    }

    /// nil where the history cannot be read.
    private func held(
        _ history: RecordedHistory<StackID>,
        _ row: RecordedCounters
    ) -> (bytes: UInt64, count: UInt64)? {
        do {
            let history = try SiteHistory(decoding: recording.historyBytes[history.range])
            switch history {
            case .slices:
                let (born, older) = (history.survivors, history.bornBeforeBaseline)
                return (born.bytes &+ older.bytes, born.count &+ older.count)
            case .rounds(let rounds):
                let bytes = UInt64(max(0, rounds.series(intervals: rounds.closed).live.last ?? 0))
                if row.resource.isCounted { return (bytes, bytes) }
                // How many there were is not known: as many as would be of their mean size.
                let mean = Double(row.allocatedBytes) / Double(max(1, row.allocatedCount))
                return (bytes, mean > 0 ? UInt64((Double(bytes) / mean).rounded()) : 0)
            }
        } catch {
            return nil
        }
    }

    private static func tearsDown(_ process: RecordedProcess) -> Bool {
        switch process.end {
        case .exited, .unknown: !process.isProfiled
        case .running, .killed, .execed: false
        }
    }
}
