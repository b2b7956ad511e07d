/// What a program can take and forget to give back: an axis beside process and stack.
///
/// Numbers are those of `silt_resource` in the wire header, and stand in recordings. Those from 64 on no record names: the
/// analyzer finds such things in proc(5).
package enum Resource: UInt8, Sendable, CaseIterable {
    /// Blocks of the allocator.
    case heap = 0
    /// Address ranges that the program mapped itself.
    case mapping = 1
    case descriptor = 2
    case thread = 3
    case timer = 4
    case goroutine = 5
    /// Threads that ended and wait to be joined.
    case unjoined = 6
    /// Named ones.
    case semaphore = 7
    case locale = 8
    /// Shared memory that is attached.
    case segment = 9
    /// Children that ended and were not waited for.
    case zombie = 64
    /// Files of code that are loaded after the start.
    case module = 65

    /// As files have it.
    package var name: String { traits.name }

    /// What is counted of it, as `block`.
    package var unit: String { traits.unit }

    /// It has no size: its bytes are counts as well.
    package var isCounted: Bool { traits.isCounted }

    /// What is taken again has the handle that it has already, and is given back as often.
    package var isShared: Bool { traits.isShared }

    /// Found by looks at the process: nobody saw the call that took it.
    package var isFound: Bool { rawValue >= 64 }

    package init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    private var traits: (name: String, unit: String, isCounted: Bool, isShared: Bool) {
        switch self {
        case .heap: ("heap", "block", false, false)
        case .mapping: ("mapping", "mapping", false, false)
        case .descriptor: ("descriptor", "descriptor", true, false)
        case .thread: ("thread", "thread", true, false)
        case .timer: ("timer", "timer", true, false)
        case .goroutine: ("goroutine", "goroutine", true, false)
        case .unjoined: ("unjoined", "unjoined thread", true, false)
        case .semaphore: ("semaphore", "semaphore", true, true)
        case .locale: ("locale", "locale", true, false)
        case .segment: ("segment", "shared memory segment", false, false)
        case .zombie: ("zombie", "zombie", true, false)
        case .module: ("module", "module", true, false)
        }
    }
}
