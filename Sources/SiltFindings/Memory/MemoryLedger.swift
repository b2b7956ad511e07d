package import SiltEvents
internal import SiltGrowth
package import SiltRecording

/// A reason for which memory is resident, or missing, though nothing leaks.
package enum MemoryCause: String, CaseIterable, Sendable {
    /// Few live blocks on many pages.
    case fragmentation
    /// Freed memory in many arenas, each of which serves its own threads.
    case arenas
    /// Pages without a live block that the allocator has not given back.
    case untrimmed
    /// Freed blocks that threads keep for themselves.
    case threadCaches = "thread-caches"
    /// Blocks that have been live for long and are touched for the first time.
    case touchedLate = "touched-late"
    case hugePages = "huge-pages"
    case swapped
    /// Pages of mapped files.
    case files
    case sharedMemory = "shared-memory"
    /// Variables of the program and its libraries.
    case variables
    /// What its control group uses of its limit.
    case controlGroup = "control-group"
}

/// What resident memory is, beside live blocks, in amounts that are worth a word.
package struct MemoryLedger: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        package var cause: MemoryCause
        package var bytes: UInt64
    }

    /// What is worth a word.
    package private(set) var entries: [Entry] = []
    private var amounts: [MemoryCause: UInt64] = [:]

    /// Fewer arenas than this are what any program with a few threads has.
    private static let manyArenas = 4
    /// What a thread's cache of glibc may hold: seven blocks of each of 64 sizes, up to 1,040 bytes (tcache).
    private static let threadCacheBytes: UInt64 = 7 * 64 * (32 + 1040) / 2

    package init(_ look: RecordedMemory, of recording: Recording) {
        let details = look.details
        let least = max(GrowthLimits.notableBytes, Double(look.bytes.sum) * GrowthLimits.notableShare)
        func add(_ cause: MemoryCause, _ bytes: UInt64) {
            amounts[cause] = bytes
            if Double(bytes) >= least { entries.append(Entry(cause: cause, bytes: bytes)) }
        }
        let sparse = details[.sparsePages] &- min(details[.sparsePages], details[.sparseLive])
        add(.fragmentation, sparse)
        if recording.target.isOfGlibc {
            if Self.arenas(details) >= Self.manyArenas { add(.arenas, details[.arenaFree]) }
            add(
                .threadCaches,
                min(details[.emptyPages], details[.threads].multipliedClamping(by: Self.threadCacheBytes))
            )
        }
        add(.untrimmed, details[.emptyPages])
        add(.hugePages, details[.hugePages])
        add(.swapped, details[.swapped])
        add(.sharedMemory, details[.sharedMemory])
        add(.variables, details[.variables])
        let others = details[.sharedMemory] &+ details[.variables]
        add(.files, look.bytes[.files] &- min(look.bytes[.files], others))
        // The limit that is recorded is that of the first process's group.
        if details[.groupUsed] > 0, recording.memoryLimit ?? 0 > 0, look.process == recording.processes.first?.id {
            entries.append(Entry(cause: .controlGroup, bytes: details[.groupUsed]))
        }
    }

    /// A large arena lies in several heaps, but no more of them serve threads than there are threads.
    package static func arenas(_ details: MemoryDetails) -> UInt64 { min(details[.arenas], details[.threads]) }

    package func bytes(_ cause: MemoryCause) -> UInt64 { amounts[cause] ?? 0 }

    /// Why the allocator holds so many bytes of freed memory; nil: nothing is known.
    func retention(ofHeld held: Double) -> MemoryCause? {
        // What threads may keep explains all of it, or nothing is said of them.
        if Double(bytes(.threadCaches)) >= MemoryGrowth.explainedShare * held { return .threadCaches }
        return [.fragmentation, .arenas, .untrimmed].first { Double(bytes($0)) >= held / 2 }
    }
}

extension UInt64 {
    fileprivate func multipliedClamping(by factor: UInt64) -> UInt64 {
        let product = multipliedReportingOverflow(by: factor)
        return product.overflow ? .max : product.partialValue
    }
}
