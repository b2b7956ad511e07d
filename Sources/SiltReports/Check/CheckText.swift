package import SiltFindings
internal import SiltText

/// A check for a terminal or the log of a build: the verdict first, then what failed, what was let pass and by whom.
package enum CheckText {
    /// `width` and `color` as in `ReportOptions`.
    package static func render<Output: TextOutputStream>(
        _ check: CheckReport,
        width: Int,
        color: Bool,
        into output: inout Output
    ) {
        var page = TextPage(width: max(40, width), isColored: color)
        switch check.verdict {
        case .passed: page.paragraph("PASSED: " + check.headline, indent: 2, style: .green, first: 0)
        case .failed: page.paragraph("FAILED: " + check.headline.printable, indent: 2, style: .red, first: 0)
        case .inconclusive:
            page.paragraph("INCONCLUSIVE: " + check.headline.printable, indent: 2, style: .yellow, first: 0)
        }
        if check.verdict == .failed, !check.reason.isEmpty {
            page.paragraph("not all was measured: " + check.reason.firstLine.printable, indent: 2)
        }
        failures(check, &page)
        list("let pass:", check, &page) {
            switch $0 {
            case .allowed, .withinLimit: true
            case .failed, .doubtful: false
            }
        }
        list("in doubt:", check, &page) { $0 == .doubtful }
        unused(check, &page)
        mended(check, &page)
        phases(check, &page)
        output.write(page.text)
    }

    private static func failures(_ check: CheckReport, _ page: inout TextPage) {
        guard let report = check.report else { return }
        for (index, finding) in check.failures.enumerated() {
            FindingText.write(finding.site, number: index + 1, report, TextReport.form(index, report), &page)
            let phase = finding.site.phase.map { "in \($0.printable): " } ?? ""
            page.paragraph(phase + CheckHeadline.sentence(finding, check.settings).printable, indent: 4)
            if let words = NextStep.allowance(finding.site) {
                page.command("meant to grow? add \(words.printable)", indent: 4)
            }
            if let (line, share) = finding.partly {
                page.paragraph(
                    "\(line.printable) matches stacks with \(Format.share(100 * share)) of it only: it does not count",
                    indent: 4
                )
            }
        }
    }

    private static func list(
        _ title: String,
        _ check: CheckReport,
        _ page: inout TextPage,
        where isShown: (CheckReport.Outcome) -> Bool
    ) {
        let shown = check.findings.filter { isShown($0.outcome) }
        guard !shown.isEmpty else { return }
        page.line("")
        page.line(title)
        for finding in shown {
            let phase = finding.site.phase.map { $0.printable + " " } ?? ""
            page.paragraph(
                "\(phase)+\(CheckHeadline.rate([finding.site])) at \(finding.site.label): "
                    + CheckHeadline.sentence(finding, check.settings).printable,
                indent: 2
            )
        }
    }

    private static func unused(_ check: CheckReport, _ page: inout TextPage) {
        let unused = check.settings.suppressions.unused
        guard !unused.isEmpty else { return }
        page.line("")
        page.line("suppressions that let nothing pass:")
        for entry in unused { page.paragraph("\(entry.line.printable) (\(entry.source.printable))", indent: 2) }
    }

    private static func mended(_ check: CheckReport, _ page: inout TextPage) {
        guard !check.mended.isEmpty else { return }
        page.line("")
        page.line("in the baseline, and no longer growing (write it anew):")
        for entry in check.mended {
            let phase = entry.phase.map { $0.printable + " " } ?? ""
            page.paragraph("\(phase)\(entry.stacks.first?.first?.printable ?? "")", indent: 2)
        }
    }

    private static func phases(_ check: CheckReport, _ page: inout TextPage) {
        let rows = check.phases.map { phase in
            let size = phase.measured.rounds > 0 ? ": " + HuntHeadline.size(of: phase.measured) : ""
            return (name: phase.name, words: phase.outcome.text + size)
        }
        page.list("phases:", rows)
    }
}

extension CheckReport.Phase.Outcome {
    var text: String {
        switch self {
        case .passed: "passed"
        case .failed: "failed"
        case .inconclusive(let reason): "inconclusive, \(CheckHeadline.line(reason).firstLine)"
        }
    }
}
