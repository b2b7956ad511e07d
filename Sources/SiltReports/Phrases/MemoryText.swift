internal import SiltEvents
internal import SiltFindings
internal import SiltRecording
internal import SiltText

/// What the memory of a process as a whole is for, and what it grew by.
enum MemoryText {
    /// As `heap: 3.53 MiB in 18,448 blocks at exit; at most 3.93 MiB; allocated 149 MiB in 601,407 blocks`.
    static func heap(_ totals: RecordedTotals, isOver: Bool) -> String {
        "heap: \(Headline.inUse(totals)) \(isOver ? "at exit" : "at the end"), peak \(Format.bytes(totals.peakInUseBytes)); "
            + "allocated \(Format.bytes(totals.allocatedBytes)) in \(Format.plural(totals.allocatedCount, "block"))"
    }

    /// As `3 threads in use at exit`: of what is counted beside the heap.
    static func counted(_ things: String, isOver: Bool, processes: Int) -> String {
        let exit = processes > 1 ? "when their processes ended" : "at exit"
        return "\(things) in use \(isOver ? exit : "at the end")"
    }

    /// Where there is no heap: profiles that count goroutines.
    static func countedAlone(_ things: String) -> String { "\(things) at the end" }

    /// As `RSS: 16.5 MiB, 9.19 MiB at the start`.
    ///
    /// `pid`: of one process among several.
    static func resident(_ end: UInt64, start: UInt64, pid: UInt32?) -> String {
        (pid.map { "RSS of pid \($0): " } ?? "RSS: ") + "\(Format.bytes(end)), \(Format.bytes(start)) at the start"
    }

    /// What memory is for, the largest use first; those below a fiftieth in sum.
    ///
    /// `later`: bytes that came after that look.
    static func parts(_ look: RecordedMemory, later: UInt64 = 0) -> String {
        let all = look.bytes.sum
        let uses = MemoryUse.allCases.map { (bytes: look.bytes[$0], use: $0) }
        let shown = uses.filter { $0.bytes > 0 && $0.bytes >= all / 50 }.sorted { $0.bytes > $1.bytes }
        let rest = all &- shown.reduce(0) { $0 &+ $1.bytes }
        let words = shown.map { "\(Format.bytes($0.bytes)) \(name($0.use))" }
        let others = rest > 0 ? ["\(Format.bytes(rest)) others"] : []
        return (words + others + (later > 0 ? ["\(Format.bytes(later)) came later"] : [])).joined(separator: ", ")
    }

    static func name(_ use: MemoryUse) -> String {
        switch use {
        case .live: "live blocks"
        case .allocator: "freed and held by the allocator"
        case .mapped: "mapped by the program"
        case .stacks: "stacks"
        case .files: "files and shared memory"
        case .own: "silt's own"
        case .other: "not explained"
        }
    }

    /// Where nobody looked at the address space.
    static func unknown(_ bytes: UInt64) -> String {
        "\(Format.bytes(bytes)) of it is not live heap (allocator overhead, code, stacks, mappings)"
    }

    /// `look`: the last one, by which it is known; `late`: mappings that were touched late, where that is it.
    static func cause(
        _ cause: WholeMemory.Cause,
        _ look: RecordedMemory?,
        _ late: LateMapping? = nil,
        in report: HeapReport
    ) -> String {
        if let look, let late, cause.isOutside { return "\(sentence(cause)): \(LedgerText.line(late, look, report))" }
        if let look, let entry = cause.entry {
            let remedy = LedgerText.remedy(entry, look, report)
            return "\(sentence(cause)): \(LedgerText.line(entry, look, report)); \(remedy)"
        }
        guard cause.isRetention else { return sentence(cause) }
        return "\(sentence(cause)); \(LedgerText.remedy(.untrimmed, look, report))"
    }

    private static func sentence(_ cause: WholeMemory.Cause) -> String {
        switch cause {
        case .retention(let held, let risen, _):
            let lead = "RSS grew \(Format.bytes(risen)), not a leak: allocator retention"
            guard held <= risen else {
                let more = "the allocator holds \(Format.bytes(held)) more of freed memory"
                return "\(lead) (\(more), and other memory became less)"
            }
            return "\(lead) (\(Format.share(100 * held / risen)) of it is freed memory that the allocator holds, "
                + "\(Format.bytes(held)))"
        case .kept(let held, let live, let peak, _):
            return "RSS stays high, not a leak: allocator retention (\(Format.bytes(held)) of freed memory beside "
                + "\(Format.bytes(live)) of live blocks, since a peak of \(Format.bytes(peak)))"
        case .touched(let bytes, let live, _):
            return
                "RSS grew \(Format.bytes(bytes)), not a leak: live blocks are touched for the first time "
                + "(\(Format.bytes(live)) are live)"
        case .swapped: return "RSS hides what was swapped out"
        case .outside(let bytes, let use):
            return "RSS grew \(Format.bytes(bytes)) outside malloc: \(ObstacleText.words(use))"
        case .files(let bytes): return "RSS grew \(Format.bytes(bytes)) by pages of files, not a leak"
        case .shared(let bytes): return "RSS grew \(Format.bytes(bytes)) by shared memory"
        case .variables(let bytes):
            return "RSS grew \(Format.bytes(bytes)), not a leak: variables are touched for the first time"
        }
    }
}
