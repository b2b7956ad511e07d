package import SiltFindings
internal import SiltText

/// What grows, for an issue or the comment of a pull request: GitHub Flavored Markdown, a table and the details folded.
package enum MarkdownExport {
    private static let named = 10

    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        let whole = WholeProcess(report)
        output.write("**\(escaped(report.verdictLine))**\n")
        if let answer = whole.answer { output.write("\n\(escaped(answer))\n") }
        let command = report.recording.target.command
        if !command.isEmpty {
            let time = report.seconds > 0 ? ", watched for \(Format.duration(report.seconds))" : ""
            output.write("\n\(code(Format.commandLine(command)))\(time)\n")
        }
        let growing = report.findings.own
        let shown = Array(growing.prefix(report.options.limit ?? named).enumerated())
        if !shown.isEmpty { table(shown, report, into: &output) }
        if growing.count > shown.count { output.write("\nand \(Headline.more(growing.count - shown.count))\n") }
        for (index, site) in shown { details(of: site, number: index + 1, report, into: &output) }
        for line in whole.lines { output.write("\n\(escaped(line))\n") }
        output.write("\n\(escaped(TrustText.line(report)))\n")
    }

    private static func table<Output: TextOutputStream>(
        _ sites: [(offset: Int, element: ReportSite)],
        _ report: HeapReport,
        into output: inout Output
    ) {
        let hasPhases = !report.phases.isEmpty
        var columns = ["", "rate", "where to mend it", "holds", "confidence"]
        if hasPhases { columns.insert("phase", at: 1) }
        func row(_ cells: [String]) { output.write("| " + cells.joined(separator: " | ") + " |\n") }
        output.write("\n")
        row(columns)
        row(columns.map { _ in "---" })
        for (index, site) in sites {
            var cells = [
                "\(index + 1)", escaped(FindingText.rates(site, report) ?? ""), code(site.label, isInTable: true),
                escaped(FindingText.held(site)), ConfidenceText.word(site.confidence),
            ]
            if hasPhases { cells.insert(escaped(site.phase ?? ""), at: 1) }
            row(cells)
        }
    }

    private static func details<Output: TextOutputStream>(
        of site: ReportSite,
        number: Int,
        _ report: HeapReport,
        into output: inout Output
    ) {
        output.write("\n<details><summary>\(number): \(XML.text(site.label.printable))</summary>\n\n")
        output.write(escaped(FindingText.evidence(site, report)) + "\n")
        for note in FindingText.notes(site, report) { output.write("\n\(escaped(note))\n") }
        if let distinction = WhyText.distinction(site) { output.write("\n\(code(distinction))\n") }
        fenced(WayText(site, report).whole(limit: report.options.depth), into: &output)
        if report.options.showsSource, let file = site.fix.file, let line = site.fix.line {
            let source = SourceLines.around(line, of: file)
            fenced(source.map { SourceLines.numbered($1, $0, isMeant: $0 == line) }, into: &output)
        }
        if let next = NextStep.line(site, report) { output.write("\nnext: \(code(next))\n") }
        output.write("\n</details>\n")
    }

    /// Lines as they stand, between more backticks than are in them.
    private static func fenced<Output: TextOutputStream>(_ lines: [String], into output: inout Output) {
        guard let longest = lines.map(longestRunOfBackticks).max() else { return }
        let fence = String(repeating: "`", count: max(3, longest + 1))
        output.write("\n\(fence)text\n" + lines.map { $0.printable + "\n" }.joined() + fence + "\n")
    }

    /// A code span: between more backticks than are in it (CommonMark §6.1); in a table a bar would end the cell.
    private static func code(_ text: String, isInTable: Bool = false) -> String {
        let shown = isInTable ? text.printable.replacing("|", with: "\\|") : text.printable
        let longest = longestRunOfBackticks(shown)
        let marks = String(repeating: "`", count: longest + 1)
        return longest == 0 ? marks + shown + marks : "\(marks) \(shown) \(marks)"
    }

    private static func longestRunOfBackticks(_ text: String) -> Int {
        var (longest, current) = (0, 0)
        for byte in text.utf8 {
            current = byte == UInt8(ascii: "`") ? current + 1 : 0
            longest = max(longest, current)
        }
        return longest
    }

    /// As text that means nothing but itself (CommonMark §2.4).
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.printable {
            if "\\`*_{}[]<>#|~&".contains(character) { result.append("\\") }
            result.append(character)
        }
        return result
    }
}
