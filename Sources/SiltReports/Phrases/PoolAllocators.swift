internal import SiltFindings

/// Allocators inside the program that serve many objects from one block or mapping: silt sees their supplies only.
enum PoolAllocators {
    /// Functions that only run when a pool is in use, and what to do about it.
    private static let signs: [(prefix: String, note: String)] = [
        ("arena_map_", python), ("new_arena", python),
    ]

    private static let python =
        "note: Python keeps objects of up to 512 bytes in arenas of its own, which count as mappings here; run it with "
        + "PYTHONMALLOC=malloc to see each of them"

    /// A line for the report; nil when no known pool was seen.
    static func note(_ report: HeapReport) -> String? {
        // Anywhere on a stack: such functions are stepped over when blaming.
        signs.first { sign in report.recording.strings.contains { $0.hasPrefix(sign.prefix) } }?.note
    }
}
