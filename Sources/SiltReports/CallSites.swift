internal import SiltRecording

/// The counters of a recording added up by call site, over all processes and for each.
struct CallSites {
    /// One call site in one process, with the histories its verdict rests on.
    struct Part {
        /// Index in `Recording.processes`.
        var process: Int
        var site: Int
        /// Groups whose stacks all belong to this site.
        var groups: [UInt32] = []
        /// Of those groups, in `Recording.historyBytes`; of single stacks where a group spans several sites.
        var histories: [Range<Int>] = []
        /// By stack.
        var stacks: [StackPart] = []
    }

    struct StackPart {
        var stack: UInt32
        /// In `Recording.counters`.
        var row: Int
        /// In `Recording.historyBytes`; nil: it never held a block for long.
        var history: Range<Int>?
    }

    /// By process.
    private(set) var parts: [Part] = []
    /// Allocated bytes, and those whose call site has a function name.
    private(set) var allocatedBytes: UInt64 = 0
    private(set) var namedBytes: UInt64 = 0

    init(_ recording: Recording, names: FrameNames) {
        var start = 0
        while start < recording.counters.count {
            let process = recording.counters[start].process
            var end = start
            while end < recording.counters.count, recording.counters[end].process == process { end += 1 }
            if let index = recording.processIndex(of: process) {
                add(recording.counters[start..<end], of: index, recording, names)
            }
            start = end
        }
    }

    private mutating func add(
        _ rows: ArraySlice<RecordedCounters>,
        of process: Int,
        _ recording: Recording,
        _ names: FrameNames
    ) {
        let id = recording.processes[process].id
        let groupHistories = Self.index(recording.groupHistories, process: id)
        let stackHistories = Self.index(recording.histories, process: id)
        /// Site of each group of this process; -1 when its stacks belong to several, because of what is hidden now.
        var siteOfGroup: [UInt32: Int] = [:]
        var partOfSite: [Int: Int] = [:]
        for (offset, row) in zip(rows.indices, rows) where row.stack != 0 {
            let blame = names.blameFrames[Int(row.stack) - 1]
            guard blame != 0 else { continue }
            let site = Int(names.siteOfFrame[Int(blame) - 1])
            allocatedBytes &+= row.allocatedBytes
            if names.rows[names.siteRows[site]].function != 0 { namedBytes &+= row.allocatedBytes }
            let part = partOfSite[site] ?? parts.count
            if part == parts.count {
                partOfSite[site] = part
                parts.append(Part(process: process, site: site))
            }
            parts[part].stacks.append(
                StackPart(stack: row.stack, row: offset, history: stackHistories[row.stack])
            )
            if row.group != 0 {
                let known = siteOfGroup[row.group]
                siteOfGroup[row.group] = known == nil || known == site ? site : -1
            }
        }
        var hasWholeGroups = Set<Int>()
        for (group, site) in siteOfGroup.sorted(by: { $0.key < $1.key }) where site >= 0 {
            guard let part = partOfSite[site] else { continue }
            parts[part].groups.append(group)
            if let history = groupHistories[group] {
                parts[part].histories.append(history)
                hasWholeGroups.insert(site)
            }
        }
        let splitGroups = Set(siteOfGroup.filter { $0.value < 0 }.keys)
        for (site, part) in partOfSite where !hasWholeGroups.contains(site) || !splitGroups.isEmpty {
            addSplit(part, isAlone: !hasWholeGroups.contains(site), splitGroups, recording)
        }
    }

    /// Stacks whose group spans several sites bring their own histories instead.
    private mutating func addSplit(
        _ part: Int,
        isAlone: Bool,
        _ splitGroups: Set<UInt32>,
        _ recording: Recording
    ) {
        for stack in parts[part].stacks where isAlone || splitGroups.contains(recording.counters[stack.row].group) {
            if let history = stack.history { parts[part].histories.append(history) }
        }
    }

    /// The parts of several processes as one each: what they have of a site is judged together.
    ///
    /// Processes that share the load never share it evenly: each by itself would seem to slow down or to begin late.
    func joined(_ wanted: (_ process: Int) -> Bool) -> CallSites {
        var result = self
        result.parts = []
        var partOfSite: [Int: Int] = [:]
        for part in parts where wanted(part.process) {
            guard let index = partOfSite[part.site] else {
                partOfSite[part.site] = result.parts.count
                result.parts.append(part)
                continue
            }
            result.parts[index].groups += part.groups
            result.parts[index].histories += part.histories
            result.parts[index].stacks += part.stacks
        }
        return result
    }

    /// The parts twice, without and with the stacks that satisfy `isSecond`; empty ones are left out.
    ///
    /// For what has a history for each stack only.
    func separated(_ isSecond: (StackPart) -> Bool) -> (CallSites, CallSites) {
        var (first, second) = (self, self)
        (first.parts, second.parts) = ([], [])
        for part in parts {
            let taken = part.stacks.filter(isSecond)
            guard !taken.isEmpty else {
                first.parts.append(part)
                continue
            }
            let left = part.stacks.filter { !isSecond($0) }
            if !left.isEmpty { first.parts.append(part.with(left)) }
            second.parts.append(part.with(taken))
        }
        return (first, second)
    }

    private static func index(_ histories: [RecordedHistory], process: UInt32) -> [UInt32: Range<Int>] {
        var result: [UInt32: Range<Int>] = [:]
        for history in histories where history.process == process { result[history.key] = history.range }
        return result
    }
}

extension CallSites.Part {
    fileprivate func with(_ stacks: [CallSites.StackPart]) -> CallSites.Part {
        var part = self
        part.stacks = stacks
        part.histories = stacks.compactMap(\.history)
        return part
    }
}
