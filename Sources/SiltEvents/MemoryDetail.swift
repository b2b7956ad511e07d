/// What is known of a process's memory beside what it is for: in bytes, but for the numbers of arenas and threads.
package enum MemoryDetail: Int, CaseIterable, Sendable {
    /// Pages of the allocator that no live block lies on.
    case emptyPages
    /// Pages of it of which live blocks take a quarter at most, and these blocks.
    case sparsePages
    case sparseLive
    /// Heaps of glibc's arenas, and what of their memory is no live block.
    case arenas
    case arenaFree
    case threads
    /// Anonymous memory in huge pages.
    case hugePages
    case swapped
    /// Resident memory of shared mappings that no file on a disk is behind: tmpfs, memfd, System V.
    case sharedMemory
    /// What its control group uses of its limit, and what of that is the page cache of files; 0 without a limit.
    case groupUsed
    case groupCache
    /// Variables of the program and its libraries that were written: in their files' mappings, and behind them.
    case variables

    /// As recordings and JSON have it.
    package var name: String {
        switch self {
        case .emptyPages: "empty_pages"
        case .sparsePages: "sparse_pages"
        case .sparseLive: "sparse_live"
        case .arenas: "arenas"
        case .arenaFree: "arena_free"
        case .threads: "threads"
        case .hugePages: "huge_pages"
        case .swapped: "swapped"
        case .sharedMemory: "shared_memory"
        case .groupUsed: "group_used"
        case .groupCache: "group_cache"
        case .variables: "variables"
        }
    }
}

/// An amount for each detail.
package struct MemoryDetails: Equatable, Sendable {
    private var amounts = [UInt64](repeating: 0, count: MemoryDetail.allCases.count)

    package init() {}

    package subscript(detail: MemoryDetail) -> UInt64 {
        get { amounts[detail.rawValue] }
        set { amounts[detail.rawValue] = newValue }
    }
}
