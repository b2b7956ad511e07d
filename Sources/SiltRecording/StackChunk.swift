/// Stacks as they are stored: 512 to a row, as two JSON arrays of numbers, `steps` and `frames` of the stacks from `first`
/// on.
///
/// A stack's steps are how far back in the ids its caller's stack is, 0 for an outermost frame; its frame is the
/// innermost one, 0 for a stack that was never written. A row a stack took ten times the CPU of the rest of writing and
/// reading it: compilers have 700,000 of them. As JSON it is still SQL's to read: the view `stacks`.
struct StackChunk {
    static let size = 512

    private(set) var first: UInt32 = 1
    private(set) var steps: [UInt32] = []
    private(set) var frames: [UInt32] = []
    var isWritten = true

    /// The first stack of the chunk that holds `stack`.
    private static func first(_ stack: UInt32) -> UInt32 { (stack - 1) / UInt32(size) * UInt32(size) + 1 }

    /// Whether a stack lies in it or, where nothing is lost, may begin it anew.
    func holds(_ stack: UInt32) -> Bool { Self.first(stack) == first }

    /// Goes on with the chunk that holds `stack`.
    mutating func begin(_ stack: UInt32) {
        first = Self.first(stack)
        steps.removeAll(keepingCapacity: true)
        frames.removeAll(keepingCapacity: true)
        isWritten = true
    }

    mutating func set(_ stack: UInt32, parent: UInt32, frame: UInt32) {
        let index = Int(stack - first)
        while steps.count <= index {
            steps.append(0)
            frames.append(0)
        }
        steps[index] = parent == 0 ? 0 : stack &- parent
        frames[index] = frame
        isWritten = false
    }
}
