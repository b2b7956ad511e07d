package import SiltEvents

/// One thing that a stack took and a process holds, in words; the one that is there longest.
package struct RecordedExample: Equatable, Sendable {
    package var resource: Resource
    package var process: UInt32
    package var stack: StackID
    /// As `socket`.
    package var kind: String
    /// Which one: a path, addresses; may be empty.
    package var text: String
    /// When it was first seen to be there.
    package var sinceNs: UInt64

    package init(
        _ resource: Resource,
        process: UInt32,
        stack: StackID,
        kind: String,
        text: String,
        sinceNs: UInt64
    ) {
        self.resource = resource
        self.process = process
        self.stack = stack
        self.kind = kind
        self.text = text
        self.sinceNs = sinceNs
    }
}
