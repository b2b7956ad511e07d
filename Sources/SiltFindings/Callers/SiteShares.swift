internal import SiltEvents
internal import SiltGrowth
internal import SiltHeap
internal import SiltRecording

/// What one process has of one site, or in a hunt all of them.
struct SiteShare {
    /// Shares of one key are one site.
    enum Key: Hashable {
        case site(Int)
        case caller(of: Int, function: UInt64, line: UInt32)
        case inside(of: Int, functions: UInt64)
        case spread(function: UInt64)
    }

    typealias Place = FrameNames.Place

    var key: Key
    var resource: Resource
    /// In `HuntPhases.phases`: the phase of a hunt it is charged with; nil: of none, or the trace ran freely.
    var phase: Int?
    /// In `Recording.processes`: the first of those that have rows.
    var process: Int
    /// In `Recording.counters`.
    var rows: [Int]
    var opinion: SiteOpinion
    var blame: Place
    var caller: Place?
    /// The stack to show; none: the one that holds most.
    var stack = StackID.none
    /// Whose samples draw the sparkline; where there are none, `history` does.
    var groups: [FrameID] = []
    var history: SiteHistory?
    var spreadOver = 0
    /// When the workers lived whose share it is; nil: it is of one process, or of a hunt.
    var span: ClosedRange<UInt64>?
    /// In a hunt: whose share it is, and whose parts of work its history is by.
    var workers: HuntWorkers?
    /// Of its stacks those whose blocks made the verdict; 0: not counted.
    var grownStacks = 0

    /// What shares of several processes have in common to be one site.
    struct Identity: Hashable {
        var key: Key
        var phase: Int?
        var resource: Resource
        /// What profiles say and what events say does not add up.
        var isProfiled: Bool
    }

    func identity(in recording: Recording) -> Identity {
        Identity(
            key: key,
            phase: phase,
            resource: resource,
            isProfiled: recording.processes[process].isProfiled
        )
    }
}

/// Decides which stacks of a process make a site, for one question to the judge.
///
/// Each stack belongs to one share. `CallerSearch` finds callers of the blamed function that grow, or what grows of the
/// functions that it calls to allocate. `ThinSites` finds functions that a thin leak is spread below. All other stacks
/// belong to their blamed function and line.
struct SiteShares {
    let recording: Recording
    let names: FrameNames
    let sites: CallSites
    let judge: SiteJudge
    let ways: CallerWays
    let budget: CallerSearch.Budget

    /// Of the parts of one resource of one process.
    func shares(of parts: Range<Int>, process: Int, clock: ProcessClock) -> [SiteShare] {
        let search = CallerSearch(ways, judge, budget)
        var result: [SiteShare] = []
        /// Members of each part that belong to no growing caller, and the share they make.
        var left: [(part: Int, share: Int, members: [Int])] = []
        for index in parts {
            let part = sites.parts[index]
            var whole = SiteShare(
                key: .site(part.site),
                resource: part.resource,
                process: process,
                rows: part.stacks.map(\.row),
                opinion: .unknown(.tooFewSnapshots(clock.count)),
                blame: SiteShare.Place(row: names.siteRows[part.site], frame: names.siteFrames[part.site])
            )
            let whatIsWhole = Set(part.groups)
            // Samples are of whole groups: where some stacks are of others, the history draws the sparkline.
            let isOfGroups = part.stacks.allSatisfy {
                let group = recording.counters[$0.row].group
                return group == .none || whatIsWhole.contains(group)
            }
            whole.groups = isOfGroups ? part.groups : []
            let verdict =
                judge.isReady(clock) && !part.histories.isEmpty
                ? judge.verdict(of: part.histories, clock: clock) : nil
            let answer = verdict.map { search.answer(of: part, verdict: $0, clock: clock) } ?? CallerSearch.Answer()
            let groups = answer.groups
            if groups.isEmpty {
                whole.opinion = opinion(verdict, part.histories, whole.rows, clock)
                if whole.opinion.isGrowing, let grown = answer.grown {
                    (whole.stack, whole.grownStacks) = grown
                }
                if whole.opinion.isGrowing || !isOfGroups {
                    whole.history = SiteJudge.sum(part.histories.lazy.compactMap(judge.history))
                }
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
        addThin(left, clock, process, &result)
        return result
    }

    private func share(
        of group: CallerSearch.Group,
        _ part: CallSites.Part,
        _ whole: SiteShare,
        _ clock: ProcessClock
    ) -> SiteShare {
        var share = whole
        switch group.way {
        case .caller(let row, let frame):
            share.key = .caller(
                of: part.site,
                function: names.functionKey(ofRow: row, frame: frame, in: recording),
                line: names.rows[row].line
            )
            share.caller = SiteShare.Place(row: row, frame: frame)
        case .inside(let functions):
            share.key = .inside(of: part.site, functions: functions)
        }
        share.rows = group.members.map { part.stacks[$0].row }
        share.opinion = judge.opinion(group.verdict, clock: clock)
        share.stack = group.stack
        share.grownStacks = group.grownStacks
        share.groups = []
        share.history = group.history
        return share
    }

    /// What too many sites have too little of each.
    private func addThin(
        _ left: [(part: Int, share: Int, members: [Int])],
        _ clock: ProcessClock,
        _ process: Int,
        _ result: inout [SiteShare]
    ) {
        let thin = left.filter { item in
            let opinion = result[item.share].opinion
            guard opinion.isGrowing else { return opinion.isUndecided }
            return !opinion.hasClearPattern && opinion.evidence.reason != .pattern(.doubling)
                && survivors(of: item.members.map { sites.parts[item.part].stacks[$0] }) < ThinSites.fewSurvivors
        }
        guard
            let found = ThinSites.find(thin.map { ($0.part, $0.members) }, sites, recording, names, judge, clock)
        else { return }
        var share = SiteShare(
            key: .spread(
                function: names.functionKey(ofRow: found.blame.row, frame: found.blame.frame, in: recording)
            ),
            resource: sites.parts[found.members[0].part].resource,
            process: process,
            rows: found.members.map { sites.parts[$0.part].stacks[$0.member].row },
            opinion: judge.opinion(found.verdict, clock: clock),
            blame: SiteShare.Place(row: found.blame.row, frame: found.blame.frame)
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
            result[item.share].opinion = .young(inUseCount: inUse, snapshots: clock.periods)
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
        guard judge.isReady(clock) else { return .unknown(.tooFewSnapshots(clock.count)) }
        if let verdict { return judge.opinion(verdict, clock: clock) }
        guard histories.isEmpty else { return .unknown(.damaged) }
        let inUse = rows.reduce(0) { $0 &+ recording.counters[$1].inUseCount }
        return .young(inUseCount: inUse, snapshots: clock.periods)
    }
}
