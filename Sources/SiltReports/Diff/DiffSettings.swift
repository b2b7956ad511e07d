internal import SiltEvents

/// What of two recordings is compared, and how.
package struct DiffSettings: Sendable {
    package enum Measure: String, Sendable, CaseIterable {
        case inUse = "inuse"
        case allocated = "alloc"
        case peak
    }

    /// What the numbers are divided by.
    package enum Per: String, Sendable, CaseIterable {
        case request
        case second
    }

    package var measure = Measure.inUse
    package var per: Per?
    /// Compares lines of functions rather than functions.
    package var comparesLines = false
    /// Shares are of all that grew and shrank, as with `go tool pprof -base`, rather than of what was there before, as with
    /// `-diff_base`.
    package var sharesOfChange = false
    /// Why that resource is compared that is; nil: it was asked for.
    package var opening: DiffOpening?
    /// Functions shown.
    package var limit: Int?
    package var width = 120
    package var isColored = false
    /// Rows of a flame graph.
    package var depth: Int?

    package init() {}
}

extension DiffSettings {
    /// What is compared, in the words of pprof's sample types.
    package var typeName: String {
        switch measure {
        case .inUse: "inuse_space"
        case .allocated: "alloc_space"
        case .peak: "peak_inuse_space"
        }
    }

    /// As "bytes/request".
    func unit(of resource: Resource) -> String {
        (resource.isCounted ? "count" : "bytes") + (per.map { "/" + $0.rawValue } ?? "")
    }
}
