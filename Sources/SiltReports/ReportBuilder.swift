package import SiltRecording
internal import SiltSymbols

/// Builds the report of a recording: blames each stack, adds up call sites over processes, judges and sorts them.
package enum ReportBuilder {
    /// Throws what `AllocatorFrames` throws for a hide pattern that is no regular expression.
    package static func build(_ recording: Recording, options: ReportOptions) throws -> HeapReport {
        let names = FrameNames(recording, hiding: try AllocatorFrames(hide: options.hide))
        let blameFrames = names.blameFrames(of: recording)
        var report = HeapReport(recording: recording, names: names, blameFrames: blameFrames)
        report.options = options
        for totals in recording.totals { report.totals += totals }
        report.processes = processes(of: recording)
        let clocks = ProcessClock.all(of: recording)
        let sites = CallSites(recording, names: names, blameFrames: blameFrames)
        report.sites = reportSites(sites, recording, names, clocks)
        sort(&report.sites, by: options.order)
        report.trust = trust(of: recording, sites: sites, names: names)
        report.wholeProcess = WholeProcess.lines(recording, clocks: clocks, report: report)
        Headline.decide(&report, clocks: clocks)
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

    private static func trust(of recording: Recording, sites: CallSites, names: FrameNames) -> ReportTrust {
        var trust = ReportTrust()
        for counters in recording.trust { trust.counters += counters }
        let stacks = Double(trust.counters.allocations &+ trust.counters.reallocations)
        if stacks > 0 {
            let broken = Double(
                trust.counters.stacksTruncated &+ trust.counters.stacksIncomplete &+ trust.counters.stacksMissing
            )
            trust.completeStacksPercent = max(0, 100 * (1 - broken / stacks))
        }
        var all: UInt64 = 0
        var named: UInt64 = 0
        for (site, sum) in sites.sums.enumerated() {
            all &+= sum.allocatedBytes
            if names.rows[names.siteRows[site]].function != 0 { named &+= sum.allocatedBytes }
        }
        trust.symbolizedPercent = all == 0 ? 100 : 100 * Double(named) / Double(all)
        trust.isClosed = recording.isClosed
        return trust
    }

    // MARK: - Sites

    private static func reportSites(
        _ sites: CallSites,
        _ recording: Recording,
        _ names: FrameNames,
        _ clocks: [ProcessClock]
    ) -> [ReportSite] {
        var result: [ReportSite] = []
        var indexOfSite = [Int](repeating: -1, count: sites.sums.count)
        for (site, sum) in sites.sums.enumerated() where sum.allocatedBytes > 0 || sum.allocatedCount > 0 {
            let frame = names.siteFrames[site]
            var item = ReportSite(blame: names.frame(ofRow: names.siteRows[site], frame: frame, in: recording))
            item.index = site
            item.inUseBytes = sum.inUseBytes
            item.inUseCount = sum.inUseCount
            item.allocatedBytes = sum.allocatedBytes
            item.allocatedCount = sum.allocatedCount
            item.peakBytes = sum.peakBytes
            item.peakCount = sum.peakCount
            item.temporaryCount = sum.temporaryCount
            item.stack = sum.stack
            item.stackCount = sum.stackCount
            indexOfSite[site] = result.count
            result.append(item)
        }
        var opinions: [[PartOpinion]] = Array(repeating: [], count: result.count)
        let judge = SiteJudge(recording)
        for part in sites.parts where indexOfSite[part.site] >= 0 {
            let clock = clocks[part.process]
            let opinion = judge.opinion(of: part, snapshots: clock.count)
            opinions[indexOfSite[part.site]].append(PartOpinion(part: part, opinion: opinion, clock: clock))
        }
        let samples = SampleIndex(recording.groupSamples)
        for index in result.indices {
            apply(opinions[index], to: &result[index], recording, names, judge, samples)
        }
        return result
    }

    private struct PartOpinion {
        var part: CallSites.Part
        var opinion: SiteOpinion
        var clock: ProcessClock
    }

    /// Growing in any process is growing; the rates of processes that live at the same time add up.
    private static func apply(
        _ opinions: [PartOpinion],
        to site: inout ReportSite,
        _ recording: Recording,
        _ names: FrameNames,
        _ judge: SiteJudge,
        _ samples: SampleIndex
    ) {
        guard var leading = opinions.first else { return }
        for other in opinions.dropFirst() {
            let isWeightier =
                other.opinion.isGrowing || leading.opinion.isGrowing
                ? other.opinion.isWeightier(than: leading.opinion)
                : other.part.inUseBytes > leading.part.inUseBytes
            if isWeightier { leading = other }
        }
        let opinion = leading.opinion
        site.verdict = opinion.verdict
        site.isGrowing = opinion.isGrowing
        site.confidence = opinion.confidence
        site.reason = opinion.reason
        site.evidence = opinion.evidence
        site.isAcquitted =
            !opinion.isGrowing && site.inUseBytes > 0
            && ["plateauing", "step", "sawtooth"].contains(opinion.verdict)
        let growing = opinions.filter { $0.opinion.isGrowing }
        if growing.count > 1 { site.evidence += "; in \(growing.count) processes" }
        if let rate = rate(of: growing, in: recording) {
            site.rate = rate
            site.weight = max(rate.low, 0.05 * rate.value) * (opinion.confidence == "low" ? 0.3 : 1)
            site.caller = judge.caller(of: leading.part, names: names)
        }
        let process = recording.processes[leading.part.process].id
        site.series = Sparkline.columns(
            leading.part.groups.compactMap { samples.rows(process: process, key: $0) },
            snapshots: leading.clock.count,
            columns: 24
        )
    }

    /// The fastest sum of rates at any time: a worker that was replaced by another does not count twice.
    private static func rate(of growing: [PartOpinion], in recording: Recording) -> ReportRate? {
        guard !growing.isEmpty else { return nil }
        let isTimed = growing.allSatisfy { $0.clock.period > 0 }
        var best = ReportRate(value: -.infinity, low: 0, high: 0, unit: isTimed ? "bytes/second" : "bytes/interval")
        for one in growing {
            let start = recording.processes[one.part.process].startNs
            var value = 0.0
            var variance = 0.0
            for other in growing {
                let process = recording.processes[other.part.process]
                guard process.startNs <= start, process.endNs ?? .max > start || other.part.process == one.part.process
                else { continue }
                let period = isTimed ? other.clock.period : 1
                value += other.opinion.slope / period
                variance += (other.opinion.error / period) * (other.opinion.error / period)
            }
            if value > best.value {
                best.value = value
                best.low = value - variance.squareRoot()
                best.high = value + variance.squareRoot()
            }
        }
        return best
    }

    private static func sort(_ sites: inout [ReportSite], by order: ReportOptions.Order) {
        func key(_ site: ReportSite) -> (Double, UInt64) {
            switch order {
            case .growth: (site.isGrowing ? max(site.weight, .leastNonzeroMagnitude) : 0, site.inUseBytes)
            case .inUse: (0, site.inUseBytes)
            case .allocated: (0, site.allocatedBytes)
            case .peak: (0, site.peakBytes)
            case .temporary: (0, site.temporaryCount)
            }
        }
        sites.sort { first, second in
            let (one, other) = (key(first), key(second))
            if one != other { return one > other }
            if first.allocatedBytes != second.allocatedBytes { return first.allocatedBytes > second.allocatedBytes }
            return first.index < second.index
        }
        for index in sites.indices { sites[index].rank = index + 1 }
    }
}

/// Where the samples of each series are.
struct SampleIndex {
    private let samples: [RecordedSample]
    private var ranges: [UInt64: Range<Int>] = [:]

    init(_ samples: [RecordedSample]) {
        self.samples = samples
        var start = 0
        while start < samples.count {
            var end = start
            while end < samples.count, samples[end].process == samples[start].process,
                samples[end].key == samples[start].key
            {
                end += 1
            }
            ranges[Self.key(samples[start].process, samples[start].key)] = start..<end
            start = end
        }
    }

    func rows(process: UInt32, key: UInt32) -> ArraySlice<RecordedSample>? {
        ranges[Self.key(process, key)].map { samples[$0] }
    }

    private static func key(_ process: UInt32, _ key: UInt32) -> UInt64 {
        UInt64(process) << 32 | UInt64(key)
    }
}
