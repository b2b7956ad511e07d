package import SiltFindings
internal import SiltText

/// A check as JUnit XML, as Jenkins and GitLab read it: a test suite, with a test case for each phase.
///
/// What failed in a phase is one failure element, as some readers take only the first. A phase that could not be
/// measured is an error. Without phases (a trace that ran freely) the whole run is the one test case.
package enum JUnitReport {
    package static func render<Output: TextOutputStream>(_ check: CheckReport, into output: inout Output) {
        let cases = cases(of: check)
        let failures = cases.count { $0.outcome == .failed }
        let errors = cases.count { $0.isError }
        let seconds = Format.fixed(cases.reduce(0) { $0 + $1.measured.seconds }, 3)
        let counts = [
            ("tests", "\(cases.count)"), ("failures", "\(failures)"), ("errors", "\(errors)"), ("time", seconds),
        ]
        output.write("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        output.write(XML.open("testsuites", counts) + "\n")
        let suite = "silt check " + check.settings.title
        output.write("  " + XML.open("testsuite", [("name", suite)] + counts + [("skipped", "0")]) + "\n")
        for one in cases { write(one, of: check, into: &output) }
        output.write("  </testsuite>\n</testsuites>\n")
    }

    private static func cases(of check: CheckReport) -> [CheckReport.Phase] {
        guard check.phases.isEmpty else { return check.phases }
        var whole = CheckReport.Phase(HuntPhases.Phase(name: "whole run", seconds: check.report?.seconds ?? 0))
        switch check.verdict {
        case .passed: whole.outcome = .passed
        case .failed: whole.outcome = .failed
        case .inconclusive: whole.outcome = .inconclusive(check.doubt ?? .nothingRecorded)
        }
        return [whole]
    }

    private static func write<Output: TextOutputStream>(
        _ phase: CheckReport.Phase,
        of check: CheckReport,
        into output: inout Output
    ) {
        let findings = check.phases.isEmpty ? check.findings : check.findings(of: phase)
        let attributes = [
            ("name", phase.name), ("classname", "silt." + (check.settings.title.lastPathComponent)),
            ("time", Format.fixed(phase.measured.seconds, 3)),
        ]
        output.write("    " + XML.open("testcase", attributes) + "\n")
        switch phase.outcome {
        case .passed: break
        case .failed:
            let failures = findings.filter(\.isFailure)
            let message = failures.map { headline($0, check) }.joined(separator: "; ")
            let text = failures.map { describe($0, check) }.joined(separator: "\n")
            let start = XML.open("failure", [("message", message), ("type", "growth")])
            output.write("      \(start)\(XML.text(text))</failure>\n")
        case .inconclusive(let doubt):
            let reason = CheckHeadline.line(doubt)
            let start = XML.open("error", [("message", reason), ("type", "inconclusive")])
            output.write("      \(start)\(XML.text(reason))</error>\n")
        }
        let others = findings.filter { !$0.isFailure }.map { describe($0, check) }
        if !others.isEmpty {
            output.write("      <system-out>\(XML.text(others.joined(separator: "\n")))</system-out>\n")
        }
        output.write("    </testcase>\n")
    }

    private static func headline(_ finding: CheckReport.Finding, _ check: CheckReport) -> String {
        "grows \(CheckHeadline.rate([finding.site])) at \(finding.site.label): "
            + CheckHeadline.sentence(finding, check.settings)
    }

    /// The headline, the evidence and the stack, innermost frame first.
    private static func describe(_ finding: CheckReport.Finding, _ check: CheckReport) -> String {
        var lines = [headline(finding, check), finding.site.evidenceLine]
        if let distinction = WhyText.distinction(finding.site) { lines.append(distinction) }
        if let report = check.report {
            let frames = report.framesFromBlame(ofStack: finding.site.stack)
            for (index, frame) in frames.prefix(report.options.depth ?? 64).enumerated() {
                let place = frame.file.map { file in file + (frame.line.map { ":\($0)" } ?? "") } ?? frame.module
                lines.append("  #\(index) \(frame.name) \(place)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension CheckReport.Phase {
    fileprivate var isError: Bool {
        if case .inconclusive = outcome { true } else { false }
    }
}

/// Text as XML 1.0 has it.
enum XML {
    static func open(_ name: String, _ attributes: [(name: String, value: String)]) -> String {
        "<" + name + attributes.map { " \($0.name)=\"\(text($0.value))\"" }.joined() + ">"
    }

    /// Fit for content and for attribute values; what XML cannot hold (control characters, U+FFFE) becomes `?`.
    static func text(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result.append(contentsOf: "&amp;".unicodeScalars)
            case "<": result.append(contentsOf: "&lt;".unicodeScalars)
            case ">": result.append(contentsOf: "&gt;".unicodeScalars)
            case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
            case "'": result.append(contentsOf: "&apos;".unicodeScalars)
            case "\t", "\n": result.append(scalar)
            default:
                let isAllowed =
                    scalar.value >= 0x20 && !(0x7f...0x9f).contains(scalar.value) && scalar.value & 0xfffe != 0xfffe
                result.append(isAllowed ? scalar : "?")
            }
        }
        return String(result)
    }
}
