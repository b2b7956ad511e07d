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

    /// What happens to its things that do not stay.
    package var gone: String { traits.gone }

    /// The functions that make such a thing and give it back, where a call that silt stands in front of takes it: the stack
    /// begins with its caller.
    package var pair: (maker: String, giver: String)? { traits.pair }

    /// It has no size: its bytes are counts as well.
    package var isCounted: Bool { traits.isCounted }

    /// All of that kind.
    package static var counted: [Resource] { allCases.filter(\.isCounted) }

    /// Its things, as `blocks`.
    package var units: String { unit + "s" }

    /// How plans and JSON call a limit on it: `unjoined_threads_per_request`.
    package var limitName: String { units.split(separator: " ").joined(separator: "_") + "_per_request" }

    /// What is taken again has the handle that it has already, and is given back as often.
    package var isShared: Bool { traits.isShared }

    /// Found by looks at the process: nobody saw the call that took it.
    package var isFound: Bool { rawValue >= 64 }

    /// Some are taken by calls that nobody saw, and found by looks.
    package var mayBeFound: Bool { isFound || self == .descriptor }

    /// What pprof's sample types call it: as heap profiles do for blocks, with its name in front for other sizes, and by
    /// its name alone where it has no size.
    package func sampleType(_ ofHeap: String) -> String {
        guard self != .heap else { return ofHeap }
        return isCounted ? name : "\(name)_\(ofHeap)"
    }

    package init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    private struct Traits {
        var name: String
        var unit: String
        var gone: String
        var isCounted = true
        var isShared = false
        var pair: (maker: String, giver: String)?
    }

    private var traits: Traits {
        switch self {
        case .heap: Traits(name: "heap", unit: "block", gone: "freed", isCounted: false)
        case .mapping: Traits(name: "mapping", unit: "mapping", gone: "given back", isCounted: false)
        case .descriptor: Traits(name: "descriptor", unit: "descriptor", gone: "closed")
        case .thread: Traits(name: "thread", unit: "thread", gone: "ended")
        case .timer: Traits(name: "timer", unit: "timer", gone: "deleted", pair: ("timer_create", "timer_delete"))
        case .goroutine: Traits(name: "goroutine", unit: "goroutine", gone: "ended")
        case .unjoined:
            Traits(
                name: "unjoined",
                unit: "unjoined thread",
                gone: "joined",
                pair: ("pthread_create or thrd_create", "pthread_join or pthread_detach")
            )
        case .semaphore:
            Traits(
                name: "semaphore",
                unit: "semaphore",
                gone: "closed",
                isShared: true,
                pair: ("sem_open", "sem_close")
            )
        case .locale:
            Traits(name: "locale", unit: "locale", gone: "freed", pair: ("newlocale or duplocale", "freelocale"))
        case .segment:
            Traits(
                name: "segment",
                unit: "shared memory segment",
                gone: "detached",
                isCounted: false,
                pair: ("shmat", "shmdt")
            )
        case .zombie:
            Traits(name: "zombie", unit: "zombie", gone: "waited for", pair: ("fork or posix_spawn", "wait or waitpid"))
        case .module: Traits(name: "module", unit: "module", gone: "unloaded")
        }
    }
}
