// The ids and their tables are public because the compiler inlines what is public, and not what is of the package, into
// other modules: the live table makes one for each event.

/// The number of a row of a table: the first row is 1, and 0 is no row.
public protocol RowID: Hashable, Comparable, Sendable {
    /// The number that it has in the session.
    var rawValue: UInt32 { get }

    /// The id of that number.
    init(rawValue: UInt32)
}

extension RowID {
    /// No row.
    @inlinable public static var none: Self { Self(rawValue: 0) }

    /// That of the row at an index.
    @inlinable
    public init(index: Int) { self.init(rawValue: UInt32(index + 1)) }

    /// Where its row is; −1 for none.
    @inlinable public var index: Int { Int(rawValue) - 1 }

    /// In the order of the table.
    @inlinable
    public static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }
}

/// One stack of the session: a node of the shared tree of frames.
///
/// None is what an event carries whose stack could not be taken, and the parent of an outermost frame.
public struct StackID: RowID {
    /// The number that it has in the session.
    public var rawValue: UInt32

    /// The id of that number.
    @inlinable @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// One distinct frame of the session.
public struct FrameID: RowID {
    /// The number that it has in the session.
    public var rawValue: UInt32

    /// The id of that number.
    @inlinable @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// One distinct module of the session; none is code outside every module: generated code.
public struct ModuleID: RowID {
    /// The number that it has in the session.
    public var rawValue: UInt32

    /// The id of that number.
    @inlinable @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// An executable or library, as it is the same in every process that loads it.
package struct Module: Hashable, Sendable {
    package var path: String
    /// Empty when the file was linked without one.
    package var buildID: [UInt8]

    package init(path: String, buildID: [UInt8]) {
        self.path = path
        self.buildID = buildID
    }
}

/// One place in the code, independent of where its module was loaded.
package struct Frame: Hashable, Sendable {
    package enum Kind: UInt8, Sendable {
        /// The instruction after the call: look up `offset - 1`.
        case returnAddress
        /// The interrupted instruction itself (a signal frame).
        case exact
        /// Not a frame: the stack could not be followed further outward.
        case incomplete
        /// Not a frame: the stack was deeper than the frame limit.
        case truncated
    }

    package var module: ModuleID
    /// In the module's own numbering (`p_vaddr`); 0 when `module` is none.
    package var offset: UInt64
    package var kind: Kind

    package init(module: ModuleID, offset: UInt64, kind: Kind) {
        self.module = module
        self.offset = offset
        self.kind = kind
    }

    /// Code that the program made at run time, wherever it lies: a just-in-time compiler puts the same function at another
    /// address each time it compiles it.
    package static var generated: Frame { Frame(module: .none, offset: 0, kind: .returnAddress) }

    /// Outermost of stacks that are kept without their outer frames (`StackTable`).
    package static var shortened: Frame { Frame(module: .none, offset: 0, kind: .truncated) }
}

/// One function at a frame: the one that was compiled there, or one inlined into it.
package struct SourceFrame: Equatable, Sendable {
    /// Demangled; empty when nothing is known.
    package var function: String
    package var file: String?
    package var line: Int?
    /// True for a call that the compiler inlined.
    package var inlined: Bool

    package init(function: String, file: String? = nil, line: Int? = nil, inlined: Bool = false) {
        self.function = function
        self.file = file
        self.line = line
        self.inlined = inlined
    }
}
