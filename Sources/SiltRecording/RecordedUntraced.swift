/// A program that traced processes became or started, and that was not followed itself: one row however often it ran.
package struct RecordedUntraced: Equatable, Sendable {
    /// As it was named when it was started.
    package var program: String
    /// In words for the user.
    package var reason: String
    /// What the traced command itself had been before it became this; empty for one of its children.
    package var became = ""
    package var processes: UInt64 = 0
    /// Seconds that the longest of them was seen to live.
    package var seconds = 0.0
    /// By how much the resident memory of one of them rose after its first second, at most.
    package var grownBytes: UInt64 = 0
    /// The one that executed a traced program itself, or started one; 0: none was seen to.
    package var starterPid: UInt32 = 0

    package init(program: String, reason: String) {
        self.program = program
        self.reason = reason
    }
}
