import SiltGrowth
import Testing

@testable import SiltFindings
@testable import SiltReports

/// What grew until the whole program rested has not stopped by itself.
struct ProcessRestTests {
    private static func report(busy seconds: Int, temporaries: UInt64 = 0) throws -> HeapReport {
        let kept = (0..<SteadyProgram.seconds).map { $0 < seconds ? UInt64(20) : 0 }
        let stack = SteadyProgram.Stack(functions: ["main", "place_order", "make_record"], kept: kept)
        return try SteadyProgram(stacks: [stack], temporaries: temporaries).report()
    }

    @Test(arguments: [24, 22, 20])
    func aLeakIsChargedThoughTheProgramRestsAtTheEnd(seconds: Int) throws {
        let report = try Self.report(busy: seconds)
        #expect(report.verdict == .growing)
        #expect(abs((report.growing.first?.rate?.value ?? 0) - 2000) < 20, "\(report.sites.map(\.evidenceLine))")
    }

    @Test func aLongRestLeavesItOpen() throws {
        let report = try Self.report(busy: 14)
        #expect(report.verdict == .inconclusive)
        let line = report.obstacle.map(ObstacleText.line) ?? ""
        #expect(line.hasPrefix("resting? ") && line.contains("until the program rested, for 10 s"), "\(line)")
    }

    @Test func whatIsLoadedAtTheStartIsNoLeak() throws { #expect(try Self.report(busy: 6).verdict == .notGrowing) }

    @Test(arguments: [20, 14])
    func whatStopsWhileTheProgramWorksIsAPlateau(seconds: Int) throws {
        #expect(try Self.report(busy: seconds, temporaries: 40).verdict == .notGrowing)
    }
}
