package import SiltEvents
internal import SiltRecording

/// A stack from a node of the tree of stacks outward, with the rows of each frame.
package struct StackWalk: Sequence, IteratorProtocol {
    private var node: StackID
    private let stacks: Table<StackID, RecordedStack>
    private let ranges: Table<FrameID, Range<Int>>

    init(from node: StackID, _ stacks: Table<StackID, RecordedStack>, _ ranges: Table<FrameID, Range<Int>>) {
        (self.node, self.stacks, self.ranges) = (node, stacks, ranges)
    }

    package mutating func next() -> (node: StackID, frame: FrameID, rows: Range<Int>)? {
        while node != .none {
            let (current, entry) = (node, stacks[node])
            node = entry.parent
            if entry.frame != .none { return (current, entry.frame, ranges[entry.frame]) }
        }
        return nil
    }
}
