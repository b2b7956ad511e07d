internal import SiltGrowth
internal import SiltHeap
internal import SiltRecording

/// Makes the report's sites out of the stacks' counters: names, verdicts over all processes, rates, sparklines.
///
/// Each stack of a process belongs to one site: to a growing caller of its blamed function where one stands out
/// (`CallerSearch`), to a function that a thin leak is spread below (`ThinSites`), else to its blamed function and line.
struct SiteBuilder {
    private let recording: Recording
    private let names: FrameNames
    private let clocks: [ProcessClock]
    private let judge: SiteJudge
    private let samples: SampleIndex

    init(_ recording: Recording, names: FrameNames, clocks: [ProcessClock]) {
        self.recording = recording
        self.names = names
        self.clocks = clocks
        judge = SiteJudge(historyBytes: recording.historyBytes)
        samples = SampleIndex(recording.groupSamples)
    }

    private enum Key: Hashable {
        case site(Int)
        case caller(of: Int, function: UInt64, line: UInt32)
        case spread(function: UInt64)
    }

    private struct Place {
        var row: Int
        var frame: UInt32
    }

    /// What one process has of one site.
    private struct Share {
        var key: Key
        var process: Int
        /// In `Recording.counters`.
        var rows: [Int]
        var opinion: SiteOpinion
        var blame: Place
        var caller: Place?
        /// The stack to show; 0: the one that holds most.
        var stack: UInt32 = 0
        /// Whose samples draw the sparkline; where there are none, `history` does.
        var groups: [UInt32] = []
        var history: SiteHistory?
        var spreadOver = 0
    }

    /// All sites with a live or cumulative byte or block, in no particular order.
    func sites(_ sites: CallSites) -> [ReportSite] {
        let search = CallerSearch(recording, names, judge, CallerSearch.Budget())
        var shares: [Share] = []
        var start = 0
        while start < sites.parts.count {
            let process = sites.parts[start].process
            var end = start
            while end < sites.parts.count, sites.parts[end].process == process { end += 1 }
            shares += self.shares(of: start..<end, sites, process: process, search)
            start = end
        }
        var result: [ReportSite] = []
        var indexes: [Key: Int] = [:]
        var members: [[Share]] = []
        for share in shares where !share.rows.isEmpty {
            let index = indexes[share.key] ?? members.count
            if index == members.count {
                indexes[share.key] = index
                members.append([])
            }
            members[index].append(share)
        }
        for group in members {
            var item = ReportSite(blame: frame(group[0].blame))
            item.index = result.count
            addUp(group.flatMap(\.rows), into: &item)
            guard item.allocatedBytes > 0 || item.allocatedCount > 0 else { continue }
            apply(group, to: &item)
            result.append(item)
        }
        return result
    }

    // MARK: Who owns which stack

    private func shares(
        of parts: Range<Int>,
        _ sites: CallSites,
        process: Int,
        _ search: CallerSearch
    ) -> [Share] {
        let clock = clocks[process]
        var result: [Share] = []
        /// Members of each part that belong to no growing caller, and the share they make.
        var left: [(part: Int, share: Int, members: [Int])] = []
        for index in parts {
            let part = sites.parts[index]
            var whole = Share(
                key: .site(part.site),
                process: process,
                rows: part.stacks.map(\.row),
                opinion: .tooFewSnapshots(clock.count),
                blame: Place(row: names.siteRows[part.site], frame: names.siteFrames[part.site])
            )
            whole.groups = part.groups
            let verdict =
                clock.count >= SiteOpinion.leastSnapshots && !part.histories.isEmpty
                ? judge.verdict(of: part.histories, clock: clock) : nil
            let groups = verdict.map { search.groups(of: part, verdict: $0, clock: clock) } ?? []
            if groups.isEmpty {
                whole.opinion = opinion(verdict, part.histories, whole.rows, clock)
                left.append((index, result.count, Array(part.stacks.indices)))
                result.append(whole)
                continue
            }
            for group in groups { result.append(share(of: group, part, whole, clock)) }
            let taken = Set(groups.flatMap(\.members))
            let rest = part.stacks.indices.filter { !taken.contains($0) }
            guard !rest.isEmpty else { continue }
            let histories = rest.compactMap { part.stacks[$0].history }
            whole.rows = rest.map { part.stacks[$0].row }
            whole.groups = []
            let restVerdict = judge.verdict(of: histories, clock: clock)
            whole.opinion = opinion(restVerdict, histories, whole.rows, clock)
            whole.history = SiteJudge.sum(histories.lazy.compactMap(judge.history))
            left.append((index, result.count, rest))
            result.append(whole)
        }
        addThin(left, sites, clock, process, &result)
        return result
    }

    private func share(
        of group: CallerSearch.Group,
        _ part: CallSites.Part,
        _ whole: Share,
        _ clock: ProcessClock
    ) -> Share {
        var share = whole
        share.key = .caller(
            of: part.site,
            function: names.functionKey(ofRow: group.caller.row, frame: group.caller.frame, in: recording),
            line: names.rows[group.caller.row].line
        )
        share.rows = group.members.map { part.stacks[$0].row }
        share.opinion = SiteJudge.opinion(group.verdict, clock: clock)
        share.caller = Place(row: group.caller.row, frame: group.caller.frame)
        share.stack = group.stack
        share.groups = []
        share.history = group.history
        return share
    }

    /// What too many sites have too little of each.
    private func addThin(
        _ left: [(part: Int, share: Int, members: [Int])],
        _ sites: CallSites,
        _ clock: ProcessClock,
        _ process: Int,
        _ result: inout [Share]
    ) {
        let thin = left.filter { item in
            let opinion = result[item.share].opinion
            guard opinion.isGrowing else { return opinion.isUndecided }
            return opinion.confidence != "high" && opinion.reason != "doubling"
                && survivors(of: item.members.map { sites.parts[item.part].stacks[$0] }) < ThinSites.fewSurvivors
        }
        guard
            let found = ThinSites.find(thin.map { ($0.part, $0.members) }, sites, recording, names, judge, clock)
        else { return }
        var share = Share(
            key: .spread(
                function: names.functionKey(ofRow: found.blame.row, frame: found.blame.frame, in: recording)
            ),
            process: process,
            rows: found.members.map { sites.parts[$0.part].stacks[$0.member].row },
            opinion: SiteJudge.opinion(found.verdict, clock: clock),
            blame: Place(row: found.blame.row, frame: found.blame.frame)
        )
        share.stack = found.stack
        share.history = found.history
        share.spreadOver = found.siteCount
        let taken = Set(share.rows)
        for item in thin {
            let before = result[item.share].rows.count
            result[item.share].rows.removeAll { taken.contains($0) }
            guard result[item.share].opinion.isGrowing, result[item.share].rows.count < before else { continue }
            let inUse = result[item.share].rows.reduce(0) { $0 &+ recording.counters[$1].inUseCount }
            result[item.share].opinion = .young(inUseCount: inUse, snapshots: clock.count)
        }
        result.append(share)
    }

    private func survivors(of stacks: [CallSites.StackPart]) -> UInt64 {
        stacks.reduce(0) { $0 + ($1.history.flatMap(judge.history).map { judge.survivors($0).count } ?? 0) }
    }

    private func opinion(
        _ verdict: GrowthVerdict?,
        _ histories: [Range<Int>],
        _ rows: [Int],
        _ clock: ProcessClock
    ) -> SiteOpinion {
        guard clock.count >= SiteOpinion.leastSnapshots else { return .tooFewSnapshots(clock.count) }
        if let verdict { return SiteJudge.opinion(verdict, clock: clock) }
        guard histories.isEmpty else {
            return SiteOpinion(reason: "damaged", evidence: "its history cannot be read")
        }
        let inUse = rows.reduce(0) { $0 &+ recording.counters[$1].inUseCount }
        return .young(inUseCount: inUse, snapshots: clock.count)
    }

    // MARK: One site over all processes

    private func addUp(_ rows: [Int], into site: inout ReportSite) {
        var heaviest = (inUse: UInt64(0), allocated: UInt64(0))
        var stacks = Set<UInt32>()
        for index in rows {
            let row = recording.counters[index]
            site.inUseBytes &+= row.inUseBytes
            site.inUseCount &+= row.inUseCount
            site.allocatedBytes &+= row.allocatedBytes
            site.allocatedCount &+= row.allocatedCount
            site.peakBytes &+= row.peakBytes
            site.peakCount &+= row.peakCount
            site.temporaryCount &+= row.temporaryCount
            stacks.insert(row.stack)
            if site.stack == 0 || (row.inUseBytes, row.allocatedBytes) > heaviest {
                site.stack = row.stack
                heaviest = (row.inUseBytes, row.allocatedBytes)
            }
        }
        site.stackCount = stacks.count
    }

    /// Growing in any process is growing; the rates of processes that live at the same time add up.
    private func apply(_ shares: [Share], to site: inout ReportSite) {
        guard var leading = shares.first else { return }
        func inUse(_ share: Share) -> UInt64 { share.rows.reduce(0) { $0 &+ recording.counters[$1].inUseBytes } }
        for other in shares.dropFirst() {
            let isWeightier =
                other.opinion.isGrowing || leading.opinion.isGrowing
                ? other.opinion.isWeightier(than: leading.opinion) : inUse(other) > inUse(leading)
            if isWeightier { leading = other }
        }
        let opinion = leading.opinion
        site.verdict = opinion.verdict
        site.isGrowing = opinion.isGrowing
        site.confidence = opinion.confidence
        site.reason = opinion.reason
        site.evidence = opinion.evidence
        site.spreadOver = leading.spreadOver
        site.lastInUseBytes = shares.reduce(0) { $0 &+ UInt64(min(max(0, $1.opinion.live), 1e18)) }
        site.isAcquitted =
            !opinion.isGrowing && site.inUseBytes > 0
            && ["plateauing", "step", "sawtooth"].contains(opinion.verdict)
        let growing = shares.filter { $0.opinion.isGrowing }
        if growing.count > 1 { site.evidence += "; in \(growing.count) processes" }
        if let rate = rate(of: growing) {
            site.rate = rate
            site.weight = max(rate.low, 0.05 * rate.value) * (opinion.confidence == "low" ? 0.3 : 1)
        }
        site.caller = leading.caller.map(frame)
        if leading.stack != 0 { site.stack = leading.stack }
        site.series = sparkline(leading)
    }

    private func frame(_ place: Place) -> ReportFrame {
        names.frame(ofRow: place.row, frame: place.frame, in: recording)
    }

    private func sparkline(_ share: Share) -> [UInt64] {
        let columns = 24
        if let history = share.history, share.groups.isEmpty {
            let series = judge.series(history, clocks[share.process])
            let values = [series.baseline] + series.troughs
            let count = min(columns, values.count)
            return (0..<count).map { UInt64(max(0, values[$0 * (values.count - 1) / max(1, count - 1)])) }
        }
        return Sparkline.columns(
            share.groups.compactMap { samples.rows(process: recording.processes[share.process].id, key: $0) },
            snapshots: clocks[share.process].count,
            columns: columns
        )
    }

    /// The fastest sum of rates at any time: a worker that was replaced by another does not count twice.
    private func rate(of growing: [Share]) -> ReportRate? {
        guard !growing.isEmpty else { return nil }
        let isTimed = growing.allSatisfy { clocks[$0.process].period > 0 }
        var best = ReportRate(value: -.infinity, low: 0, high: 0, unit: isTimed ? "bytes/second" : "bytes/interval")
        for one in growing {
            let start = recording.processes[one.process].startNs
            var value = 0.0
            var variance = 0.0
            for other in growing {
                let process = recording.processes[other.process]
                guard process.startNs <= start, process.endNs ?? .max > start || other.process == one.process
                else { continue }
                let period = isTimed ? clocks[other.process].period : 1
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
