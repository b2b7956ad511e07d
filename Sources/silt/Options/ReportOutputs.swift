internal import ArgumentParser
internal import Glibc
internal import SiltFindings
internal import SiltReports

/// The files of `silt report` that other tools read, an option for each row of `ReportOutput`; several may be written at
/// once.
struct ReportOutputs: ParsableArguments {
    @OptionGroup private var files: OptionTable<ReportOutput>

    private var chosen: [(row: ReportOutput, value: String)] { files.given }

    private var paths: [String] { chosen.map(\.value) }

    var isEmpty: Bool { chosen.isEmpty }

    /// Whether one of them goes to standard output.
    var usesStandardOutput: Bool { paths.contains("-") }

    /// Whether all of them add up one resource.
    var takeResource: Bool { chosen.allSatisfy(\.row.takesResource) }

    func validate() throws {
        guard Set(paths).count == paths.count else { throw Refusal.twoOutputsToOnePlace }
        if chosen.contains(where: { $0.value == "-" && !$0.row.isText }), isatty(STDOUT_FILENO) == 1 {
            throw Refusal.profileToTerminal
        }
    }

    /// Opens all of them before it writes the first.
    func write(_ report: HeapReport) throws {
        for (output, file) in try chosen.map({ ($0.row, try OutputFile($0.value)) }) {
            try output.write(report, to: file.write)
            try file.close()
        }
    }
}

extension ReportOutput: OptionRow {
    typealias Value = String

    static var rows: [ReportOutput] { all.filter { $0.place == .file } }

    var optionName: String { name }
    var optionHelp: ArgumentHelp { ArgumentHelp(help, valueName: "file") }
    var optionValues: CompletionKind? { .file() }
}
