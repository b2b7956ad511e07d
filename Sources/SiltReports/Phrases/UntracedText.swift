internal import SiltFindings
internal import SiltText

/// What traced processes became or started and what was not followed, in words.
enum UntracedText {
    /// Programs that are named in a line.
    private static let maximumNamed = 3

    /// For the first line; nil when everything was followed.
    static func line(_ report: HeapReport) -> String? {
        let programs = report.recording.untraced
        // The reason why nothing can be said names the only one.
        let isNamed = report.obstacle?.isOfUntraced == true
        guard let first = programs.first, programs.count > 1 || !isNamed else { return nil }
        let processes = programs.reduce(0) { $0 + $1.processes }
        if programs.count == 1 {
            let times = first.processes > 1 ? "\(Format.plural(processes, "process", "processes")): " : ""
            return "not followed: \(times)\(first.program.printable) (\(first.reason.printable))"
        }
        var names = programs.prefix(maximumNamed).map { "\($0.program.printable) (\($0.reason.printable))" }
        if programs.count > maximumNamed {
            names.append("and \(Format.plural(UInt64(programs.count - maximumNamed), "other"))")
        }
        return "not followed: \(Format.plural(processes, "process", "processes")): " + names.joined(separator: ", ")
    }
}
