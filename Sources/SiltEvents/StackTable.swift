internal import Glibc

/// The modules, frames and stacks of a session, each stored once and named by a small number.
///
/// One table serves all process images, so that the stacks of forked workers coincide. A stack is its innermost frame
/// and the stack of its callers. Ids are given in order of first sight and never taken back.
///
/// A slot announces each stack once, and after it has forgotten what it announced it begins again with an outermost
/// frame. So the stacks of one slot alone need not be looked up, except for outermost frames; the index of all others, half
/// of the cost of a compiler's 500,000 stacks, is made when something may come a second time.
/// Not for use by two threads at once.
package final class StackTable {
    /// Ids a live table entry can hold (28 bits); stacks beyond it become `StackID.none` and are counted.
    @inlinable package static var stackLimit: Int { 1 << 28 - 1 }

    /// Stacks, each caller's among them, that are kept whatever their depth is: ten times what big compilers have.
    private let stacksInFull: Int
    /// What is kept of a stack beyond them.
    private static let shortDepth = 16

    package private(set) var modules: Table<ModuleID, Module> = []
    package private(set) var frames: Table<FrameID, Frame> = []

    package subscript(id: ModuleID) -> Module { modules[id] }
    package subscript(id: FrameID) -> Frame { frames[id] }

    private var moduleIDs: [Module: ModuleID] = [:]
    /// Frame ids by frame, and stack ids by node: without `isIndexed`, of outermost frames only.
    private var frameIndex = IDIndex()
    private var nodeIndex = IDIndex()
    private var isIndexed = false
    /// The one slot that has announced stacks so far; 0 = none has.
    private var soleSource: UInt64 = 0
    private var imageCount: UInt64 = 0
    /// `nodeCapacity` nodes, the first `stackCount` of them initialized; from malloc(3).
    private var nodes: UnsafeMutablePointer<Node>
    private var nodeCapacity = 0

    private struct Node {
        var parent: UInt32
        var frame: UInt32
    }

    package init(stacksInFull: Int = 1 << 23) {
        self.stacksInFull = stacksInFull
        nodes = Self.resize(nil, to: 1024)
        nodeCapacity = 1024
    }

    deinit { free(nodes) }

    package private(set) var stackCount = 0

    package func intern(module: Module) -> ModuleID {
        if let id = moduleIDs[module] { return id }
        modules.append(module)
        let id = ModuleID(rawValue: UInt32(modules.count))
        moduleIDs[module] = id
        return id
    }

    package func intern(frame: Frame) -> FrameID {
        let hash = IDIndex.hash(frame.offset &+ UInt64(frame.kind.rawValue) << 60, UInt64(frame.module.rawValue))
        var place = frameIndex.home(hash)
        while frameIndex[place] != 0 {
            // Ids come from `put` below, so there is a frame.
            if frameIndex.matches(place, hash), frames[Int(frameIndex[place]) - 1] == frame {
                return FrameID(rawValue: frameIndex[place])
            }
            place = frameIndex.next(place)
        }
        frames.append(frame)
        let id = UInt32(frames.count)
        frameIndex.put(id, at: place, hash: hash)
        return FrameID(rawValue: id)
    }

    /// What tells the slots of one image from those of all others: its number, to which a slot is added.
    func addImage() -> UInt64 {
        imageCount += 1
        return imageCount << 16
    }

    /// As `intern(parent:frame:)`, for a stack that a slot announces.
    func announce(parent: StackID, frame: FrameID, from source: UInt64) -> StackID {
        guard !isIndexed, soleSource == source || soleSource == 0 else { return intern(parent: parent, frame: frame) }
        soleSource = source
        precondition(parent.rawValue <= stackCount, "parent is not of this table")
        guard stackCount < stacksInFull else { return intern(parent: parent, frame: frame) }
        if parent == .none {
            let known = stackCount
            let stack = find(parent: parent, frame: frame)
            if stack.rawValue <= known { expectRepetition() }
            return stack
        }
        return append(parent: parent, frame: frame)
    }

    /// From now on stacks may be announced that were announced before.
    func expectRepetition() {
        guard !isIndexed else { return }
        isIndexed = true
        nodeIndex.reserve(stackCount)
        for number in 0..<stackCount where nodes[number].parent != 0 {
            let hash = IDIndex.hash(UInt64(nodes[number].parent), UInt64(nodes[number].frame))
            var place = nodeIndex.home(hash)
            while nodeIndex[place] != 0 { place = nodeIndex.next(place) }
            nodeIndex.put(UInt32(number + 1), at: place, hash: hash)
        }
    }

    /// The stack whose innermost frame is `frame`, called from `parent` (none: `frame` is the outermost).
    package func intern(parent: StackID, frame: FrameID) -> StackID {
        precondition(parent.rawValue <= stackCount, "parent is not of this table")
        expectRepetition()
        return stackCount < stacksInFull ? find(parent: parent, frame: frame) : short(parent: parent, frame: frame)
    }

    /// Whether a stack that was asked for with that parent is a shorter one.
    func isShortened(_ stack: StackID, parent: StackID) -> Bool {
        stack != .none && stack != parent && self.parent(of: stack) != parent
    }

    private func short(parent: StackID, frame: FrameID) -> StackID {
        let outermost = intern(frame: .shortened)
        var callers: [FrameID] = []
        var rest = parent
        while rest != .none, self.frame(of: rest) != outermost, callers.count < Self.shortDepth {
            callers.append(self.frame(of: rest))
            rest = self.parent(of: rest)
        }
        guard callers.count == Self.shortDepth else { return find(parent: parent, frame: frame) }
        let kept = callers.dropLast().reversed()
        let caller = kept.reduce(find(parent: .none, frame: outermost)) { find(parent: $0, frame: $1) }
        return find(parent: caller, frame: frame)
    }

    private func find(parent: StackID, frame: FrameID) -> StackID {
        let hash = IDIndex.hash(UInt64(parent.rawValue), UInt64(frame.rawValue))
        var place = nodeIndex.home(hash)
        while nodeIndex[place] != 0 {
            if nodeIndex.matches(place, hash) {
                // Ids come from `put` below: at most `stackCount`.
                let node = nodes[Int(nodeIndex[place]) - 1]
                if node.parent == parent.rawValue && node.frame == frame.rawValue {
                    return StackID(rawValue: nodeIndex[place])
                }
            }
            place = nodeIndex.next(place)
        }
        let stack = append(parent: parent, frame: frame)
        if stack != .none { nodeIndex.put(stack.rawValue, at: place, hash: hash) }
        return stack
    }

    private func append(parent: StackID, frame: FrameID) -> StackID {
        guard stackCount < Self.stackLimit else { return .none }
        if stackCount == nodeCapacity { grow() }
        (nodes + stackCount).initialize(to: Node(parent: parent.rawValue, frame: frame.rawValue))
        stackCount += 1
        return StackID(rawValue: UInt32(stackCount))
    }

    /// The stack of the caller; none for an outermost frame.
    package func parent(of stack: StackID) -> StackID { StackID(rawValue: node(stack).parent) }

    /// The innermost frame of `stack`.
    package func frame(of stack: StackID) -> FrameID { FrameID(rawValue: node(stack).frame) }

    private func node(_ stack: StackID) -> Node {
        precondition(stack.rawValue != 0 && stack.rawValue <= stackCount, "stack is not of this table")
        return nodes[Int(stack.rawValue) - 1]
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
        nodes = Self.resize(nodes, to: nodeCapacity * 2)
        nodeCapacity *= 2
    }

    /// realloc(3) moves the pages of a big table instead of copying them.
    private static func resize(_ nodes: UnsafeMutablePointer<Node>?, to capacity: Int) -> UnsafeMutablePointer<Node> {
        guard let moved = realloc(nodes, capacity * MemoryLayout<Node>.stride) else {
            preconditionFailure("out of memory: \(capacity) stacks")
        }
        return moved.bindMemory(to: Node.self, capacity: capacity)
    }
}
