package import SiltEvents

/// The threads of one name, and where they allocated.
package struct RecordedThreads: Equatable, Sendable {
    package var process: UInt32
    package var name: String
    /// Ascending; nil: all of the process.
    package var stacks: [StackID]?

    package init(process: UInt32, name: String, stacks: [StackID]?) {
        self.process = process
        self.name = name
        self.stacks = stacks
    }
}
