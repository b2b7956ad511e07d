package import SiltFindings

/// One way to show a report: a row of `ReportOutput.all`.
///
/// The row is all that options, their help and completions and the HTTP routes need.
package struct ReportOutput: Sendable {
    /// Where the command line lets it go.
    package enum Place: Equatable, Sendable {
        /// `--name` prints it.
        case terminal
        /// `--name FILE` writes it.
        case file
    }

    /// What the user chooses of stacks, besides the report's own options.
    package struct StackChoice {
        package var isInverted: Bool
        package var root: FunctionPattern?

        package init(isInverted: Bool = false, root: FunctionPattern? = nil) {
            self.isInverted = isInverted
            self.root = root
        }
    }

    /// The forms of a difference.
    private enum DiffForm {
        case text
        case tree
        case flame
        case json
    }

    package let name: String
    package let help: String
    /// Whether it heeds a choice of stacks.
    package let takesStacks: Bool
    /// Whether it adds up one resource, which may be chosen.
    package let takesResource: Bool
    /// The type of its HTTP answer (RFC 9110).
    package let contentType: String
    private let render: @Sendable (HeapReport, StackChoice, inout ByteStream) throws -> Void
    /// Shows a difference in its form, where it has one.
    private let compare: DiffForm?

    private init(
        _ name: String,
        _ help: String,
        type: String = ReportOutput.plainText,
        takesStacks: Bool = false,
        takesResource: Bool = false,
        compare: DiffForm? = nil,
        _ render: @escaping @Sendable (HeapReport, StackChoice, inout ByteStream) throws -> Void
    ) {
        (self.name, self.help, contentType) = (name, help, type)
        (self.takesStacks, self.takesResource) = (takesStacks, takesResource)
        (self.compare, self.render) = (compare, render)
    }
}

extension ReportOutput: Equatable {
    package static func == (left: ReportOutput, right: ReportOutput) -> Bool { left.name == right.name }
}

extension ReportOutput {
    /// Hands the output over piece by piece.
    package func write(
        _ report: HeapReport,
        _ stacks: StackChoice = StackChoice(),
        to put: ([UInt8]) -> Void
    ) throws {
        try withoutActuallyEscaping(put) { put in
            var stream = ByteStream(put: put)
            try render(report, stacks, &stream)
        }
    }

    /// Whether a difference can be shown in its form.
    package var takesDiff: Bool { compare != nil }

    /// The same of a difference; nothing without a form for it.
    package func write(_ diff: HeapDiff, _ stacks: StackChoice = StackChoice(), to put: ([UInt8]) -> Void) throws {
        try withoutActuallyEscaping(put) { put in
            var stream = ByteStream(put: put)
            switch compare {
            case .text: DiffText.render(diff, into: &stream)
            case .tree: try TreeText.render(diff, isInverted: stacks.isInverted, root: stacks.root, into: &stream)
            case .flame: try DiffFlame.render(diff, isInverted: stacks.isInverted, root: stacks.root, into: &stream)
            case .json: DiffJSON.render(diff, into: &stream)
            case nil: break
            }
        }
    }
}

/// Bytes on their way to a file, a terminal or an asker.
private struct ByteStream: TextOutputStream {
    let put: ([UInt8]) -> Void

    func write(_ string: String) { put(Array(string.utf8)) }
}

extension ReportOutput {
    package static let plainText = "text/plain; charset=utf-8"
    package static let jsonType = "application/json"
    private static let binaryType = "application/octet-stream"

    /// Whether a terminal may show it.
    package var isText: Bool { contentType != Self.binaryType }

    /// What is shown where nothing is asked for.
    package static let sites = ReportOutput(
        "sites",
        "Call sites with verdict, evidence and stack (the default).",
        compare: .text
    ) {
        TextReport.render($0, into: &$2)
    }

    /// What the terminal shows.
    private static let shown: [ReportOutput] = [
        sites,
        ReportOutput(
            "top",
            "The table of go tool pprof -top; functions below 0.5 % are left out unless --limit says how many.",
            takesResource: true,
            compare: .text
        ) {
            TopTable.render($0.opening, into: &$2)
        },
        ReportOutput(
            "tree",
            "Functions below those that call them, with shares and bars.",
            takesStacks: true,
            takesResource: true,
            compare: .tree
        ) {
            try TreeText.render($0.opening, isInverted: $1.isInverted, root: $1.root, into: &$2)
        },
        ReportOutput(
            "flame",
            "The same as a flame graph that hangs: as wide as heavy.",
            takesStacks: true,
            takesResource: true,
            compare: .flame
        ) {
            try FlameText.render($0.opening, isInverted: $1.isInverted, root: $1.root, into: &$2)
        },
        ReportOutput("timeline", "The live heap over time, phases and marks below it.", takesResource: true) {
            TimelineText.render($0.ofWhatGrew, into: &$2)
        },
        ReportOutput("peak", "What made up the most that was in use at once.", takesResource: true) {
            PeakText.render($0.ofWhatGrew, into: &$2)
        },
        ReportOutput("sizes", "Blocks, or mappings where those grew, by size.", takesResource: true) {
            HistogramText.renderSizes($0, into: &$2)
        },
        ReportOutput(
            "ages",
            "Blocks in use at the end, or what else grew, by the time since they were taken.",
            takesResource: true
        ) {
            HistogramText.renderAges($0, into: &$2)
        },
        ReportOutput("json", "JSON, format silt-report version 1.", type: jsonType, compare: .json) {
            JSONReport.render($0, into: &$2)
        },
    ]

    /// What is written to files.
    private static let written: [ReportOutput] = [
        ReportOutput(
            "pprof",
            "Write a profile for go tool pprof to this file, - for standard output.",
            type: binaryType
        ) {
            try PprofExport.write($0.opening, to: $2.put)
        },
        ReportOutput("folded", "Write folded stacks, as flamegraph.pl and inferno read them.", takesResource: true) {
            FoldedStacks.render($0.opening, into: &$2)
        },
        ReportOutput("speedscope", "Write JSON for speedscope.app.", type: jsonType, takesResource: true) {
            SpeedscopeExport.render($0.opening, into: &$2)
        },
        ReportOutput(
            "firefox",
            "Write a profile with a course of time for profiler.firefox.com.",
            type: jsonType,
            takesResource: true
        ) {
            FirefoxExport.render($0.opening, into: &$2)
        },
        ReportOutput(
            "csv",
            "Write the call sites as a table, for spreadsheets and databases.",
            type: "text/csv; charset=utf-8"
        ) {
            CSVExport.render($0, into: &$2)
        },
        ReportOutput(
            "markdown",
            "Write what grows for an issue or the comment of a pull request.",
            type: "text/markdown; charset=utf-8"
        ) {
            MarkdownExport.render($0, into: &$2)
        },
        ReportOutput("sarif", "Write what grows for code scanning (SARIF 2.1.0).", type: "application/sarif+json") {
            SARIFExport.render($0, into: &$2)
        },
        ReportOutput("suppressions", "Write what grows as suppressions, for silt check --allow and LeakSanitizer.") {
            SuppressionExport.render($0, into: &$2)
        },
        ReportOutput("html", "Write a page for a browser, complete in one file.", type: "text/html; charset=utf-8") {
            HTMLReport.render($0.opening, into: &$2)
        },
    ]

    /// In the order of the help.
    package static let all = shown + written

    package var place: Place { Self.written.contains(self) ? .file : .terminal }

    package static func named(_ name: String) -> ReportOutput? { all.first { $0.name == name } }
}
