import Foundation
import SiltHTTP
import SiltPprof
import SiltTestSupport
import Testing

@testable import SiltHunt

struct GoRuntimeFramesTests {
    /// A real service with goroutines that wait in a select (Tests/Workloads/goserver).
    @Test func placesInQueuesAreToldFromObjectsOfTheWaitingLine() throws {
        let folder = try ScratchFolder()
        let port = try freePort()
        let service = try StartedProgram(
            [try buildGoWorkload("goserver", into: folder), "-listen", "127.0.0.1:\(port)", "-rate", "1"]
        )
        defer { service.end() }
        try waitUntil("it listens") { connects(port: port) }
        for route in ["conn", "slice"] {
            _ = try consume(["curl", "-sS", "--fail", "-o", "/dev/null", "http://127.0.0.1:\(port)/\(route)?[1-60]"])
        }
        let endpoint = PprofEndpoint(try PprofAddress("127.0.0.1:\(port)"))
        var profile = try endpoint.fetch(.heap)
        let before = profile.samples.count
        var frames = GoRuntimeFrames()
        frames.restore(in: &profile, from: endpoint)
        #expect(profile.samples.count == before)
        let inUse = try profile.inUse()
        let waiting = inUse.stacks.filter { inUse.names(of: $0).first?.function == "runtime.acquireSudog" }
        // Each connection that is left open has a reader, which waits in a select; some places come from elsewhere.
        let readers = waiting.filter { inUse.names(of: $0).dropFirst().first?.function.hasSuffix(".readLoop") == true }
        #expect(readers.reduce(0) { $0 + $1.count } > 30)
        #expect(waiting.allSatisfy { $0.bytes == 96 * $0.count })
        let orders = inUse.stacks.filter { inUse.names(of: $0).first?.function == "main.newOrder" }
        #expect(orders.reduce(0) { $0 + $1.count } >= 60)
    }

    @Test func anEndpointWithoutTheTableOfFunctionsIsTakenAsItIs() throws {
        let folder = try ScratchFolder()
        let (upstream, port) = (try freePort(), try freePort())
        let service = try StartedProgram(
            [try buildGoWorkload("goserver", into: folder), "-listen", "127.0.0.1:\(upstream)", "-rate", "1"]
        )
        defer { service.end() }
        let script = packageRoot.appending(path: "Tests/Workloads/failing_profiles.py").path()
        let proxy = try StartedProgram(["python3", script, "\(port)", "127.0.0.1:\(upstream)", "9", "missing"])
        defer { proxy.end() }
        try waitUntil("both listen") { connects(port: upstream) && connects(port: port) }
        let endpoint = PprofEndpoint(try PprofAddress("127.0.0.1:\(port)"))
        let profile = try endpoint.fetch(.heap)
        var (frames, restored) = (GoRuntimeFrames(), profile)
        frames.restore(in: &restored, from: endpoint)
        #expect(restored == profile)
    }

    @Test(arguments: [
        ("2: 192 [7: 672] @ 0x43b617 0x44ad4a\n#\t0x44ad49\tmain.main+0x1\tmain.go:1\n", [[0x43b617, 0x44ad4a]]),
        ("heap profile: 1: 2 [3: 4] @ heap/2\n1: 65536 [1: 65536] @ 0x1\n\n# Alloc = 3 @ 0x5\n", [[0x1]]),
        ("7 @ 0xffffffffffffffffff 0x2 x\n12\n", [[0x2]]),
        ("", []),
    ])
    func stacksAreReadFromTheText(_ text: String, _ stacks: [[UInt64]]) {
        #expect(GoHeapStacks.addresses(in: [UInt8](text.utf8)) == stacks)
    }
}
