internal import SiltRecording

/// Makes the report's sites out of the sums: names, verdicts over all processes, rates, sparklines.
struct SiteBuilder {
    private let recording: Recording
    private let names: FrameNames
    private let blameFrames: [UInt32]
    private let clocks: [ProcessClock]
    private let judge: SiteJudge
    private let samples: SampleIndex

    init(_ recording: Recording, names: FrameNames, blameFrames: [UInt32], clocks: [ProcessClock]) {
        self.recording = recording
        self.names = names
        self.blameFrames = blameFrames
        self.clocks = clocks
        judge = SiteJudge(historyBytes: recording.historyBytes)
        samples = SampleIndex(recording.groupSamples)
    }

    private struct PartOpinion {
        var part: CallSites.Part
        var opinion: SiteOpinion
        var clock: ProcessClock
    }

    /// All sites with a live or cumulative byte or block, in no particular order.
    func sites(_ sites: CallSites) -> [ReportSite] {
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
        for part in sites.parts where indexOfSite[part.site] >= 0 {
            let clock = clocks[part.process]
            let opinion = judge.opinion(of: part, clock: clock)
            opinions[indexOfSite[part.site]].append(PartOpinion(part: part, opinion: opinion, clock: clock))
        }
        for index in result.indices { apply(opinions[index], to: &result[index]) }
        return result
    }

    /// Growing in any process is growing; the rates of processes that live at the same time add up.
    private func apply(_ opinions: [PartOpinion], to site: inout ReportSite) {
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
        if let rate = rate(of: growing) {
            site.rate = rate
            site.weight = max(rate.low, 0.05 * rate.value) * (opinion.confidence == "low" ? 0.3 : 1)
            if let caller = DistinguishingCaller.find(
                leading.part,
                recording,
                blameFrames,
                judge,
                snapshots: leading.clock.count
            ) {
                site.caller = names.callerFrame(caller.frame, in: recording)
                site.stack = caller.stack
            }
        }
        let process = recording.processes[leading.part.process].id
        site.series = Sparkline.columns(
            leading.part.groups.compactMap { samples.rows(process: process, key: $0) },
            snapshots: leading.clock.count,
            columns: 24
        )
    }

    /// The fastest sum of rates at any time: a worker that was replaced by another does not count twice.
    private func rate(of growing: [PartOpinion]) -> ReportRate? {
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
