import Foundation
import Testing

/// Compares with a file of the folder Golden; with SILT_REWRITE_GOLDEN=1 writes it and fails.
func expectGolden(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden/\(name)")
    if ProcessInfo.processInfo.environment["SILT_REWRITE_GOLDEN"] != nil {
        try text.write(to: url, atomically: true, encoding: .utf8)
        Issue.record("rewrote \(name)", sourceLocation: sourceLocation)
        return
    }
    let golden = try String(contentsOf: url, encoding: .utf8)
    let (got, wanted) = (
        text.split(separator: "\n", omittingEmptySubsequences: false),
        golden.split(separator: "\n", omittingEmptySubsequences: false)
    )
    for (number, pair) in zip(got, wanted).enumerated() where pair.0 != pair.1 {
        Issue.record(
            "\(name):\(number + 1)\n  is     \(pair.0)\n  should \(pair.1)",
            sourceLocation: sourceLocation
        )
    }
    #expect(got.count == wanted.count, "lines of \(name)", sourceLocation: sourceLocation)
}
