package import SiltEvents

/// What a report shows and how: the same for every renderer.
package struct ReportOptions: Sendable {
    /// What sites are sorted by, and what the tables count.
    package enum Order: String, Sendable, CaseIterable {
        case growth
        case inUse = "inuse"
        case allocated = "alloc"
        case peak
        case temporary
    }

    package var order = Order.growth
    /// What views that add up one resource count; nil: what the recording is of.
    package var resource: Resource?
    /// Sites shown; nil: what suits the renderer (text ten, JSON and tables all).
    package var limit: Int?
    /// Frames of a stack shown, innermost; nil: all that fit.
    package var depth: Int?
    /// Functions to step over when blaming, beside the known allocator wrappers: regular expressions.
    package var hide: [String] = []
    /// Functions to blame though they look like allocator wrappers.
    package var show: [String] = []
    /// Shows the course of time and whole stacks of what grows.
    package var showsDetails = false
    /// Where the recording is kept, for commands that go on from a report; nil: it is not.
    package var recordingPlace: RecordingPlace?
    package var width = 120
    package var color = false
    /// Reads source files to quote the lines around the blamed one.
    package var showsSource = true
    /// Bytes at which the target will be stopped; nil: where the recording says so, if it does.
    package var limitBytes: UInt64?

    package init() {}
}

/// Where commands find a recording.
package enum RecordingPlace: Equatable, Sendable {
    /// As the user named it.
    case file(String)
    /// What commands take that are given none: the newest of those that silt keeps.
    case newest
}
