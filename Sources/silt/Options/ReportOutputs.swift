internal import ArgumentParser
internal import Glibc
internal import SiltFindings
internal import SiltReports

/// The files of `silt report` that other tools read; several may be written at once.
struct ReportOutputs: ParsableArguments {
    @Option(help: .output("pprof")) var pprof: String?
    @Option(help: .output("folded")) var folded: String?
    @Option(help: .output("speedscope")) var speedscope: String?
    @Option(help: .output("csv")) var csv: String?
    @Option(help: .output("suppressions")) var suppressions: String?
    @Option(help: .output("html")) var html: String?

    private var chosen: [(output: ReportOutput, path: String)] {
        [
            ("pprof", pprof), ("folded", folded), ("speedscope", speedscope), ("csv", csv),
            ("suppressions", suppressions), ("html", html),
        ].compactMap { name, path in path.map { (.file(name), $0) } }
    }

    private var paths: [String] { chosen.map(\.path) }

    var isEmpty: Bool { chosen.isEmpty }

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
        for (output, file) in try chosen.map({ ($0.output, try OutputFile($0.path)) }) {
            try output.write(report, to: file.write)
            try file.close()
        }
    }
}

extension ReportOutput {
    /// A row that writes a file; that there is none of this name is a mistake here.
    fileprivate static func file(_ name: String) -> ReportOutput {
        guard let output = named(name), output.place == .file else { preconditionFailure("no output \(name)") }
        return output
    }
}

extension ArgumentHelp {
    fileprivate static func output(_ name: String) -> ArgumentHelp {
        ArgumentHelp(ReportOutput.file(name).help, valueName: "file")
    }
}
