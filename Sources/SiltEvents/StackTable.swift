/// The modules, frames and stacks of a session, each stored once and named by a small number.
///
/// One table serves all process images, so that the stacks of forked workers coincide. A stack is its innermost frame
/// and the stack of its callers. Ids are given in order of first sight and never taken back.
/// Not for use by two threads at once.
package final class StackTable {
    /// Ids a live table entry can hold (28 bits); stacks beyond it become `StackID.none` and are counted.
    @inlinable package static var stackLimit: Int { 1 << 28 - 1 }

    /// Index = rawValue - 1.
    package private(set) var modules: [Module] = []
    /// Index = rawValue - 1.
    package private(set) var frames: [Frame] = []
    /// Stacks that did not fit below `stackLimit`.
    package private(set) var stacksRefused: UInt64 = 0

    private var moduleIDs: [Module: ModuleID] = [:]
    private var frameIDs: [Frame: FrameID] = [:]
    private var nodes: [Node] = []
    /// Open addressing over `nodes`: 0 is free, else a stack id.
    ///
    /// Its count is a power of two, at least twice `nodes`.
    private var slots = [UInt32](repeating: 0, count: 1024)

    private struct Node {
        var parent: UInt32
        var frame: UInt32
    }

    package init() {}

    package var stackCount: Int { nodes.count }

    package var frameCount: Int { frames.count }

    package func intern(module: Module) -> ModuleID {
        if let id = moduleIDs[module] { return id }
        modules.append(module)
        let id = ModuleID(rawValue: UInt32(modules.count))
        moduleIDs[module] = id
        return id
    }

    package func intern(frame: Frame) -> FrameID {
        if let id = frameIDs[frame] { return id }
        frames.append(frame)
        let id = FrameID(rawValue: UInt32(frames.count))
        frameIDs[frame] = id
        return id
    }

    /// The stack whose innermost frame is `frame`, called from `parent` (none: `frame` is the outermost).
    package func intern(parent: StackID, frame: FrameID) -> StackID {
        precondition(parent.rawValue <= nodes.count, "parent is not of this table")
        var index = Self.home(parent.rawValue, frame.rawValue, slots.count)
        while slots[index] != 0 {
            let node = nodes[Int(slots[index]) - 1]
            if node.parent == parent.rawValue && node.frame == frame.rawValue {
                return StackID(rawValue: slots[index])
            }
            index = (index + 1) & (slots.count - 1)
        }
        guard nodes.count < Self.stackLimit else {
            stacksRefused += 1
            return .none
        }
        nodes.append(Node(parent: parent.rawValue, frame: frame.rawValue))
        slots[index] = UInt32(nodes.count)
        if nodes.count * 2 > slots.count { grow() }
        return StackID(rawValue: UInt32(nodes.count))
    }

    /// The stack of the caller; none for an outermost frame.
    package func parent(of stack: StackID) -> StackID {
        StackID(rawValue: nodes[Int(stack.rawValue) - 1].parent)
    }

    /// The innermost frame of `stack`.
    package func frame(of stack: StackID) -> FrameID {
        FrameID(rawValue: nodes[Int(stack.rawValue) - 1].frame)
    }

    /// All frames of `stack`, innermost first; empty for none.
    package func frames(of stack: StackID) -> [FrameID] {
        var result: [FrameID] = []
        var rest = stack
        while rest != .none {
            result.append(frame(of: rest))
            rest = parent(of: rest)
        }
        return result
    }

    private func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        for (number, node) in nodes.enumerated() {
            var index = Self.home(node.parent, node.frame, slots.count)
            while slots[index] != 0 { index = (index + 1) & (slots.count - 1) }
            slots[index] = UInt32(number + 1)
        }
    }

    private static func home(_ parent: UInt32, _ frame: UInt32, _ count: Int) -> Int {
        var hash = (UInt64(parent) << 32 | UInt64(frame)) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 29
        return Int(truncatingIfNeeded: (hash &* 0xBF58_476D_1CE4_E5B9) >> 32) & (count - 1)
    }
}
