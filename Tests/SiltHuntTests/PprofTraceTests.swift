import Foundation
import SiltHTTP
import SiltPlan
import SiltPprof
import SiltRecording
import SiltTestSupport
import Testing

@testable import SiltHunt

struct PprofTraceTests {
    /// A real service's profiles, handed on by an endpoint that hangs after two rounds (Tests/Workloads).
    @Test func anEndpointThatHangsEndsTheHuntAndTheRoundsBeforeAreKept() throws {
        let folder = try ScratchFolder()
        let (upstream, port) = (try freePort(), try freePort())
        let service = try StartedProgram(
            [try buildGoWorkload("cgoserver", into: folder), "-listen", "127.0.0.1:\(upstream)"]
        )
        defer { service.end() }
        let script = packageRoot.appending(path: "Tests/Workloads/failing_profiles.py").path()
        let proxy = try StartedProgram(["python3", script, "\(port)", "127.0.0.1:\(upstream)", "6", "hangs"])
        defer { proxy.end() }
        try waitUntil("both listen") { connects(port: upstream) && connects(port: port) }
        var endpoint = PprofEndpoint(try PprofAddress("127.0.0.1:\(port)"))
        endpoint.totalSeconds = 1
        let file = folder.file("hunt.silt")
        let trace = PprofTrace(endpoint, recording: file, command: ["service"], siltVersion: "")
        var plan = HuntPlan()
        plan.idleSeconds = 0
        plan.settleSeconds = 0
        plan.phases = [HuntPhase(name: "order", script: "echo silt: requests=10")]
        let error = #expect(throws: HTTPError.self) { try Hunt(plan, trace: trace, service: nil).run() }
        #expect(error == .timedOut("http://127.0.0.1:\(port)/debug/pprof/goroutine", seconds: 1))
        #expect(error?.description.contains("is the service stuck") == true)
        try trace.finish()
        let recording = try Recording(path: file)
        #expect(recording.isClosed && recording.rounds.map(\.requests) == [10, 10])
        #expect(recording.processes.map(\.isProfiled) == [true])
        #expect(recording.snapshots.count == 3)
        #expect(recording.target.allocator.hasPrefix("profiles of http://127.0.0.1:\(port)/debug/pprof"))
    }
}
