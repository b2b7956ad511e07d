internal import SiltEvents
internal import SiltFindings
internal import SiltSymbols
internal import SiltText

/// Allocators inside the program that serve many objects from one block or mapping: silt sees their supplies only.
enum PoolAllocators {
    /// A line for the report; nil when no known pool was seen.
    static func note(_ report: HeapReport) -> String? {
        let known = report.recording.modules.map { Interpreter(file: $0.path) }
        guard let interpreter = Interpreter.allCases.first(where: known.contains) else { return nil }
        let hasArenas = report.hasArenas(of: known.map { $0 == interpreter })
        return interpreter == .python ? python(hasArenas: hasArenas) : note(interpreter, hasArenas: hasArenas)
    }

    /// Of one whose objects are no blocks; PHP's are, where it maps nothing for them.
    static func note(_ interpreter: Interpreter, hasArenas: Bool) -> String? {
        if interpreter == .php, !hasArenas { return nil }
        return "note: silt does not see \(interpreter.unseen); to see more: \(interpreter.advice)"
    }

    static func python(hasArenas: Bool) -> String {
        let arenas =
            hasArenas
            ? "; objects of up to 512 bytes lie in arenas (mappings here): PYTHONMALLOC=malloc shows each of them" : ""
        return "note: silt names lines of Python's C code\(arenas); Python's own tracemalloc names lines of Python"
    }
}

/// Python's arenas have 256 KiB or, since 3.10, 1 MiB; smaller mappings are for other things.
private let minimumArena: UInt64 = 256 << 10

extension HeapReport {
    /// Whether code of one of those modules has mapped memory itself, as interpreters do that have pools for their objects.
    fileprivate func hasArenas(of modules: [Bool]) -> Bool {
        recording.counters.contains { row in
            guard row.resource == .mapping, row.stack != .none, row.allocatedBytes >= minimumArena * row.allocatedCount,
                row.allocatedCount > 0
            else { return false }
            let frame = recording.stacks[row.stack].frame
            guard frame != .none else { return false }
            let module = recording.frames[frame].module
            return module != .none && modules[module.index]
        }
    }
}
