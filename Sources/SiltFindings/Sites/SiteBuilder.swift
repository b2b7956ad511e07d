internal import SiltEvents
internal import SiltGrowth
internal import SiltHeap
internal import SiltRecording
internal import SiltSymbols
internal import SiltText

/// Makes the report's sites out of the stacks' counters: names, verdicts over all processes, rates, sparklines.
///
/// Which stacks make a site is decided for each process (`SiteShares`, and over all of them for each phase of a hunt, `HuntShares`).
struct SiteBuilder {
    private let recording: Recording
    private let names: FrameNames
    private let clocks: [ProcessClock]
    private let judge: SiteJudge
    private let samples: SampleIndex
    private let threadStacks: ThreadStacks
    /// Of a trace that ran freely.
    private let turns: [WorkerTurns]
    private let ways: CallerWays
    private let budget = CallerSearch.Budget()
    private let hunt: HuntPhases?
    /// Workers that replace each other in a hunt.
    private let workers: [HuntWorkers]

    init(
        _ recording: Recording,
        names: FrameNames,
        clocks: [ProcessClock],
        turns: [WorkerTurns],
        hunt: HuntPhases?,
        workers: [HuntWorkers]
    ) {
        self.hunt = hunt
        self.workers = workers
        self.turns = turns
        self.recording = recording
        self.names = names
        self.clocks = clocks
        judge = SiteJudge(recording)
        samples = SampleIndex(recording.groupSamples)
        threadStacks = ThreadStacks(recording)
        ways = CallerWays(recording: recording, names: names)
    }

    /// All sites with a live or cumulative byte or block, in no particular order.
    func sites(_ sites: CallSites) -> [ReportSite] {
        var shares: [SiteShare] = []
        if let hunt {
            shares = sharesOfHunt(sites, hunt)
        } else {
            shares = sharesByProcess(sites)
        }
        var result: [ReportSite] = []
        var indexes: [SiteShare.Identity: Int] = [:]
        var members: [[SiteShare]] = []
        var places: [SiteShare.Identity: Int] = [:]
        let touched = TouchedMappings(recording)
        let histories = sites.histories(of: Set(shares.lazy.filter { $0.opinion.isGrowing }.flatMap(\.rows)))
        let inTurn = CallersInTurn(histories, judge: judge, clocks: clocks, hunt: hunt)
        let loaded = LoadedCode(recording, names, judge, clocks, growing: shares, histories: histories)
        for index in shares.indices where !shares[index].rows.isEmpty && shares[index].opinion.isGrowing {
            if shares[index].resource == .mapping { shares[index].opinion = touched.checked(shares[index].opinion) }
            shares[index].opinion = inTurn.checked(shares[index])
            if hunt == nil { shares[index].opinion = loaded.checked(shares[index]) }
        }
        shares = loaded.withCompany(shares)
        let caches = InterpreterCaches(recording, names, shares: shares)
        for var share in shares where !share.rows.isEmpty {
            if share.opinion.isGrowing {
                if !isOfReplaced(share.process) { share.opinion = caches.checked(share) }
                if mayBeUnfilled(share, caches) { share.opinion = share.opinion.leftOpen() }
            }
            let identity = share.identity(in: recording)
            let index = indexes[identity] ?? members.count
            if index == members.count {
                indexes[identity] = index
                members.append([])
            }
            members[index].append(share)
        }
        let flow = hunt.map { HuntFlow(recording, names, $0) }
        let programs = Set(recording.processes.map(\.executable))
        for group in members {
            var item = ReportSite(blame: frame(group[0].blame))
            item.index = result.count
            item.resource = group[0].resource
            addUp(group.flatMap(\.rows), into: &item)
            guard item.allocatedBytes > 0 || item.allocatedCount > 0 else { continue }
            apply(group, to: &item)
            var identity = group[0].identity(in: recording)
            identity.phase = nil
            item.place = places[identity] ?? places.count
            places[identity] = item.place
            if item.isGrowing {
                item.stacks = stacks(group.flatMap(\.rows))
                item.way = ways.common(to: item.stack, caller: leader(of: group)?.caller)
                item.births = births(group)
                item.pair = pair(of: item, programs)
                if item.caller == nil { item.origin = ways.origin(of: item.stacks, blame: group[0].blame) }
            }
            item.isLibrary = names.rows[group[0].blame.row].kind < .unnamed
            item.isOfThreadStart =
                item.isGrowing && item.isLibrary && names.isThreadStart(stack: item.stack, in: recording)
            if let hunt, let phase = group[0].phase {
                item.phase = hunt.phases[phase].name
                item.isConclusive = !hunt.phases[phase].isInconclusive
                let outcome = flow?.outcome(of: group)
                item.leakFraction = outcome?.liveShare
                item.freedBy = outcome?.freedBy
                item.phaseSeries = series(group, hunt)
                item.rounds = group.max { $1.opinion.isWeightier(than: $0.opinion) }?.opinion.rounds
            }
            result.append(item)
        }
        tellModulesApart(&result)
        return result
    }

    /// What a service whose workers replace each other allocates through an interpreter's loop may be in one of its caches,
    /// which is not full when a worker ends, nor where little is done: CPython's of attributes has 4,096 entries.
    private func mayBeUnfilled(_ share: SiteShare, _ caches: InterpreterCaches) -> Bool {
        guard share.resource == .heap, share.opinion.isGrowing, isOfReplaced(share.process),
            let facts = share.opinion.evidence.verdict?.facts,
            facts.survivors < ObjectKeeper.python.blocks * Double(share.workers?.count.count ?? 1)
        else { return false }
        return caches.isOfScript(share)
    }

    /// Whether the process is of a program whose workers are judged as one.
    private func isOfReplaced(_ process: Int) -> Bool {
        workers.contains { recording.processes[$0.leader].executable == recording.processes[process].executable }
    }

    /// Places of one name in several modules say which they are in.
    private func tellModulesApart(_ sites: inout [ReportSite]) {
        func name(_ frame: ReportFrame) -> String { "\(frame.function)\n\(frame.file ?? "")\n\(frame.line ?? 0)" }
        var modules: [String: Set<String>] = [:]
        for frame in sites.flatMap({ [$0.blame, $0.fix] }) where frame.file != nil {
            modules[name(frame), default: []].insert(frame.module)
        }
        let ambiguous = Set(modules.lazy.filter { $0.value.count > 1 }.map(\.key))
        guard !ambiguous.isEmpty else { return }
        func isAmbiguous(_ frame: ReportFrame) -> Bool { ambiguous.contains(name(frame)) }
        for index in sites.indices {
            var site = sites[index]
            let (blame, caller, origin) = (site.blame, site.caller, site.origin)
            site.blame.tellsModule = isAmbiguous(blame)
            if let caller { site.caller?.tellsModule = isAmbiguous(caller) }
            if let origin { site.origin?.tellsModule = isAmbiguous(origin) }
            sites[index] = site
        }
    }

    private func sharesOfHunt(_ sites: CallSites, _ hunt: HuntPhases) -> [SiteShare] {
        let services = Dictionary(grouping: workers, by: \.members)
        let replaced = services.keys.reduce(into: Set<Int>()) { $0.formUnion($1) }
        func shares(_ joined: CallSites, _ workers: [HuntWorkers] = []) -> [SiteShare] {
            HuntShares(
                recording: recording,
                names: names,
                sites: joined,
                judge: judge,
                ways: ways,
                budget: budget,
                hunt: hunt,
                workers: Dictionary(workers.map { ($0.phase, $0) }) { first, _ in first },
                separate: workers.isEmpty ? nil : sites
            ).shares(clocks: clocks)
        }
        return HuntShares.groups(of: sites, recording, hunt, besides: replaced).flatMap { shares($0) }
            + services.sorted { $0.value[0].leader < $1.value[0].leader }.flatMap { members, workers in
                Resource.allCases.flatMap { shares(sites.joined($0, members.contains), workers) }
            }
    }

    private func sharesByProcess(_ sites: CallSites) -> [SiteShare] {
        let replaced = turns.filter(\.canBeJudged).reduce(into: Set<Int>()) { $0.formUnion($1.members) }
        let short = turns.filter(\.areTooShort).reduce(into: Set<Int>()) { $0.formUnion($1.members) }
        var shares = turns.filter(\.canBeJudged).flatMap { turns in
            Resource.allCases.flatMap { sharesOfWorkers(sites, $0, turns) }
        }
        var start = 0
        while start < sites.parts.count {
            let process = sites.parts[start].process
            var end = start
            while end < sites.parts.count, sites.parts[end].process == process,
                sites.parts[end].resource == sites.parts[start].resource
            {
                end += 1
            }
            if !replaced.contains(process) {
                let clock = short.contains(process) ? clocks[process].tooShort : clocks[process]
                let limit = recording.descriptorLimits[recording.processes[process].id]
                shares += siteShares(sites).shares(
                    of: start..<end,
                    process: process,
                    clock: sites.parts[start].resource == .descriptor ? clock.heeding(limit) : clock
                )
            }
            start = end
        }
        return shares
    }

    /// Workers that replace each other are judged as one.
    private func sharesOfWorkers(
        _ sites: CallSites,
        _ resource: Resource,
        _ turns: WorkerTurns
    ) -> [SiteShare] {
        let joined = sites.joined(resource, turns.members.contains, judging: turns.judged.contains)
        return siteShares(joined).shares(of: joined.parts.indices, process: turns.leader, clock: turns.clock)
            .map { share in
                var share = share
                share.opinion = turns.share(share.opinion)
                share.span = turns.span
                return share
            }
    }

    private func siteShares(_ sites: CallSites) -> SiteShares {
        SiteShares(recording: recording, names: names, sites: sites, judge: judge, ways: ways, budget: budget)
    }

    // MARK: One site over all processes

    private func addUp(_ rows: [Int], into site: inout ReportSite) {
        var heaviest = (inUse: UInt64(0), allocated: UInt64(0))
        var mostTemporary: UInt64 = 0
        // A process has a row a stack.
        var isOfOne = true
        for index in rows {
            let row = recording.counters[index]
            site.inUseBytes &+= row.inUseBytes
            site.inUseCount &+= row.inUseCount
            site.allocatedBytes &+= row.allocatedBytes
            site.allocatedCount &+= row.allocatedCount
            site.peakBytes &+= row.peakBytes
            site.peakCount &+= row.peakCount
            site.temporaryCount &+= row.temporaryCount
            let moves = recording.moves(of: row)
            site.movedCount &+= moves?.count ?? 0
            site.movedBytes &+= moves?.bytes ?? 0
            let temporary = row.temporaryCount &+ (moves?.count ?? 0)
            if temporary > mostTemporary { (site.temporaryStack, mostTemporary) = (row.stack, temporary) }
            isOfOne = isOfOne && row.process == recording.counters[rows[0]].process
            if site.stack == .none || (row.inUseBytes, row.allocatedBytes) > heaviest {
                site.stack = row.stack
                heaviest = (row.inUseBytes, row.allocatedBytes)
            }
        }
        site.stackCount = isOfOne ? rows.count : Set(rows.lazy.map { recording.counters[$0].stack }).count
    }

    /// By the heaviest of its stacks that tells: a line may fill what it opened, as `popen` and `fread`.
    ///
    /// What a stack has given back tells nothing, where another one has not.
    private func pair(of site: ReportSite, _ programs: Set<String>) -> KnownPair? {
        let kept = site.stacks.prefix { $0.inUseBytes > 0 }
        let others = kept.isEmpty ? site.stacks[...] : kept
        let stacks = [site.stack] + others.prefix(Self.maximumPaired).map(\.stack)
        return stacks.lazy.compactMap { stack in
            KnownPairs.all.pair(ofStack: stack, site.resource, names: names, programs: programs, in: recording)
        }.first
    }

    private static let maximumPaired = 8

    private func stacks(_ rows: [Int]) -> [ReportSite.StackPart] {
        var result: [StackID: ReportSite.StackPart] = [:]
        for index in rows {
            let row = recording.counters[index]
            var part =
                result[row.stack] ?? ReportSite.StackPart(stack: row.stack, inUseBytes: 0, allocatedBytes: 0)
            part.inUseBytes &+= row.inUseBytes
            part.allocatedBytes &+= row.allocatedBytes
            result[row.stack] = part
        }
        return result.values.sorted {
            ($0.inUseBytes, $0.allocatedBytes, $1.stack) > ($1.inUseBytes, $1.allocatedBytes, $0.stack)
        }
    }

    /// The share whose verdict is that of the site.
    private func leader(of shares: [SiteShare]) -> SiteShare? {
        guard var leading = shares.first else { return nil }
        func inUse(_ share: SiteShare) -> UInt64 { share.rows.reduce(0) { $0 &+ recording.counters[$1].inUseBytes } }
        for other in shares.dropFirst() {
            let isWeightier =
                other.opinion.isGrowing || leading.opinion.isGrowing
                ? other.opinion.isWeightier(than: leading.opinion) : inUse(other) > inUse(leading)
            if isWeightier { leading = other }
        }
        return leading
    }

    /// Growing in any process is growing; the rates of processes that live at the same time add up.
    private func apply(_ shares: [SiteShare], to site: inout ReportSite) {
        guard let leading = leader(of: shares) else { return }
        let opinion = leading.opinion
        site.verdict = opinion.verdict
        site.confidence = opinion.confidence
        site.evidence = opinion.evidence
        site.spreadOver = leading.spreadOver
        site.lastInUseBytes = shares.reduce(0) { $0 &+ UInt64(min(max(0, $1.opinion.live), 1e18)) }
        site.isAcquitted =
            !opinion.isGrowing && site.inUseBytes > 0
            && [.plateauing, .step, .sawtooth].contains(opinion.verdict) && !opinion.evidence.isOfStart
        let growing = shares.filter { $0.opinion.isGrowing }
        site.evidence.processes = processCount(of: growing)
        site.evidence.process = process(of: growing, leading)
        site.threadStackBytes = threadStacks.bytes(of: shares.flatMap(\.rows))
        if var rate = rate(of: growing, site.resource) {
            if site.threadStackBytes > 0, site.inUseBytes > 0 {
                rate.scale(by: 1 + Double(site.threadStackBytes) / Double(site.inUseBytes))
            }
            site.rate = rate
            // Phases are compared by what they cost a second of the hunt.
            site.weight =
                max(rate.low, Self.minimumShare * rate.value) * opinion.unitsPerSecond
                * (site.resource.isCounted ? Self.thingWeight : 1)
                * (opinion.confidence == .low ? Self.lowConfidenceWeight : 1)
        }
        site.caller = leading.caller.map(frame)
        if leading.stack != .none { site.stack = leading.stack }
        if growing.count <= 1 { site.grownStackCount = leading.grownStacks }
        site.series = sparkline(leading)
    }

    /// Sites are ranked by what can be counted on: the low end of the rate, but this share of it at least, so that one that
    /// is hardly known still has a place, and less where the verdict is unsure.
    private static let (minimumShare, lowConfidenceWeight) = (0.05, 0.3)
    /// Bytes that a thing without a size is ranked as, a page: programs may have few of them, as a thousand descriptors.
    private static let thingWeight = 4096.0
    /// Columns of a sparkline in a terminal.
    private static let sparklineColumns = 24

    /// How many processes have blocks of those shares; a share of a hunt is one of several.
    private func processCount(of shares: [SiteShare]) -> Int {
        guard hunt != nil else { return Set(shares.map(\.process)).count }
        let rows = shares.flatMap(\.rows).map { recording.counters[$0] }
        return Set(rows.lazy.filter { $0.inUseCount > 0 }.map(\.process)).count
    }

    /// The one process that it grows in, or of a free run the one that grows most, where several were traced; nil of workers
    /// that are judged as one.
    private func process(of growing: [SiteShare], _ leading: SiteShare) -> Evidence.Process? {
        let traced = recording.processes.lazy.filter { !$0.isProfiled }
        guard leading.opinion.isGrowing, Set(traced.map(\.pid)).count > 1,
            growing.allSatisfy({ $0.span == nil && $0.workers == nil })
        else { return nil }
        var place: Int? = leading.process
        if hunt != nil {
            let rows = growing.lazy.flatMap(\.rows).map { recording.counters[$0] }
            let holders = Set(rows.filter { $0.inUseCount > 0 }.map(\.process))
            place = holders.count == 1 ? holders.first.flatMap(recording.processIndex) : nil
        }
        guard let process = place.map({ recording.processes[$0] }), !process.isProfiled, process.pid > 0 else {
            return nil
        }
        let names = Set(traced.map(\.programName))
        return Evidence.Process(pid: process.pid, name: names.count > 1 ? process.programName : nil)
    }

    /// All processes together, where they have one clock.
    private func births(_ shares: [SiteShare]) -> [Double] {
        let growing = shares.filter { $0.opinion.isGrowing }
        guard growing.count == 1 || hunt != nil, let history = SiteJudge.sum(growing.lazy.compactMap(\.history)) else {
            return []
        }
        var asked = judge
        if let hunt, let phase = growing.first?.phase {
            asked.question = .phase(hunt.phases[phase], of: hunt)
            if let workers = growing[0].workers { asked.question = .workers(workers, hunt.phases[phase]) }
        }
        return asked.births(history, clocks[growing[0].process])
    }

    private func frame(_ place: SiteShare.Place) -> ReportFrame {
        names.frame(ofRow: place.row, frame: place.frame, in: recording)
    }

    private func sparkline(_ share: SiteShare) -> [UInt64] {
        let columns = Self.sparklineColumns
        if let workers = share.workers {
            return share.history.flatMap(workers.series)?.live.map { UInt64(max(0, $0)) } ?? []
        }
        if let history = share.history, share.groups.isEmpty {
            let values = judge.live(history, clocks[share.process])
            let count = min(columns, values.count)
            return (0..<count).map { UInt64(max(0, values[$0 * (values.count - 1) / max(1, count - 1)])) }
        }
        return SampleIndex.troughs(
            share.groups.compactMap {
                samples.rows(share.resource, process: recording.processes[share.process].id, group: $0)
            },
            of: clocks[share.process],
            columns: columns
        )
    }

    /// Live bytes at the end of each round, phase by phase.
    private func series(_ shares: [SiteShare], _ hunt: HuntPhases) -> [ReportSite.PhaseSeries] {
        guard shares.allSatisfy({ $0.workers == nil }), let history = SiteJudge.sum(shares.lazy.compactMap(\.history))
        else { return [] }
        let live = hunt.series(history).live
        return hunt.spans.map { span in
            ReportSite.PhaseSeries(name: span.name, values: span.positions.map { UInt64(max(0, live[$0 + 1])) })
        }
    }

    /// The fastest sum of rates at any time: a worker that was replaced by another does not count twice.
    private func rate(of growing: [SiteShare], _ resource: Resource) -> Rate? {
        guard !growing.isEmpty else { return nil }
        let isTimed = growing.allSatisfy { clocks[$0.process].period > 0 }
        let per = growing[0].opinion.per == .interval && isTimed ? .second : growing[0].opinion.per
        let unit = Rate.Unit(.init(of: resource), per: per)
        var best = Rate(value: -.infinity, low: 0, high: 0, unit: unit)
        for one in growing {
            let start = one.span?.lowerBound ?? recording.processes[one.process].startNs
            var value = 0.0
            var variance = 0.0
            for other in growing {
                let process = recording.processes[other.process]
                let began = other.span?.lowerBound ?? process.startNs
                let ended = other.span?.upperBound ?? process.endNs ?? .max
                guard began <= start, ended > start || other.process == one.process
                else { continue }
                let period = other.opinion.per == .interval && isTimed ? clocks[other.process].period : 1
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

extension RecordedProcess {
    /// As it was started, without folders.
    fileprivate var programName: String? {
        let name = (command.first ?? executable).lastPathComponent
        return name.isEmpty ? nil : String(name)
    }
}
