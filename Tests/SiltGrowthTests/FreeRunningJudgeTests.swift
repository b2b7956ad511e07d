import Testing

@testable import SiltGrowth
@testable import SiltHeap

struct FreeRunningJudgeTests {
    @Test(arguments: try GrowthCase.load(.freeRun))
    func labelledCaseGetsItsVerdict(_ labelled: GrowthCase) throws {
        let series = labelled.replay().series(atSnapshot: UInt32(labelled.snapshots ?? 0))
        let verdict = labelled.ages == false ? judgeWithoutBirths(series) : judge(series)
        #expect(verdict.verdict.rawValue == labelled.expectation.verdict, "\(verdict)")
        if let slope = labelled.expectation.slope, let tolerance = labelled.expectation.tol {
            #expect(abs(verdict.slope - slope) <= max(tolerance, 1e-9 * abs(slope)), "\(verdict)")
        }
        if let confidence = labelled.expectation.confidence, !confidence.isEmpty {
            #expect(verdict.confidence?.rawValue == confidence, "\(verdict)")
        }
        if let reason = labelled.expectation.reason, !reason.isEmpty {
            #expect(verdict.reason.rawValue == reason, "\(verdict)")
        }
    }

    @Test func thereAreCasesOfThisKind() throws {
        #expect(try GrowthCase.load(.freeRun).isEmpty == false)
    }
}
