internal import SiltFindings
internal import SiltText

/// Functions that were taken for allocator wrappers because they behave like one, on the way to what a report shows.
enum SkippedWrappers {
    /// Names in a line; more would bury the verdict.
    private static let most = 4

    static func note(_ report: HeapReport, limit: Int) -> String? {
        let wrappers = Set(report.names.shapedWrappers.map(\.name))
        guard !wrappers.isEmpty else { return nil }
        var seen: Set<String> = []
        var names: [String] = []
        for site in report.sites.prefix(limit) {
            for frame in report.frames(ofStack: site.stack).prefix(report.blameIndex(ofStack: site.stack))
            where wrappers.contains(frame.function) && seen.insert(frame.function).inserted {
                names.append(frame.label)
            }
        }
        return names.isEmpty ? nil : line(names)
    }

    static func line(_ names: [String]) -> String {
        let shown =
            names.prefix(most).joined(separator: ", ") + (names.count > most ? " and \(names.count - most) more" : "")
        let kind = names.count == 1 ? "an allocator wrapper by what it does" : "allocator wrappers by what they do"
        return "taken for \(kind): \(shown) (--show NAME: not; --hide NAME: others too)"
    }
}
