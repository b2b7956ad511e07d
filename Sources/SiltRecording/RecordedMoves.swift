package import SiltEvents

/// Blocks that realloc(3) moved to another address, by the stack that called it.
package struct RecordedMoves: Equatable, Sendable {
    package var process: UInt32
    package var stack: StackID
    package var count: UInt64
    /// What was in them.
    package var bytes: UInt64

    package init(process: UInt32, stack: StackID, count: UInt64, bytes: UInt64) {
        self.process = process
        self.stack = stack
        self.count = count
        self.bytes = bytes
    }
}
