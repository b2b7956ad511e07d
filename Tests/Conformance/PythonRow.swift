import Foundation

/// A row of the table: what a hunt said of a Python service.
struct PythonRow: Sendable {
    enum Verdict: Sendable {
        case acquitted
        /// Nothing is charged, and something is not acquitted: the report's first line.
        case open(String)
        case accused([String])
        /// The leak that was added, and one that was not found.
        case found(String)
        case missed(String)
        case failed(String)
    }

    var service: PythonService
    var seconds: Double
    var verdict: Verdict

    var isGood: Bool {
        switch verdict {
        case .acquitted, .open, .found: true
        case .accused, .missed, .failed: false
        }
    }

    private var words: String {
        switch verdict {
        case .acquitted: "acquitted"
        case .open(let line): "open: \(line)"
        case .accused(let charges): (["ACCUSED"] + charges).joined(separator: "\n    ")
        case .found(let charge): "found: \(charge)"
        case .missed(let line): "MISSED: \(line)"
        case .failed(let reason): "FAILED: \(reason)"
        }
    }

    private static let widths = [22, 14, 8, 6]

    private static func line(_ cells: [String]) -> String {
        zip(cells, widths).map { $0.padding(toLength: max($1, $0.count), withPad: " ", startingAt: 0) }
            .joined(separator: "  ") + "  "
    }

    static var heading: String { line(["service", "version", "malloc", "time"]) + "verdict" }

    var line: String {
        Self.line([service.name, service.version, service.allocator.rawValue, String(format: "%.0f s", seconds)])
            + words
    }
}
