internal import SiltRecording

/// The counters of a recording added up by call site, over all processes and for each.
struct CallSites {
    /// One call site over all processes.
    struct Sum {
        var inUseBytes: UInt64 = 0
        var inUseCount: UInt64 = 0
        var allocatedBytes: UInt64 = 0
        var allocatedCount: UInt64 = 0
        var peakBytes: UInt64 = 0
        var peakCount: UInt64 = 0
        var temporaryCount: UInt64 = 0
        var stackCount = 0
        /// The stack that holds most, by bytes in use, then bytes allocated.
        var stack: UInt32 = 0
        fileprivate var heaviest = (inUse: UInt64(0), allocated: UInt64(0))
    }

    /// One call site in one process, with the histories its verdict rests on.
    struct Part {
        /// Index in `Recording.processes`.
        var process: Int
        var site: Int
        var inUseBytes: UInt64 = 0
        var inUseCount: UInt64 = 0
        /// Groups whose stacks all belong to this site.
        var groups: [UInt32] = []
        /// In `Recording.historyBytes`.
        var histories: [Range<Int>] = []
        /// Stacks with a history of their own, for the distinguishing caller.
        var stacks: [StackPart] = []
        /// All its stacks.
        var allStacks: [UInt32] = []
    }

    struct StackPart {
        var stack: UInt32
        var inUseBytes: UInt64
        var history: Range<Int>
    }

    private(set) var sums: [Sum]
    private(set) var parts: [Part] = []

    init(_ recording: Recording, names: FrameNames, blameFrames: [UInt32]) {
        sums = Array(repeating: Sum(), count: names.siteFrames.count)
        var isSeen = [Bool](repeating: false, count: recording.stacks.count)
        var start = 0
        while start < recording.counters.count {
            let process = recording.counters[start].process
            var end = start
            while end < recording.counters.count, recording.counters[end].process == process { end += 1 }
            if let index = recording.processIndex(of: process) {
                add(recording.counters[start..<end], of: index, recording, names, blameFrames, &isSeen)
            }
            start = end
        }
    }

    private mutating func add(
        _ rows: ArraySlice<RecordedCounters>,
        of process: Int,
        _ recording: Recording,
        _ names: FrameNames,
        _ blameFrames: [UInt32],
        _ isSeen: inout [Bool]
    ) {
        let id = recording.processes[process].id
        let groupHistories = Self.index(recording.groupHistories, process: id)
        let stackHistories = Self.index(recording.histories, process: id)
        /// Site of each group of this process; -1 when its stacks belong to several, because of what is hidden now.
        var siteOfGroup: [UInt32: Int] = [:]
        var partOfSite: [Int: Int] = [:]
        for row in rows where row.stack != 0 {
            let blame = blameFrames[Int(row.stack) - 1]
            guard blame != 0 else { continue }
            let site = Int(names.siteOfFrame[Int(blame) - 1])
            sums[site].add(row)
            if !isSeen[Int(row.stack) - 1] {
                isSeen[Int(row.stack) - 1] = true
                sums[site].stackCount += 1
            }
            let part = partOfSite[site] ?? parts.count
            if part == parts.count {
                partOfSite[site] = part
                parts.append(Part(process: process, site: site))
            }
            parts[part].inUseBytes &+= row.inUseBytes
            parts[part].inUseCount &+= row.inUseCount
            parts[part].allStacks.append(row.stack)
            if row.group != 0 {
                let known = siteOfGroup[row.group]
                siteOfGroup[row.group] = known == nil || known == site ? site : -1
            }
            if let history = stackHistories[row.stack] {
                parts[part].stacks.append(
                    StackPart(stack: row.stack, inUseBytes: row.inUseBytes, history: history)
                )
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
            addSplit(part, isAlone: !hasWholeGroups.contains(site), splitGroups, rows, recording)
        }
    }

    /// Stacks whose group spans several sites bring their own histories instead.
    private mutating func addSplit(
        _ part: Int,
        isAlone: Bool,
        _ splitGroups: Set<UInt32>,
        _ rows: ArraySlice<RecordedCounters>,
        _ recording: Recording
    ) {
        for stack in parts[part].stacks {
            var low = rows.startIndex
            var high = rows.endIndex
            while low < high {
                let middle = (low + high) / 2
                if rows[middle].stack < stack.stack { low = middle + 1 } else { high = middle }
            }
            if isAlone || splitGroups.contains(rows[low].group) {
                parts[part].histories.append(stack.history)
            }
        }
    }

    private static func index(_ histories: [RecordedHistory], process: UInt32) -> [UInt32: Range<Int>] {
        var result: [UInt32: Range<Int>] = [:]
        for history in histories where history.process == process { result[history.key] = history.range }
        return result
    }
}

extension CallSites.Sum {
    fileprivate mutating func add(_ row: RecordedCounters) {
        inUseBytes &+= row.inUseBytes
        inUseCount &+= row.inUseCount
        allocatedBytes &+= row.allocatedBytes
        allocatedCount &+= row.allocatedCount
        peakBytes &+= row.peakBytes
        peakCount &+= row.peakCount
        temporaryCount &+= row.temporaryCount
        if stack == 0 || (row.inUseBytes, row.allocatedBytes) > heaviest {
            stack = row.stack
            heaviest = (row.inUseBytes, row.allocatedBytes)
        }
    }
}
