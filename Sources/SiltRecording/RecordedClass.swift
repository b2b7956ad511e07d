/// Blocks that were live at a process's end, of one class of size or age.
package struct RecordedClass: Equatable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// By size in bytes.
        case size
        /// By the snapshots taken since the block was allocated.
        case age
    }

    package var process: UInt32
    package var kind: Kind
    /// 0 is 0, n is 2^(n-1) up to, and without, 2^n.
    package var number: Int
    package var inUseCount: UInt64
    package var inUseBytes: UInt64

    package init(process: UInt32, kind: Kind, number: Int, inUseCount: UInt64, inUseBytes: UInt64) {
        self.process = process
        self.kind = kind
        self.number = number
        self.inUseCount = inUseCount
        self.inUseBytes = inUseBytes
    }
}
