internal import ArgumentParser
internal import SiltReports

/// The ways in which `silt report` shows a recording on the terminal: rows of `ReportOutput`.
struct ReportView: EnumerableFlag {
    let output: ReportOutput

    static let allCases = ReportOutput.all.filter { $0.place == .terminal }.map { ReportView(output: $0) }

    static func name(for view: ReportView) -> NameSpecification { .customLong(view.output.name) }

    static func help(for view: ReportView) -> ArgumentHelp? { ArgumentHelp(stringLiteral: view.output.help) }
}
