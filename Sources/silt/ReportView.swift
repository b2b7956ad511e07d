internal import ArgumentParser
internal import SiltFindings
internal import SiltReports
internal import SiltSymbols

/// The ways in which `silt report` shows a recording on the terminal.
enum ReportView: String, EnumerableFlag {
    case sites, top, tree, flame, timeline, peak, sizes, ages, json

    static func help(for value: ReportView) -> ArgumentHelp? {
        switch value {
        case .sites: "Call sites with verdict, evidence and stack (the default)."
        case .top: "The table of go tool pprof -top; functions below 0.5 % are left out unless --limit says how many."
        case .tree: "Functions below those that call them, with shares and bars."
        case .flame: "The same as a flame graph that hangs: as wide as heavy."
        case .timeline: "The live heap over time, phases and marks below it."
        case .peak: "What made up the most that was in use at once."
        case .sizes: "Blocks by size."
        case .ages: "Blocks in use at the end by the time since they were allocated."
        case .json: "JSON, format silt-report version 1."
        }
    }
}

/// What of the stacks `--tree` and `--flame` look at.
struct StackChoice: ParsableArguments {
    @Option(help: ArgumentHelp("Look at what functions that match lead to, and at nothing else.", valueName: "regex"))
    var root: String?

    @Flag(help: "Begin at the functions to blame: callers below what they call.")
    var inverted = false

    var isUsed: Bool { root != nil || inverted }
}

extension FunctionPattern {
    /// Of an option; ends with the status of a usage error for what is no regular expression.
    init?(option source: String?) throws {
        guard let source else { return nil }
        do {
            try self.init(source)
        } catch {
            Terminal.message("\(error)")
            throw SiltExit.usage
        }
    }
}
