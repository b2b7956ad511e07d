/// How many descriptors a process may have open (RLIMIT_NOFILE, getrlimit(2)), and how many it had when that was last looked at.
package struct DescriptorLimit: Equatable, Sendable {
    package var limit: UInt64
    package var open: UInt64
    /// When all were taken, and have been since, in nanoseconds of the trace; nil: there was room.
    package var fullNs: UInt64?

    package init(limit: UInt64, open: UInt64, fullNs: UInt64? = nil) {
        self.limit = limit
        self.open = open
        self.fullNs = fullNs
    }

    /// A program may close some for a moment while it tries to open others.
    package var isFull: Bool { open + 2 >= limit }
}
