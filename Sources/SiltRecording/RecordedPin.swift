package import SiltEvents

/// Bytes of an allocator's pages that hardly hold anything but blocks of one stack, as a share of those with several.
package struct RecordedPin: Equatable, Sendable {
    package var process: UInt32
    package var stack: StackID
    package var bytes: UInt64

    package init(process: UInt32, stack: StackID, bytes: UInt64) {
        self.process = process
        self.stack = stack
        self.bytes = bytes
    }
}
