import Foundation
import SiltTestSupport
import Testing

@testable import silt_conformance

/// What `silt-conformance python-packages` hunts.
struct PythonServiceTests {
    @Test func twentyPackagesArePinnedAndUsedUnderBothAllocators() throws {
        let services = try PythonService.all
        let clean = services.filter { $0.leak == nil }
        #expect(Set(clean.map(\.package)).count == 20 && clean.count == 40)
        #expect(Set(services.map { "\($0.name) \($0.allocator)" }).count == services.count)
        #expect(services.allSatisfy { $0.version.first?.isNumber == true })
        let uses = packageRoot.appending(path: "Tests/Conformance/python/uses.py")
        let lines = try String(contentsOf: uses, encoding: .utf8).split(separator: "\n")
        let missing = clean.filter { !lines.contains("def \($0.package)():") }
        #expect(missing.map(\.package) == [])
    }

    @Test func resultsComeInTheOrderOfTheWork() {
        let done = inParallel(Array(0..<100), atMost: 4) {
            2 * $0
        } told: { _ in
        }
        #expect(done == (0..<100).map { 2 * $0 })
    }
}
