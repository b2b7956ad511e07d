package import SiltFindings

/// A check as workflow commands of GitHub Actions, which shows them at the lines they name.
///
/// What failed and what could not be measured is an error, what was let pass or is in doubt a warning
/// (docs.github.com/actions, "Workflow commands"; the escaping as in actions/toolkit, command.ts).
package enum GitHubAnnotations {
    /// Paths below `workingDirectory` are written relative to it.
    package static func render<Output: TextOutputStream>(
        _ check: CheckReport,
        workingDirectory: String,
        into output: inout Output
    ) {
        for finding in check.findings {
            let isShown =
                switch finding.outcome {
                case .failed, .allowed, .doubtful: true
                case .withinLimit: false
                }
            guard isShown else { continue }
            let site = finding.site
            var properties: [(String, String)] = []
            if let file = site.fix.file, let line = site.fix.line {
                properties = [("file", relative(file, to: workingDirectory)), ("line", "\(line)")]
            }
            let phase = site.phase.map { "in \($0) " } ?? ""
            properties.append(("title", "silt: grows \(phase)\(CheckHeadline.rate([site]))"))
            var message = "\(site.label): \(CheckHeadline.sentence(finding, check.settings))"
            message += "\n" + site.evidenceLine
            if let distinction = WhyText.distinction(site) { message += "\n" + distinction }
            output.write(command(finding.isFailure ? "error" : "warning", properties, message))
        }
        for phase in check.phases {
            guard case .inconclusive(let reason) = phase.outcome else { continue }
            output.write(
                command("error", [("title", "silt: \(phase.name) could not be measured")], CheckHeadline.line(reason))
            )
        }
        if check.phases.isEmpty, check.verdict == .inconclusive {
            output.write(command("error", [("title", "silt could not measure")], check.reason))
        }
    }

    static func command(_ name: String, _ properties: [(String, String)], _ message: String) -> String {
        let words = properties.map { "\($0.0)=" + escaped($0.1, isProperty: true) }.joined(separator: ",")
        return "::\(name)\(words.isEmpty ? "" : " " + words)::" + escaped(message, isProperty: false) + "\n"
    }

    private static func escaped(_ text: String, isProperty: Bool) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "%": result.append(contentsOf: "%25".unicodeScalars)
            case "\r": result.append(contentsOf: "%0D".unicodeScalars)
            case "\n": result.append(contentsOf: "%0A".unicodeScalars)
            case ":" where isProperty: result.append(contentsOf: "%3A".unicodeScalars)
            case "," where isProperty: result.append(contentsOf: "%2C".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// The path without `.` and `..`, and relative to the folder when it is below it.
    static func relative(_ path: String, to folder: String) -> String {
        guard path.hasPrefix("/") else { return path }
        let parts = components(path)
        let base = components(folder)
        guard parts.count > base.count, parts.starts(with: base) else { return "/" + parts.joined(separator: "/") }
        return parts.dropFirst(base.count).joined(separator: "/")
    }

    private static func components(_ path: String) -> [Substring] {
        var result: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = result.popLast() } else { result.append(part) }
        }
        return result
    }
}
