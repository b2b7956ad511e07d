import Foundation
import SiltPlan
import SiltTestSupport
import Testing

/// The plan that README shows: it loads routes of two servers, each of which leaks at a marked line.
@Suite struct CulpritsPlanTests {
    private static func text(_ name: String) throws -> String {
        let file = packageRoot.appending(path: "Tests/Workloads/\(name)")
        return try String(contentsOf: file, encoding: .utf8)
    }

    @Test func eachPhaseLoadsARouteThatLeaksAtAMarkedLine() throws {
        let plan = try HuntPlan(yaml: Self.text("culprits.yml"), file: "culprits.yml")
        let classics = try Self.text("classics.cpp")
        let service = try Self.text("goserver/objects.go") + Self.text("goserver/connections.go")
        #expect(plan.phases.count == 8 && plan.pprof != nil)
        for phase in plan.phases {
            if phase.name.hasPrefix("go-") {
                let route = phase.name.dropFirst("go-".count)
                #expect(phase.script.contains("/\(route)?[1-100]") && phase.requestsPerRun == 100, "\(phase)")
                #expect(service.contains("// leaks: \(route)\n"), "\(phase)")
            } else {
                #expect(phase.script.hasSuffix(" \(phase.name) 500"), "\(phase)")
                #expect(classics.contains("// leak: \(phase.name) "), "\(phase)")
            }
        }
    }
}
