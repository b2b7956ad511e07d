internal import SiltEvents
internal import SiltFindings
internal import SiltRecording
internal import SiltText

/// The whole process: what its memory grew by, which comes early, and what it is for, which comes late.
struct WholeProcess {
    /// What RSS grew by or why it stays high; nil: that is no question.
    let answer: String?
    /// Heap, and what memory is for.
    let lines: [String]

    init(_ report: HeapReport) {
        let recording = report.recording
        guard !recording.processes.isEmpty else {
            (answer, lines) = (nil, [])
            return
        }
        let ended = [EndText.line(recording.target)].compactMap { $0 }
        let isOver = recording.processes.allSatisfy { $0.end != .running }
        let holders = Self.holders(recording, isOver: isOver)
        let counted = recording.resources.filter { $0.isCounted && $0 != .module }.compactMap { resource in
            let rows = recording.counters.lazy.filter { $0.resource == resource && holders.contains($0.process) }
            let count = rows.reduce(0) { $0 &+ $1.inUseCount }
            return count == 0 && recording.countedResource != resource ? nil : resource.amount(0, in: count)
        }.joined(separator: ", ")
        if recording.countedResource.isCounted, recording.processes.allSatisfy(\.isProfiled) {
            (answer, lines) = (nil, ended + [MemoryText.countedAlone(counted)])
            return
        }
        let heap =
            ended + [MemoryText.heap(report.totals, isOver: isOver)]
            + (counted.isEmpty ? [] : [MemoryText.counted(counted, isOver: isOver, processes: holders.count)])
        guard let memory = report.wholeMemory,
            let first = memory.rows.first?.rssBytes, let last = memory.rows.last, let end = last.rssBytes
        else {
            (answer, lines) = (nil, heap)
            return
        }
        let isOneOf = recording.processes.count { !$0.isProfiled } > 1
        // Of the same moment as its parts, and what came later.
        var line = MemoryText.resident(
            memory.look.map { $0.bytes.sum + memory.laterBytes } ?? end,
            start: first,
            pid: isOneOf ? recording.processes[memory.process].pid : nil
        )
        let known = last.inUseBytes &+ recording.profiledBytes(at: \.last)
        if let look = memory.look {
            line += "; " + MemoryText.parts(look, later: memory.laterBytes)
        } else if end > known {
            // Heaps of the same program that never call malloc: their memory is not allocator overhead.
            line += "; " + MemoryText.unknown(end - known)
        }
        // The verdict says it already where it is the obstacle.
        let isSaid =
            switch report.obstacle {
            case .outsideMalloc?: true
            default: report.obstacle?.isOfUntraced == true
            }
        let late = LateMapping(report, memory)
        let said = isSaid ? late.flatMap { late in memory.look.map { LedgerText.line(late, $0, report) } } : nil
        answer = isSaid ? said : memory.cause.map { MemoryText.cause($0, memory.look, late, in: report) }
        lines = heap + [line] + [LedgerText.besides(memory, report), PoolAllocators.note(report)].compactMap { $0 }
    }

    /// By their numbers: what a process still has when it ends goes with it, and says something only where all have ended.
    private static func holders(_ recording: Recording, isOver: Bool) -> Set<UInt32> {
        let there = recording.processes.lazy.filter { isOver ? $0.end != .execed : $0.end == .running }
        return Set(there.map(\.id))
    }
}
