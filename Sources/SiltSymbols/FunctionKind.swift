package import SiltEvents

/// What a function has to do with the allocations below it.
@usableFromInline
package enum FunctionKind: UInt8, Sendable, Comparable {
    /// Gives memory to its caller: an allocator, a wrapper of one, a container, a runtime.
    case allocator = 1
    /// Calls code it was given: `std::function`, a thread's start routine. Blamed only when no program code is above the allocators.
    case carrier
    /// Code without a symbol: of a stripped library, or made at run time. Blamed only when no named code is above it.
    case unnamed
    /// The program's own.
    case program

    @inlinable
    package static func < (one: FunctionKind, other: FunctionKind) -> Bool { one.rawValue < other.rawValue }
}

extension FunctionKind {
    /// What a frame is: the most program-like of its functions, inlined ones included.
    @inlinable
    package static func ofFrame(_ functions: some Sequence<FunctionKind>) -> FunctionKind {
        functions.reduce(.allocator) { max($0, $1) }
    }
}

/// Which frame of a stack is to blame, found from its outermost frame inward.
///
/// It is the innermost frame that is program code; in a stack without, the innermost without a name, then the innermost
/// carrier, else the innermost frame. What the outermost known allocator calls is part of it, whatever its name is. Code
/// of the program itself that has no name is passed only for named code of the program, not for a library's function that
/// it was called back from. A signal's handler is not called by what it interrupts.
package struct Blame {
    /// None: the stack is empty.
    package private(set) var frame = FrameID.none
    package private(set) var kind = FunctionKind.allocator
    private var isInAllocator = false
    /// The innermost frames of named program code, and of that in the program itself.
    private var named = FrameID.none
    private var ofProgram = FrameID.none

    package init() {}

    /// The stack goes on with this frame, which is not none.
    package mutating func enter(
        _ frame: FrameID,
        kind: @autoclosure () -> FunctionKind,
        isOfProgram: Bool,
        isClosedAllocator: Bool,
        isInterrupted: Bool
    ) {
        if !isInAllocator || self.kind < .unnamed { take(frame, kind(), isOfProgram) }
        isInAllocator = !isInterrupted && (isInAllocator || isClosedAllocator)
        if isInterrupted { (named, ofProgram) = (.none, .none) }
    }

    private mutating func take(_ frame: FrameID, _ kind: FunctionKind, _ isOfProgram: Bool) {
        switch kind {
        case .program:
            named = frame
            if isOfProgram { ofProgram = frame }
        case .unnamed:
            let caller = isOfProgram ? ofProgram : named
            if caller != .none {
                (self.frame, self.kind) = (caller, .program)
                return
            }
        case .carrier, .allocator: if self.frame != .none, kind < self.kind { return }
        }
        (self.frame, self.kind) = (frame, kind)
    }
}
