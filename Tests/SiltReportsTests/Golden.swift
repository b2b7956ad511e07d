import SiltTestSupport
import Testing

/// Compares with a file of the folder Golden; with SILT_REWRITE_GOLDEN=1 writes it and fails.
func expectGolden(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    for difference in try differences(of: text, fromGolden: name, beside: #filePath) {
        Issue.record("\(difference)", sourceLocation: sourceLocation)
    }
}
