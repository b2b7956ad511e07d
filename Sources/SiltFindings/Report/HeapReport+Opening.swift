internal import SiltGrowth
internal import SiltHeap
package import SiltRecording

/// What programs held before they gave it back on their way out: what views open on where what grew is no longer there.
extension Recording {
    /// As if each process that gave back what it held on its way out had ended right before; nil where none did.
    package var beforeTheWayOut: Recording? {
        guard !lastCounters.isEmpty else { return nil }
        var past = self
        let gone = Set(lastCounters.lazy.map(\.process))
        var last = lastCounters[...]
        for index in counters.indices
        where counters[index].resource == .heap && gone.contains(counters[index].process) {
            let row = counters[index]
            while let first = last.first, (first.process, first.stack) < (row.process, row.stack) { last.removeFirst() }
            let found = last.first.flatMap { ($0.process, $0.stack) == (row.process, row.stack) ? $0 : nil }
            past.counters[index].inUseBytes = found?.inUseBytes ?? 0
            past.counters[index].inUseCount = found?.inUseCount ?? 0
        }
        past.lastCounters = []
        return past
    }
}

extension HeapReport {
    /// Whether nobody saw the calls that took what a site holds, though hooks see others of its kind: the program as such
    /// has it.
    package func isOfUnseenCalls(_ site: ReportSite) -> Bool {
        guard site.resource.mayBeFound, !site.resource.isFound else { return false }
        let frames = frames(ofStack: site.stack)
        return frames.count == 1 && frames[0].function.isEmpty && frames[0].offset == 0
    }

    /// What views of the stacks open on: the report, or what was in use before programs gave back on their way out what grew.
    ///
    /// `isBeforeTheWayOut` says which. Who asks for what is in use at the end (`Order.inUse`) gets that. Where no blocks
    /// grow, but something else does, it is that.
    package var opening: HeapReport {
        guard options.order == .growth else { return self }
        var report = self
        let grown = growing.lazy.filter { $0.follows == nil && !$0.resource.isFound }.map(\.resource)
        if options.resource == nil, let first = grown.first, !grown.contains(recording.countedResource) {
            report.options.resource = first
        }
        guard growing.contains(where: \.wasGivenBack), let past = recording.beforeTheWayOut else { return report }
        report.recording = past
        report.isBeforeTheWayOut = true
        return report
    }

    /// Blocks in use at the last snapshots of the processes that then held any, by ticks since they were born: classes of
    /// `BlockClasses`.
    package var agesBeforeTheWayOut: [Int: (count: UInt64, bytes: UInt64)] {
        let holding = Set(recording.counters.lazy.filter { $0.inUseCount > 0 }.map(\.process))
        let clocks = ProcessClock.all(of: recording)
        let judge = SiteJudge(recording)
        var result: [Int: (count: UInt64, bytes: UInt64)] = [:]
        func add(_ count: Double, _ bytes: Double, _ age: Double) {
            guard count > 0 else { return }
            let number = BlockClasses.number(UInt64(max(1, age)))
            result[number, default: (0, 0)].count &+= UInt64(count)
            result[number, default: (0, 0)].bytes &+= UInt64(max(0, bytes))
        }
        for row in recording.groupHistories where row.resource == .heap && holding.contains(row.process) {
            guard let index = recording.processIndex(of: row.process), let history = judge.history(row.range),
                let series = history.series(atSnapshot: clocks[index].lastTick)
            else { continue }
            for (bucket, count) in series.counts.enumerated() {
                add(
                    count,
                    series.bytes[bucket],
                    Double(series.snapshots) - (Double(bucket) + 0.5) * Double(series.width)
                )
            }
            let old = history.bornBeforeBaseline
            add(Double(old.count), Double(old.bytes), Double(series.snapshots))
        }
        return result
    }
}
