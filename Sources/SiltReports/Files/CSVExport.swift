package import SiltFindings
internal import SiltText

/// The call sites of a report as a table, one to a row, for spreadsheets and databases (RFC 4180).
package enum CSVExport {
    /// A column's name, and what a site has in it; numbers are plain, what is unknown is empty.
    private typealias Column = (name: String, text: @Sendable (ReportSite) -> String)

    private static let columns: [Column] = [
        ("rank", { "\($0.rank)" }), ("kind", { $0.resource.name }), ("phase", { $0.phase ?? "" }),
        ("verdict", { $0.verdict.rawValue }), ("confidence", { $0.confidence.rawValue }),
        ("reason", { $0.evidence.reason.rawValue }),
        ("rate", { number($0.rate?.value) }), ("rate_low", { number($0.rate?.low) }),
        ("rate_high", { number($0.rate?.high) }), ("unit", { $0.rate?.unit.rawValue ?? "" }),
        ("function", { $0.blame.name }),
        ("file", { $0.blame.file ?? "" }), ("line", { $0.blame.line.map { "\($0)" } ?? "" }),
        ("module", { $0.blame.module }), ("caller", { $0.caller?.name ?? "" }),
        ("inuse_space", { "\($0.inUseBytes)" }), ("inuse_objects", { "\($0.inUseCount)" }),
        ("alloc_space", { "\($0.allocatedBytes)" }), ("alloc_objects", { "\($0.allocatedCount)" }),
        ("peak_space", { "\($0.peakBytes)" }), ("peak_objects", { "\($0.peakCount)" }),
        ("temporary_objects", { "\($0.temporaryCount)" }), ("moved_objects", { "\($0.movedCount)" }),
        ("moved_space", { "\($0.movedBytes)" }), ("stacks", { "\($0.stackCount)" }),
        ("leak_fraction", { number($0.leakFraction) }), ("evidence", { $0.evidenceLine }),
    ]

    /// The first line names the columns; lines end with CR and LF.
    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        write(columns.map(\.name), into: &output)
        for site in report.sites.prefix(report.options.limit ?? Int.max) {
            write(columns.map { $0.text(site) }, into: &output)
        }
    }

    private static func write<Output: TextOutputStream>(_ fields: [String], into output: inout Output) {
        output.write(fields.map(quoted).joined(separator: ",") + "\r\n")
    }

    /// In quotes where it has a comma, a quote or a line's end; a quote in it is doubled.
    private static func quoted(_ field: String) -> String {
        // NUL ends the text for most readers.
        let text = field.unicodeScalars.contains("\0") ? field.printable : field
        guard text.utf8.contains(where: { Array("\",\r\n".utf8).contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    private static func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
}
