internal import SiltRecording

/// What traced processes became or started and what was not followed, in words.
enum Untraced {
    /// Programs that are named in a line.
    private static let mostNamed = 3

    /// For the first line; nil when everything was followed.
    static func line(_ report: HeapReport) -> String? {
        let programs = report.recording.untraced
        // The reason why nothing can be said names the only one.
        guard let first = programs.first, programs.count > 1 || report.headline != obstacle(report) else { return nil }
        let processes = programs.reduce(0) { $0 + $1.processes }
        if programs.count == 1 {
            let times = first.processes > 1 ? "\(Format.plural(processes, "process", "processes")): " : ""
            return "not followed: \(times)\(first.program.printable) (\(first.reason.printable))"
        }
        var names = programs.prefix(mostNamed).map { "\($0.program.printable) (\($0.reason.printable))" }
        if programs.count > mostNamed {
            names.append("and \(Format.plural(UInt64(programs.count - mostNamed), "other"))")
        }
        return "not followed: \(Format.plural(processes, "process", "processes")): " + names.joined(separator: ", ")
    }

    /// Why what was followed says nothing of the command; nil when it does.
    static func obstacle(_ report: HeapReport) -> String? {
        let programs = report.recording.untraced
        if let itself = programs.first(where: { !$0.became.isEmpty }) {
            return "\(itself.became.printable) became \(itself.program.printable), "
                + "which was not traced: \(itself.reason.printable)"
        }
        guard let first = programs.first else { return nil }
        if report.recording.processes.isEmpty {
            return "\(first.program.printable) was not traced: \(first.reason.printable)"
        }
        // What ran beside the rest for most of the time is a service of its own.
        let end = Double(report.recording.target.endNs ?? 0) / 1e9
        if first.seconds >= 1, first.seconds > end / 2 {
            return "child \(first.program.printable) was not traced: \(first.reason.printable)"
        }
        return nil
    }
}
