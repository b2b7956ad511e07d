/// What a function has to do with the allocations below it.
package enum FunctionKind: UInt8, Sendable, Comparable {
    /// Gives memory to its caller: an allocator, a wrapper of one, a container, a runtime.
    case allocator = 1
    /// Calls code it was given: `std::function`, a thread's start routine. Blamed only when no program code is above the allocators.
    case carrier
    /// The program's own.
    case program

    package static func < (one: FunctionKind, other: FunctionKind) -> Bool { one.rawValue < other.rawValue }
}
