internal import ArgumentParser
internal import SiltEvents
internal import SiltReports

/// What of the stacks `--tree` and `--flame` look at.
struct StackChoice: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Look at what functions that match (a POSIX extended regular expression) lead to, and at nothing else.",
            valueName: "regex"
        )
    )
    var root: String?

    @Flag(help: "Begin at the functions to blame: callers below what they call.")
    var inverted = false

    var isUsed: Bool { root != nil || inverted }
}

extension ArgumentHelp {
    /// For `--resource`.
    static let resource = ArgumentHelp(
        "Add up what is of this resource: blocks of the heap unless told.",
        valueName: "resource"
    )

    /// For `--hide`.
    static let hide = ArgumentHelp(
        "Take functions that match for allocator wrappers (a POSIX extended regular expression); may be repeated.",
        valueName: "regex"
    )
}

extension Resource: ExpressibleByArgument {
    init?(argument: String) { self.init(name: argument) }

    static var allValueStrings: [String] { allCases.map(\.name) }
}

extension FunctionPattern {
    /// The pattern of an option; ends with the status of a usage error for what is no regular expression.
    init?(option source: String?) throws {
        guard let source else { return nil }
        do {
            try self.init(source)
        } catch {
            Terminal.message(.error(error))
            throw SiltExit.usage
        }
    }
}
