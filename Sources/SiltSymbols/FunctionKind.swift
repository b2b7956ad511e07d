/// What a function has to do with the allocations below it.
package enum FunctionKind: UInt8, Sendable, Comparable {
    /// Gives memory to its caller: an allocator, a wrapper of one, a container, a runtime.
    case allocator = 1
    /// Calls code it was given: `std::function`, a thread's start routine. Blamed only when no program code is above the allocators.
    case carrier
    /// Code without a symbol: of a stripped library, or made at run time. Blamed only when no named code is above it.
    case unnamed
    /// The program's own.
    case program

    package static func < (one: FunctionKind, other: FunctionKind) -> Bool { one.rawValue < other.rawValue }
}

/// Which frame of a stack is to blame: the innermost of the most program-like ones.
///
/// So it is the innermost that is program code; in a stack without, the innermost without a name, then the innermost
/// carrier, else the innermost frame. What the outermost known allocator calls is part of it, whatever its name is.
/// Code of the program itself that has no name is passed only for named code of the program, not for a library's function
/// that it was called back from.
extension FunctionKind {
    /// What a frame is: the most program-like of its functions, inlined ones included.
    package static func ofFrame(_ functions: some Sequence<FunctionKind>) -> FunctionKind {
        functions.reduce(.allocator) { max($0, $1) }
    }

    /// Whether a frame is blamed rather than the one that its callers by themselves would have blamed.
    package func isBlamed(before outer: FunctionKind) -> Bool { self >= outer }
}
