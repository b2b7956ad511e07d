package import SiltRecording
internal import SiltSymbols

/// Builds the report of a recording: blames each stack, adds up call sites over processes, judges and sorts them.
package enum ReportBuilder {
    /// Throws what `AllocatorFrames` throws for a hide pattern that is not a regular expression.
    package static func build(_ recorded: Recording, options: ReportOptions) throws -> HeapReport {
        let recording = recorded.forgettingReplacedImages
        let names = FrameNames(recording, hiding: try AllocatorFrames(hide: options.hide, show: options.show))
        var report = HeapReport(recording: recording, names: names)
        report.options = options
        if recording.countedResource == .heap { for totals in recording.totals { report.totals += totals } }
        report.processes = processes(of: recording)
        let clocks = ProcessClock.all(of: recording)
        let sites = CallSites(recording, names: names)
        let hunt = HuntPhases(recording)
        report.phases = hunt?.phases ?? []
        let turns = hunt == nil ? WorkerTurns.all(of: recording, clocks) : []
        let services = hunt.map { HuntWorkers.services(of: recording, $0) } ?? []
        let workers = hunt.map { HuntWorkers.all(of: services, recording, $0) } ?? []
        if let hunt, !services.isEmpty { report.forgive(workers, of: services, hunt) }
        let builder = SiteBuilder(recording, names: names, clocks: clocks, turns: turns, hunt: hunt, workers: workers)
        report.sites = builder.sites(sites)
        report.shortWorkers = ShortWorkers(recording, names, turns, sites)
        // What is found by looks comes and goes all the time: children end before they are waited for.
        report.sites.removeAll { site in
            site.resource.isFound && !site.isGrowing && (site.resource == .module || site.inUseCount == 0)
        }
        sort(&report.sites, by: options.order)
        if !recording.examples.isEmpty {
            for index in report.sites.indices where report.sites[index].isGrowing {
                report.sites[index].example = SiteExample.find(of: report.sites[index], in: recording)
            }
        }
        report.trust = trust(of: recording, sites: sites)
        report.snapshotCount = clocks.map(\.count).max() ?? 0
        report.evenSnapshots = max(0, (clocks.map(\.even).max() ?? 0) - 1)
        report.stoodStill = clocks.filter(\.hasStoodStill).map(\.gap).max() ?? 0
        report.periodCount = clocks.map(\.periods).max() ?? 0
        report.isLongEnough = clocks.contains(where: \.canBeJudged)
        report.seconds = clocks.map(\.seconds).max() ?? 0
        let replaced = hunt == nil ? turns : WorkerTurns.all(of: recording, clocks)
        report.outsideMalloc = HeapReport.outsideMalloc(recording, clocks: clocks, turns: replaced, hunt: hunt)
        if let outside = report.outsideMalloc, report.isNamed(outside) { report.outsideMalloc = nil }
        report.decide()
        if let end = recording.huntEnd { report.endEarly(end.reason, planned: end.planned) }
        return report
    }

    private static func processes(of recording: Recording) -> [ReportProcess] {
        recording.processes.indices.map { index in
            let process = recording.processes[index]
            var parent = process.parentPid
            if let forkedFrom = recording.processIndex(of: process.parent), parent == 0 {
                parent = recording.processes[forkedFrom].pid
            }
            return ReportProcess(process: process, parentPid: parent, totals: recording.totals[index])
        }.sorted { ($0.process.startNs, $0.process.id) < ($1.process.startNs, $1.process.id) }
    }

    private static func trust(of recording: Recording, sites: CallSites) -> ReportTrust {
        var trust = ReportTrust()
        for counters in recording.trust { trust.counters += counters }
        let stacks = Double(trust.counters.allocations &+ trust.counters.reallocations)
        if stacks > 0 {
            let broken = Double(
                trust.counters.stacksTruncated &+ trust.counters.stacksIncomplete &+ trust.counters.stacksMissing
            )
            trust.completeStacksPercent = max(0, 100 * (1 - broken / stacks))
        }
        trust.symbolizedPercent =
            sites.allocatedBytes == 0 ? 100 : 100 * Double(sites.namedBytes) / Double(sites.allocatedBytes)
        trust.isClosed = recording.isClosed
        return trust
    }

    private static func sort(_ sites: inout [ReportSite], by order: ReportOptions.Order) {
        func key(_ site: ReportSite) -> (Double, UInt64) {
            switch order {
            case .growth: (site.isGrowing ? max(weight(site), .leastNonzeroMagnitude) : 0, site.inUseBytes)
            case .inUse: (0, site.inUseBytes)
            case .allocated: (0, site.allocatedBytes)
            case .peak: (0, site.peakBytes)
            case .temporary: (0, site.temporaryCount &+ site.movedCount)
            }
        }
        // What is only in libraries' own stacks is a consequence: below any site of the program's own.
        func weight(_ site: ReportSite) -> Double { site.isLibrary ? site.weight / 1e15 : site.weight }
        // Sites are large, and compilers have thousands.
        let places = sites.indices.map { (key: key(sites[$0]), allocated: sites[$0].allocatedBytes, index: $0) }
            .sorted { first, second in
                if first.key != second.key { return first.key > second.key }
                if first.allocated != second.allocated { return first.allocated > second.allocated }
                return sites[first.index].index < sites[second.index].index
            }
        sites = places.map { sites[$0.index] }
        for index in sites.indices { sites[index].rank = index + 1 }
        Findings.join(&sites)
    }
}
