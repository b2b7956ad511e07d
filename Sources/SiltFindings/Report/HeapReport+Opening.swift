package import SiltEvents
internal import SiltGrowth
internal import SiltHeap
internal import SiltRecording

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
    /// `isBeforeTheWayOut` says which. Who asks for what is in use at the end (`Order.inUse`) gets that.
    package var opening: HeapReport {
        guard options.order == .growth else { return self }
        var report = ofWhatGrew
        guard growing.contains(where: \.wasGivenBack), let past = beforeTheWayOut else { return report }
        report.recording = past.recording
        report.isBeforeTheWayOut = past.resources.contains(report.countedResource)
        return report
    }

    /// The report of what a view adds up unless told: where no blocks grow, but something else does, that.
    package var ofWhatGrew: HeapReport {
        var report = self
        report.options.resource = options.resource ?? growing.opening(besides: recording.countedResource)
        return report
    }

    /// What a view of blocks opens on, whatever else grows.
    package var openingOfBlocks: HeapReport {
        var report = self
        report.options.resource = .heap
        return report.opening
    }

    /// What was in use before programs gave it back on their way out; nil where none did.
    package var beforeTheWayOut: BeforeTheWayOut? {
        let grown = growing.lazy.filter(\.wasGivenBack).flatMap { site in
            site.stacks.map { BeforeTheWayOut.Place(resource: site.resource, stack: $0.stack) }
        }
        return BeforeTheWayOut(recording, grown: Set(grown))
    }

    /// Whether it is known when what there is of a resource was taken: of blocks in any case, of others by their histories.
    package func knowsAges(of resource: Resource) -> Bool {
        resource == .heap || recording.groupHistories.contains { $0.resource == resource }
    }

    /// What was in use at the last snapshots of the processes that then held any, by ticks since it was taken: classes of
    /// `BlockClasses`.
    package var agesAtLastSnapshots: [Int: (count: UInt64, bytes: UInt64)] {
        let counted = countedResource
        let holding = Set(
            recording.counters.lazy.filter { $0.resource == counted && $0.inUseCount > 0 }.map(\.process)
        )
        let clocks = ProcessClock.all(of: recording)
        let judge = SiteJudge(recording)
        var result: [Int: (count: UInt64, bytes: UInt64)] = [:]
        func add(_ count: Double, _ bytes: Double, _ age: Double) {
            guard count > 0 else { return }
            let number = BlockClasses.number(UInt64(max(1, age)))
            result[number, default: (0, 0)].count &+= UInt64(count)
            result[number, default: (0, 0)].bytes &+= UInt64(max(0, bytes))
        }
        for row in recording.groupHistories where row.resource == counted && holding.contains(row.process) {
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

extension [ReportSite] {
    /// Of growing sites, the worst first: the resource that a view of them opens on where `usual` is not among what leads; nil
    /// where it is, or nothing grows.
    package func opening(besides usual: Resource) -> Resource? {
        let leading = lazy.filter { $0.follows == nil }.map(\.resource)
        guard !leading.contains(usual) else { return nil }
        // What looks have found has no stacks: what has some says more.
        return leading.first { !$0.isFound } ?? leading.first
    }
}
