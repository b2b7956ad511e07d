internal import SiltEvents
internal import SiltFindings
internal import SiltRecording
internal import SiltText

/// Why memory is resident though nothing leaks, and what helps.
enum LedgerText {
    /// A figure and what it is.
    static func line(_ cause: MemoryCause, _ look: RecordedMemory, _ report: HeapReport) -> String {
        let details = look.details
        let ledger = MemoryLedger(look, of: report.recording)
        let bytes = Format.bytes(ledger.bytes(cause))
        switch cause {
        case .fragmentation:
            return "fragmentation, \(Format.bytes(details[.sparsePages])) of pages hold "
                + "\(Format.bytes(details[.sparseLive])) of live blocks" + pins(look, report)
        case .arenas:
            let arenas = Format.plural(MemoryLedger.arenas(details), "arena")
            return "\(bytes) of it in \(arenas), each of which serves its own threads"
        case .untrimmed: return "\(bytes) of pages that no live block lies on"
        case .threadCaches:
            return "up to \(bytes) in the caches of \(Format.plural(details[.threads], "thread"))"
        case .touchedLate: return "it ends when all of them are touched"
        case .hugePages: return "\(bytes) in huge pages, of which a byte touched takes 2 MiB"
        case .swapped:
            let all = look.bytes.sum &+ details[.swapped]
            return "\(bytes) are swapped out, so that the process takes \(Format.bytes(all))"
        case .files: return "\(bytes) of mapped files, which the kernel takes back when memory is short"
        case .sharedMemory: return "\(bytes) of tmpfs, memfd or System V"
        case .variables: return "\(bytes) of static arrays and other variables"
        case .controlGroup:
            let limit = report.recording.memoryLimit ?? 0
            let left = limit - min(limit, details[.groupUsed])
            let cache = details[.groupCache]
            let line =
                "control group: \(Format.bytes(details[.groupUsed])) of \(Format.bytes(limit)) used, "
                + "\(Format.bytes(left)) left"
            return cache == 0
                ? line : line + "; \(Format.bytes(cache)) of it is page cache, which the kernel takes back"
        }
    }

    /// What to do about it.
    static func remedy(_ cause: MemoryCause, _ look: RecordedMemory?, _ report: HeapReport) -> String {
        switch cause {
        case .fragmentation:
            (report.recording.target.isOfGlibc ? "malloc_trim(0) cannot give them back; " : "")
                + "what stays, allocated apart from what goes (a pool, an arena of its own), frees them"
        case .arenas: "MALLOC_ARENA_MAX=2 has threads share them, malloc_trim(0) gives it back"
        case .untrimmed: trimming(report.recording.target, look)
        case .threadCaches: "GLIBC_TUNABLES=glibc.malloc.tcache_count=0 or fewer threads keep less"
        case .touchedLate: "touched at the start, it shows at the start"
        case .hugePages:
            "without MADV_HUGEPAGE, or with prctl(PR_SET_THP_DISABLE) or transparent_hugepage/enabled=never, "
                + "pages are of 4 KiB"
        case .swapped: "more memory, or memory.swap.max=0, keeps it resident"
        case .files: "munmap or madvise(MADV_DONTNEED) gives them back at once"
        case .sharedMemory: "it stays until it is unlinked and unmapped (/dev/shm, ipcs -m)"
        case .variables: "it ends when all of them are touched (size -A names the sections)"
        case .controlGroup: "a larger limit (memory.max), or less in use"
        }
    }

    /// What stands below RSS, beside what the answer says.
    static func besides(_ memory: WholeMemory, _ report: HeapReport) -> String? {
        guard let look = memory.look else { return nil }
        let ledger = MemoryLedger(look, of: report.recording)
        let lines = ledger.entries.map(\.cause).filter {
            ($0 == .swapped || $0 == .controlGroup) && $0 != memory.cause?.entry
        }.map { line($0, look, report) }
        return lines.isEmpty ? nil : lines.joined(separator: "; ")
    }

    /// As `; 98 % of these pages are pinned by blocks of cache.c:40, keep_entry`: of the place that pins most.
    private static func pins(_ look: RecordedMemory, _ report: HeapReport) -> String {
        var places: [String: (bytes: UInt64, name: String)] = [:]
        for pin in report.recording.pins where pin.process == look.process {
            guard let frame = report.framesFromBlame(ofStack: pin.stack).first else { continue }
            places[frame.place + " " + frame.name, default: (0, frame.label)].bytes &+= pin.bytes
        }
        let sparse = look.details[.sparsePages]
        guard sparse > 0, let most = places.values.max(by: { ($0.bytes, $1.name) < ($1.bytes, $0.name) }) else {
            return ""
        }
        let share = Format.share(100 * min(1, Double(most.bytes) / Double(sparse)))
        return "; \(share) of these pages are pinned by blocks of \(most.name.printable)"
    }

    /// What is mapped once and touched little by little.
    static func line(_ late: LateMapping, _ look: RecordedMemory, _ report: HeapReport) -> String {
        let mapped = max(late.site.lastInUseBytes, late.site.inUseBytes)
        let others = late.mappedBytes > mapped ? " and others have" : " has"
        let isWhole = late.residentBytes >= late.mappedBytes
        let touched =
            "\(late.site.label.printable)\(others) mapped \(Format.bytes(late.mappedBytes)), "
            + (isWhole ? "all of which is" : "of which \(Format.bytes(late.residentBytes)) are") + " touched by now"
        let end = isWhole ? ", so that it has ended" : ", and it ends when all are"
        let why = late.cause == .hugePages ? "; " + line(.hugePages, look, report) : end
        return touched + why + "; \(remedy(late.cause, look, report)); "
            + "what an allocator of the program's own keeps in there is not seen"
    }

    /// What makes the allocator that is in the process give memory back.
    private static func trimming(_ target: RecordedTarget, _ look: RecordedMemory?) -> String {
        let name = target.allocator.lastPathComponent
        if name.contains("jemalloc") {
            return "MALLOC_CONF=background_thread:true,dirty_decay_ms:1000 gives it back"
        }
        if name.contains("tcmalloc") {
            return "MallocExtension::ReleaseFreeMemory() or TCMALLOC_RELEASE_RATE=10 gives it back"
        }
        if name.contains("mimalloc") { return "mi_collect(true) or MIMALLOC_PURGE_DELAY=0 gives it back" }
        if target.isOfGlibc {
            // A program with one thread has one arena.
            let arenas = (look?.details[.arenas] ?? 0) > 0 ? ", MALLOC_ARENA_MAX=2," : ""
            return "malloc_trim(0) after peaks\(arenas) or another allocator gives it back"
        }
        return
            "what \(name.isEmpty ? "this allocator" : String(name).printable) has for that, or another one, gives it back"
    }
}
