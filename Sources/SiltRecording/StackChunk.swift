internal import SiltEvents

/// Stacks as they are stored: 512 to a row, as two JSON arrays of numbers, `steps` and `frames` of the stacks from `first`
/// on.
///
/// A stack's steps are how far back in the ids its caller's stack is, 0 for an outermost frame; its frame is the
/// innermost one, 0 for a stack that was never written. A row a stack took ten times the CPU of the rest of writing and
/// reading it: compilers have 700,000 of them. As JSON it is still SQL's to read: the view `stacks`.
struct StackChunk {
    static let size = 512

    private(set) var first = StackID(rawValue: 1)
    private(set) var steps: [UInt32] = []
    private(set) var frames: [FrameID] = []
    var isWritten = true

    /// The first stack of the chunk that holds `stack`.
    private static func first(_ stack: StackID) -> StackID {
        StackID(rawValue: (stack.rawValue - 1) / UInt32(size) * UInt32(size) + 1)
    }

    /// Whether a stack lies in it or, where nothing is lost, may begin it anew.
    func holds(_ stack: StackID) -> Bool { Self.first(stack) == first }

    /// Goes on with the chunk that holds `stack`.
    mutating func begin(_ stack: StackID) {
        first = Self.first(stack)
        steps.removeAll(keepingCapacity: true)
        frames.removeAll(keepingCapacity: true)
        isWritten = true
    }

    mutating func set(_ stack: StackID, parent: StackID, frame: FrameID) {
        let index = Int(stack.rawValue - first.rawValue)
        while steps.count <= index {
            steps.append(0)
            frames.append(.none)
        }
        steps[index] = parent == .none ? 0 : stack.rawValue &- parent.rawValue
        frames[index] = frame
        isWritten = false
    }
}
