package import SiltFindings
internal import SiltText

/// Suppressions of the call sites that grow, as LeakSanitizer and `silt check --allow` read them.
///
/// A line lets pass all that has the function to mend in its stack: more than the call site, hence for people to cut down.
package enum SuppressionExport {
    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        output.write("# Call sites that grow")
        let command = Format.commandLine(report.recording.target.command).printable
        if !command.isEmpty { output.write(" in \(command)") }
        output.write(", written by silt report --suppressions.\n")
        output.write(
            "# Each line lets pass whatever has the function in its stack: keep those that are meant to grow.\n"
        )
        output.write("# silt check --allow FILE, or LSAN_OPTIONS=suppressions=FILE\n")
        let growing = report.sites.filter(\.isGrowing)
        if growing.isEmpty { output.write("#\n# Nothing grows: there is nothing to suppress.\n") }
        var written = Set<String>()
        for site in growing {
            // A helper with innocent callers is suppressed by the caller: else they would pass as well.
            let named = site.fix.function.isEmpty ? site.blame : site.fix
            let pattern = pattern(of: named.function)
            let line = pattern.map { "leak:" + $0 } ?? ""
            output.write("\n# \(describe(site))\n")
            if named != site.blame { output.write("# allocated through \(site.blame.label)\n") }
            if line.isEmpty {
                output.write("# it has no function name; this would let pass all of its file:\n")
                output.write("# leak:\(site.blame.module.lastPathComponent)\n")
            } else if written.insert(line).inserted {
                output.write(line + "\n")
            } else {
                output.write("# passes with \(line) above\n")
            }
        }
    }

    /// As `1  +101 B/request on orders  make_record redis_leak_module.c:34  247 KiB in 250 blocks, high`.
    private static func describe(_ site: ReportSite) -> String {
        var parts = ["\(site.rank)"]
        if let rate = site.rate {
            parts.append(rate.unit.gain(rate.value) + (site.phase.map { " on " + $0 } ?? ""))
        }
        parts.append(site.fix.label)
        parts.append(FindingText.held(site))
        return (parts.joined(separator: "  ") + ", confidence " + site.confidence.rawValue).printable
    }

    /// Bound to both ends of the name, so that `main` does not let `domain` pass; nil for a function without a name.
    ///
    /// What a pattern takes for something else becomes `*`, which matches it, too; a `*` in a name matches itself.
    static func pattern(of function: String) -> String? {
        guard !function.isEmpty else { return nil }
        let scalars = function.unicodeScalars.map { scalar -> Unicode.Scalar in
            scalar == "$" || scalar.value < 0x20 || scalar.value == 0x7f ? "*" : scalar
        }
        var name = String.UnicodeScalarView()
        name.append(contentsOf: scalars)
        return "^" + String(name) + "$"
    }
}
