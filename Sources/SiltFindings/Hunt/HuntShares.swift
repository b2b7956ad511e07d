internal import SiltEvents
internal import SiltHeap
internal import SiltRecording

/// Asks of each phase of a hunt which sites of the service grow in it: of all its processes together.
///
/// A site that grows in several phases has a share for each; what grows in none has one, with the verdict of the phase in
/// which it gained most.
struct HuntShares {
    let recording: Recording
    let names: FrameNames
    let sites: CallSites
    let judge: SiteJudge
    let ways: CallerWays
    let budget: CallerSearch.Budget
    let hunt: HuntPhases
    /// By phase, of processes that replace each other; none: it is asked of other processes.
    var workers: [Int: HuntWorkers] = [:]
    /// What they have, process by process.
    var separate: CallSites?

    /// What is judged together, of each resource: the processes that lived to the end of the hunt, and each of those that did not.
    ///
    /// `replaced`: workers that are judged by themselves.
    static func groups(
        of sites: CallSites,
        _ recording: Recording,
        _ hunt: HuntPhases,
        besides replaced: Set<Int>
    ) -> [CallSites] {
        Resource.allCases.flatMap { resource in
            let parts = sites.parts.lazy.filter { $0.resource == resource && !replaced.contains($0.process) }
            let present = Set(parts.map(\.process))
            let living = present.filter { lives(recording.processes[$0], hunt) }
            let sources = [false, true].map { isProfiled in
                living.filter { recording.processes[$0].isProfiled == isProfiled }
            }
            let alone = present.subtracting(living)
            return sources.filter { !$0.isEmpty }.map { sites.joined(resource, $0.contains) }
                + sites.apart(resource, alone.contains)
        }
    }

    private static func lives(_ process: RecordedProcess, _ hunt: HuntPhases) -> Bool {
        (process.endNs ?? .max) >= hunt.endNs
    }

    func shares(clocks: [ProcessClock]) -> [SiteShare] {
        guard let process = sites.parts.first?.process else { return [] }
        let (sites, kept) = separated(sites)
        let parts = sites.parts.indices
        let clock = clocks[process]
        var charged: [SiteShare] = []
        var acquitted: [SiteShare.Key: SiteOpinion] = [:]
        let lives = !workers.isEmpty || Self.lives(recording.processes[process], hunt)
        for (index, phase) in hunt.phases.enumerated() where lives {
            var asked = judge
            var judged = sites
            let replaced = workers[index]
            asked.question = replaced.map { .workers($0, phase) } ?? .phase(phase, of: hunt)
            if let separate, let members = workers.values.first?.members, let resource = sites.parts.first?.resource {
                let joined = separate.joined(resource, members.contains) {
                    replaced?.judged.contains($0) ?? Self.lives(recording.processes[$0], hunt)
                }
                judged = separated(joined).judged
            }
            let shares = SiteShares(
                recording: recording,
                names: names,
                sites: judged,
                judge: asked,
                ways: ways,
                budget: budget
            ).shares(of: judged.parts.indices, process: process, clock: clock)
            for var share in shares {
                if share.opinion.isGrowing {
                    share.phase = index
                    share.history = share.history ?? history(of: share, judged, asked)
                    share.workers = replaced
                    charged.append(share)
                } else if acquitted[share.key].map({ share.opinion.isWeightier(acquittal: $0) }) ?? true {
                    acquitted[share.key] = share.opinion
                }
            }
        }
        let taken = Set(charged.flatMap(\.rows))
        return charged
            + parts.map { index in
                let part = sites.parts[index]
                let key = SiteShare.Key.site(part.site)
                var share = whole(
                    part,
                    opinion: acquitted[key] ?? .unknown(lives ? .nothingAfterARound : .processEnded)
                )
                share.rows.removeAll { taken.contains($0) }
                return share
            } + kept.parts.map { whole($0, opinion: .keptByRuntime) }
    }

    /// What is judged, and what Go's runtime keeps for itself.
    ///
    /// That rises with how many goroutines there are at once, now and then and by chance, whatever the requests do;
    /// goroutines that stay are in their own profile.
    ///
    /// Nor is what it maps judged beside its own profile: that is the heap in which lies what the profile is of.
    private func separated(_ sites: CallSites) -> (judged: CallSites, kept: CallSites) {
        guard let first = sites.parts.first else { return sites.separated { _ in false } }
        let isOfProfiles = recording.processes[first.process].isProfiled
        switch first.resource {
        case .heap where isOfProfiles:
            return sites.separated { names.isKeptByRuntime(stack: $0.stack, in: recording) }
        case .mapping where !isOfProfiles && recording.processes.contains(where: \.isProfiled):
            return sites.separated { names.isMappedByGo(stack: $0.stack, in: recording) }
        default: return sites.separated { _ in false }
        }
    }

    private func whole(_ part: CallSites.Part, opinion: SiteOpinion) -> SiteShare {
        SiteShare(
            key: .site(part.site),
            resource: part.resource,
            process: part.process,
            rows: part.stacks.map(\.row),
            opinion: opinion,
            blame: SiteShare.Place(row: names.siteRows[part.site], frame: names.siteFrames[part.site]),
            groups: part.groups
        )
    }

    private func history(of share: SiteShare, _ sites: CallSites, _ judge: SiteJudge) -> SiteHistory? {
        guard let part = sites.parts.first(where: { .site($0.site) == share.key }) else { return nil }
        return SiteJudge.sum(part.histories.lazy.compactMap(judge.history))
    }
}
