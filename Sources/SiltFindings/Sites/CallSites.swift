internal import SiltEvents
internal import SiltRecording

/// The counters of a recording added up by call site, over all processes and for each.
struct CallSites {
    /// One call site in one process, with the histories its verdict rests on.
    struct Part {
        var resource: Resource
        /// Index in `Recording.processes`.
        var process: Int
        var site: Int
        /// Groups whose stacks all belong to this site.
        var groups: [FrameID] = []
        /// Those of the groups, in `Recording.historyBytes`; those of single stacks where a group spans several sites.
        var histories: [Range<Int>] = []
        /// By stack.
        var stacks: [StackPart] = []
    }

    struct StackPart {
        var stack: StackID
        /// In `Recording.counters`.
        var row: Int
        /// In `Recording.historyBytes`; nil: it never held a block for long.
        var history: Range<Int>?
    }

    /// By resource, then process.
    private(set) var parts: [Part] = []
    /// Allocated bytes, and those whose call site has a function name.
    private(set) var allocatedBytes: UInt64 = 0
    private(set) var namedBytes: UInt64 = 0

    init(_ recording: Recording, names: FrameNames) {
        var adding = Adding(recording, names)
        var start = 0
        while start < recording.counters.count {
            let process = recording.counters[start].process
            let resource = recording.counters[start].resource
            var end = start
            while end < recording.counters.count, recording.counters[end].process == process,
                recording.counters[end].resource == resource
            {
                end += 1
            }
            if let index = recording.processIndex(of: process) {
                add(start..<end, of: index, recording, names, &adding)
            }
            start = end
        }
    }

    /// What is known while the counters are gone through, by process and stack.
    private struct Adding {
        /// Histories of groups and of stacks that are not passed yet.
        var groups: ArraySlice<RecordedHistory<FrameID>>
        var stacks: ArraySlice<RecordedHistory<StackID>>
        /// By site: its last part, of this process or of one before.
        var parts: [Int]
        /// By group: 0 when this process has none of it yet, else its site + 1; −1 when its stacks belong to several,
        /// because of what is hidden now.
        var sites: Table<FrameID, Int>

        init(_ recording: Recording, _ names: FrameNames) {
            groups = recording.groupHistories[...]
            stacks = recording.histories[...]
            parts = Array(repeating: -1, count: names.siteFrames.count)
            sites = Table(repeating: 0, count: recording.frames.count)
        }

        /// Takes the history with that key, and passes those before it.
        static func take<Key>(
            _ key: Key,
            _ resource: Resource,
            of process: UInt32,
            from rest: inout ArraySlice<RecordedHistory<Key>>
        ) -> Range<Int>? {
            let wanted = (resource.rawValue, process, key)
            while let first = rest.first, (first.resource.rawValue, first.process, first.key) < wanted {
                rest.removeFirst()
            }
            guard let first = rest.first, (first.resource.rawValue, first.process, first.key) == wanted else {
                return nil
            }
            return first.range
        }
    }

    private mutating func add(
        _ rows: Range<Int>,
        of process: Int,
        _ recording: Recording,
        _ names: FrameNames,
        _ adding: inout Adding
    ) {
        let id = recording.processes[process].id
        let resource = recording.counters[rows.lowerBound].resource
        let isCounted = resource == recording.countedResource
        let firstPart = parts.count
        var groups: [FrameID] = []
        for index in rows {
            let row = recording.counters[index]
            guard row.stack != .none else { continue }
            let blame = names.blameFrames[row.stack]
            guard blame != .none else { continue }
            let site = Int(names.siteOfFrame[blame])
            if isCounted { allocatedBytes &+= row.allocatedBytes }
            if isCounted, names.rows[names.siteRows[site]].function != .none { namedBytes &+= row.allocatedBytes }
            if adding.parts[site] < firstPart {
                adding.parts[site] = parts.count
                parts.append(Part(resource: resource, process: process, site: site))
            }
            parts[adding.parts[site]].stacks.append(
                StackPart(
                    stack: row.stack,
                    row: index,
                    history: Adding.take(row.stack, resource, of: id, from: &adding.stacks)
                )
            )
            guard row.group != .none else { continue }
            let known = adding.sites[row.group]
            if known == 0 { groups.append(row.group) }
            adding.sites[row.group] = known == 0 || known == site + 1 ? site + 1 : -1
        }
        var hasWholeGroups = Set<Int>()
        var splitGroups = Set<FrameID>()
        for group in groups.sorted() {
            let site = adding.sites[group] - 1
            adding.sites[group] = 0
            guard site >= 0 else {
                splitGroups.insert(group)
                continue
            }
            parts[adding.parts[site]].groups.append(group)
            if let history = Adding.take(group, resource, of: id, from: &adding.groups) {
                parts[adding.parts[site]].histories.append(history)
                hasWholeGroups.insert(site)
            }
        }
        for part in firstPart..<parts.count {
            let isAlone = !hasWholeGroups.contains(parts[part].site)
            if isAlone || !splitGroups.isEmpty { addSplit(part, isAlone: isAlone, splitGroups, recording) }
        }
    }

    /// Stacks whose group spans several sites bring their own histories instead.
    private mutating func addSplit(
        _ part: Int,
        isAlone: Bool,
        _ splitGroups: Set<FrameID>,
        _ recording: Recording
    ) {
        for stack in parts[part].stacks where isAlone || splitGroups.contains(recording.counters[stack.row].group) {
            if let history = stack.history { parts[part].histories.append(history) }
        }
    }

    /// The parts of several processes as one each: what they have of a site is judged together.
    ///
    /// Processes that share the load never share it evenly: each by itself would seem to slow down or to begin late.
    /// The histories of those that are not `judged` are left out.
    func joined(
        _ resource: Resource,
        _ wanted: (_ process: Int) -> Bool,
        judging isJudged: (_ process: Int) -> Bool = { _ in true }
    ) -> CallSites {
        var result = self
        result.parts = []
        var partOfSite: [Int: Int] = [:]
        for var part in parts where part.resource == resource && wanted(part.process) {
            if !isJudged(part.process) { part.forgetHistories() }
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

    /// The parts of each of several processes, which stand together.
    func apart(_ resource: Resource, _ wanted: (_ process: Int) -> Bool) -> [CallSites] {
        var all: [[Part]] = []
        for part in parts where part.resource == resource && wanted(part.process) {
            if all.last?.last?.process == part.process {
                all[all.count - 1].append(part)
            } else {
                all.append([part])
            }
        }
        return all.map { one in
            var result = self
            result.parts = one
            return result
        }
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
}

extension CallSites.Part {
    fileprivate mutating func forgetHistories() {
        histories = []
        for index in stacks.indices { stacks[index].history = nil }
    }

    fileprivate func with(_ stacks: [CallSites.StackPart]) -> CallSites.Part {
        var part = self
        part.stacks = stacks
        part.histories = stacks.compactMap(\.history)
        return part
    }
}

extension CallSites {
    /// The histories of those rows of counters, in `Recording.historyBytes`.
    func histories(of rows: Set<Int>) -> [Int: Range<Int>] {
        guard !rows.isEmpty else { return [:] }
        var histories: [Int: Range<Int>] = [:]
        for stack in parts.lazy.flatMap(\.stacks) where rows.contains(stack.row) {
            histories[stack.row] = stack.history
        }
        return histories
    }
}
