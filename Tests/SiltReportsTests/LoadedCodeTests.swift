import SiltEvents
import Testing

@testable import SiltFindings

/// What a program loads comes once for each file, however long that takes.
struct LoadedCodeTests {
    private typealias Stack = SteadyProgram.Stack

    private static func report(_ way: [String], kept: [UInt64], libraries: [UInt64]? = nil) throws -> HeapReport {
        var stacks = [Stack(functions: ["main"] + way, kept: kept)]
        if let libraries { stacks.append(Stack(functions: ["main"], kept: libraries, bytes: 1, resource: .module)) }
        return try SteadyProgram(stacks: stacks).report()
    }

    private static let ended = SteadyProgram.steadily(20).dropLast(2) + [0, 0]

    @Test func librariesThatBecomeMoreAreNotDecidedNorIsWhatComesWithThem() throws {
        let report = try Self.report(
            ["open_plugin", "dlopen"],
            kept: SteadyProgram.steadily(20),
            libraries: SteadyProgram.steadily(4)
        )
        #expect(report.verdict == .inconclusive, "\(report.sites.map(\.evidence))")
        #expect(report.sites.allSatisfy { $0.evidence.reason == .loading })
    }

    /// Each request opens another one, for longer than any start takes.
    @Test func librariesThatBecomeEvenlyMoreForAMinuteAreALeak() throws {
        var program = SteadyProgram(stacks: [
            Stack(functions: ["main", "open_plugin", "dlopen"], kept: SteadyProgram.steadily(20)),
            Stack(functions: ["main"], kept: SteadyProgram.steadily(4), bytes: 1, resource: .module),
        ])
        program.period = 3
        let report = try program.report()
        #expect(report.verdict == .growing, "\(report.sites.map(\.evidence))")
        #expect(report.sites.allSatisfy { $0.isGrowing })
        program.stacks[1].kept = [30, 0, 0, 24, 0, 0, 0, 12, 0, 0, 0, 0, 18, 0, 0, 0, 0, 0, 0, 2, 0, 0, 5, 5]
        #expect(try program.report().verdict == .inconclusive)
    }

    /// It is opened and closed again and again.
    @Test func whatALibraryLeavesEachTimeIsALeak() throws {
        let report = try Self.report(["open_plugin", "dlopen", "start_plugin"], kept: SteadyProgram.steadily(20))
        #expect(report.verdict == .growing)
    }

    @Test func filesOfAScriptAreNotDecided() throws {
        let way = ["import_find_and_load", "new_class"]
        #expect(try Self.report(way, kept: SteadyProgram.steadily(20)).verdict == .inconclusive)
    }

    @Test func codeThatIsRunIsToldFromLoadingByItsEnd() throws {
        let way = ["builtin_exec", "new_class"]
        #expect(try Self.report(way, kept: SteadyProgram.steadily(20)).verdict == .growing)
        #expect(LoadedCode.hasEnded(Self.ended.map { Double($0) }))
        #expect(LoadedCode.hasEnded([900] + Array(repeating: 18, count: 20) + [0]))
        #expect(!LoadedCode.hasEnded(SteadyProgram.steadily(20).map { Double($0) }))
        // Few, or by bursts.
        #expect(!LoadedCode.hasEnded([1, 2, 1, 0, 2, 1, 2, 1, 0, 0]))
        #expect(!LoadedCode.hasEnded([0, 90, 0, 0, 90, 0, 0, 90, 0, 0]))
    }

    /// Files are of all sizes; requests that run the same code are not.
    @Test func codeThatIsRunIsToldFromLoadingByBeingUneven() throws {
        let files: [UInt64] = [
            300, 0, 40, 62, 0, 0, 35, 2, 0, 48, 0, 11, 60, 0, 0, 3, 51, 0, 22, 0, 44, 1, 0, 39,
        ]
        #expect(try Self.report(["builtin_exec", "new_class"], kept: files).verdict == .inconclusive)
        #expect(LoadedCode.isUneven(files.map { Double($0) }))
        #expect(!LoadedCode.isUneven(SteadyProgram.steadily(20).map { Double($0) }))
        // Chance.
        #expect(!LoadedCode.isUneven([1, 0, 2, 0, 0, 1, 3, 0, 0, 1, 0, 2, 1, 0]))
    }
}
