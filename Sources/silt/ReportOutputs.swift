internal import ArgumentParser
internal import Glibc
internal import SiltFindings
internal import SiltReports

/// The files of `silt report` that other tools read; several may be written at once.
struct ReportOutputs: ParsableArguments {
    @Option(
        help: ArgumentHelp("Write a profile for go tool pprof to this file, - for standard output.", valueName: "file")
    )
    var pprof: String?

    @Option(help: ArgumentHelp("Write folded stacks, as flamegraph.pl and inferno read them.", valueName: "file"))
    var folded: String?

    @Option(help: ArgumentHelp("Write JSON for speedscope.app.", valueName: "file"))
    var speedscope: String?

    @Option(help: ArgumentHelp("Write the call sites as a table, for spreadsheets and databases.", valueName: "file"))
    var csv: String?

    @Option(
        help: ArgumentHelp(
            "Write what grows as suppressions, for silt check --allow and LeakSanitizer.",
            valueName: "file"
        )
    )
    var suppressions: String?

    @Option(help: ArgumentHelp("Write a page for a browser, complete in one file.", valueName: "file"))
    var html: String?

    private var paths: [String] { [html, pprof, folded, speedscope, csv, suppressions].compactMap { $0 } }

    var isEmpty: Bool { paths.isEmpty }

    /// Whether one of them goes to standard output.
    var usesStandardOutput: Bool { paths.contains("-") }

    func validate() throws {
        guard Set(paths).count == paths.count else { throw ValidationError("two outputs go to the same file") }
        if pprof == "-", isatty(STDOUT_FILENO) == 1 {
            throw ValidationError("a profile is no text: name a file, or lead standard output to one")
        }
    }

    /// Opens all of them before it writes the first.
    func write(_ report: HeapReport) throws {
        let files = try (
            pprof: pprof.map(OutputFile.init), folded: folded.map(OutputFile.init),
            speedscope: speedscope.map(OutputFile.init), csv: csv.map(OutputFile.init),
            suppressions: suppressions.map(OutputFile.init), html: html.map(OutputFile.init)
        )
        if var file = files.html {
            HTMLReport.render(report, into: &file)
            try file.close()
        }
        if let file = files.pprof {
            try PprofExport.write(report) { file.write($0) }
            try file.close()
        }
        if var file = files.folded {
            FoldedStacks.render(report, into: &file)
            try file.close()
        }
        if var file = files.speedscope {
            SpeedscopeExport.render(report, into: &file)
            try file.close()
        }
        if var file = files.csv {
            CSVExport.render(report, into: &file)
            try file.close()
        }
        if var file = files.suppressions {
            SuppressionExport.render(report, into: &file)
            try file.close()
        }
    }
}
