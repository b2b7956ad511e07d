import Testing

@testable import SiltFindings

/// CPython's own caches and lists of free objects fill as evenly as a leak, and are bounded.
struct InterpreterCachesTests {
    private static let python = "/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0"

    private static func site(blocks: UInt64, bytes: UInt64 = 100, of module: String = python) throws -> HeapReport {
        let names = ["main", "_PyEval_EvalFrameDefault", "PySequence_Tuple"]
        let stack = SteadyProgram.Stack(functions: names, kept: SteadyProgram.steadily(blocks), bytes: bytes)
        return try SteadyProgram(module: module, stacks: [stack]).report()
    }

    @Test func whatTheyMayHoldIsNotDecided() throws {
        let report = try Self.site(blocks: 80)
        #expect(report.verdict == .inconclusive && report.sites.map(\.verdict) == [.stillFilling])
        #expect(report.sites.first?.evidence.reason == .inCaches)
    }

    @Test func moreIsCharged() throws { #expect(try Self.site(blocks: 400).verdict == .growing) }

    @Test func soIsWhatIsLargerThanTheirObjects() throws {
        #expect(try Self.site(blocks: 80, bytes: 1033).verdict == .growing)
    }

    @Test func soIsWhatOtherProgramsKeep() throws {
        #expect(try Self.site(blocks: 80, of: "/opt/shop").verdict == .growing)
    }

    /// None of several alone is more than they hold.
    @Test func whatGrowsAtManySitesIsCharged() throws {
        let stacks = ["PyDict_New", "PyList_New", "object_new", "PyLong_FromLong", "PyBytes_Repeat"].map {
            SteadyProgram.Stack(
                functions: ["main", "_PyEval_EvalFrameDefault", $0],
                kept: SteadyProgram.steadily(80)
            )
        }
        #expect(try SteadyProgram(module: Self.python, stacks: stacks).report().verdict == .growing)
    }

    /// Ruby's strings and V8's buffers wait for a collection that a short run does not see.
    @Test(
        arguments: [
            ("/usr/lib/x86_64-linux-gnu/libruby-3.1.so.3.1", "rb_vm_exec"), ("/usr/bin/node", "Builtins_CallFunction"),
        ]
    )
    func whatWaitsForACollectorIsNotDecidedUntilItIsMore(module: String, loop: String) throws {
        let seen: [(blocks: UInt64, bytes: UInt64, verdict: HeapReport.Verdict)] = [
            (80, 1033, .inconclusive), (2000, 4096, .growing),
        ]
        for (blocks, bytes, verdict) in seen {
            let stack = SteadyProgram.Stack(
                functions: ["main", loop, "make_text"],
                kept: SteadyProgram.steadily(blocks),
                bytes: bytes
            )
            let report = try SteadyProgram(module: module, stacks: [stack]).report()
            #expect(report.verdict == verdict, "\(report.sites.map(\.evidence))")
        }
    }
}
