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
        #expect(try Self.missing(from: "uses.py", clean) == [])
    }

    @Test func versionsThatLeakAreUsedAndSayWhere() throws {
        let leaking = try PythonService.all.filter(\.leaksByItself)
        #expect(leaking.count == 5 && leaking.allSatisfy { $0.leak?.makes.isEmpty == false })
        #expect(try Self.missing(from: "leaks.py", leaking) == [])
    }

    /// Packages that have no function there.
    private static func missing(from file: String, _ services: [PythonService]) throws -> [String] {
        let uses = packageRoot.appending(path: "Tests/Conformance/python/\(file)")
        let lines = try String(contentsOf: uses, encoding: .utf8).split(separator: "\n")
        return services.map(\.package).filter { !lines.contains("def \($0)():") }
    }

    @Test func resultsComeInTheOrderOfTheWork() {
        let done = inParallel(Array(0..<100), atMost: 4) {
            2 * $0
        } told: { _ in
        }
        #expect(done == (0..<100).map { 2 * $0 })
    }
}
