import Foundation

/// The matrix as text, as Markdown and as JSON.
enum MatrixTable {
    private static let titles = [
        "program", "native", "silt run", "preload", "events", "lost", "sent = received", "stacks complete", "CPU, run",
        "CPU, preload",
    ]

    private static func cells(_ row: Row) -> [String] {
        guard row.missing.isEmpty else { return [row.name, "missing: \(row.missing.joined(separator: ", "))"] }
        let ways = Way.allCases.compactMap { row.traced[$0.rawValue] }
        return [row.name, String(format: "%.1f s", row.nativeSeconds)]
            + ways.map { $0.isGood ? (row.isMasked ? "same, masked" : "same") : "DIFFERS" }
            + [
                "\(ways.map(\.events).reduce(0, +))", "\(ways.map(\.lost).reduce(0, +))",
                ways.allSatisfy { $0.events == $0.received } ? "yes" : "NO",
                String(format: "%.2f %%", ways.map(\.completePercent).min() ?? 0),
            ] + ways.map { String(format: "%.2f", $0.cpuRatio) }
    }

    private static let widths = [18, 8, 12, 12, 10, 4, 15, 15, 8, 12]

    private static func line(_ cells: [String]) -> String {
        zip(cells, widths).map { $0.padding(toLength: max($1, $0.count), withPad: " ", startingAt: 0) }
            .joined(separator: "  ")
    }

    static var heading: String { line(titles) }

    static func line(_ row: Row) -> String {
        let differences = Way.allCases.flatMap { way in
            (row.traced[way.rawValue]?.differences ?? []).map { "\n    \(way.rawValue): \($0)" }
        }
        return line(cells(row)) + differences.joined()
    }

    static func markdown(_ rows: [Row]) -> String {
        let lines = [titles, titles.map { _ in "---" }] + rows.map(cells)
        return lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }

    static func json(_ rows: [Row]) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return try encoder.encode(rows)
    }
}
