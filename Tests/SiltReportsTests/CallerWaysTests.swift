import Testing

@testable import SiltFindings

/// One function keeps what a helper makes, by the two ways that lead to it: one repair, unless the two do nothing else.
struct CallerWaysTests {
    private typealias Stack = SteadyProgram.Stack

    private static func growing(_ stacks: [Stack]) throws -> [ReportSite] {
        try SteadyProgram(stacks: stacks).report().sites.filter(\.isGrowing)
    }

    private static let kept = [
        Stack(functions: ["main", "on_get", "remember", "make_item"], kept: SteadyProgram.steadily(40)),
        Stack(functions: ["main", "on_post", "remember", "make_item"], kept: SteadyProgram.steadily(20)),
    ]

    @Test func aLeakThatIsReachedByTwoWaysIsOneFinding() throws {
        let freed = ["on_get", "on_post"].map {
            Stack(functions: ["main", $0, "scan", "make_item"], kept: SteadyProgram.steadily(0), freed: 2000)
        }
        let growing = try Self.growing(Self.kept + freed)
        #expect(growing.map { $0.caller?.function } == ["remember"])
        #expect(growing.first?.inUseCount == 60 * UInt64(SteadyProgram.seconds))
    }

    @Test func twoWhoKeepWhatOneHelperMakesAreTwo() throws {
        let freed = Stack(functions: ["main", "scan", "make_item"], kept: SteadyProgram.steadily(0), freed: 2000)
        let growing = try Self.growing(Self.kept + [freed])
        #expect(Set(growing.map { $0.caller?.function }) == ["on_get", "on_post"])
    }

    /// An extension's object that a script makes in its threads, and has made while it started.
    @Test func whatOfAnInterpreterRunsItsLoopIsNoCaller() throws {
        let way = ["_PyEval_EvalFrameDefault", "make_decoder"]
        let stacks = [
            Stack(functions: ["thread_run"] + way, kept: SteadyProgram.steadily(20), bytes: 1000),
            Stack(functions: ["import_it"] + way, kept: SteadyProgram.steadily(0), freed: 2000),
        ]
        let report = try SteadyProgram(module: "/usr/bin/python3.11", stacks: stacks).report()
        let growing = report.sites.filter(\.isGrowing)
        #expect(growing.map(\.blame.function) == ["make_decoder"])
        #expect(growing.map { $0.caller?.function } == [nil])
    }
}
