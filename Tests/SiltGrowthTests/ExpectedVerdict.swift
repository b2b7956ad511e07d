import Testing

@testable import SiltGrowth

extension GrowthCase.Expectation {
    /// Checks a verdict against all that is expected of it; `rate`: its slope in the unit of the case.
    func check(_ found: GrowthVerdict, rate: (slope: Double, error: Double), _ comment: Comment) {
        if verdict == "not growing" {
            #expect(!found.verdict.isGrowing, comment)
        } else {
            #expect(found.verdict.rawValue == verdict, comment)
        }
        if let slope, let tol { #expect(abs(rate.slope - slope) <= max(tol, 1e-9 * abs(slope)), comment) }
        if let perRequest, let perRequestTol {
            #expect(abs(found.perRequest - perRequest) <= max(perRequestTol, 1e-9 * abs(perRequest)), comment)
        }
        if let confidence, !confidence.isEmpty { #expect(found.confidence?.rawValue == confidence, comment) }
        if let reason, !reason.isEmpty { #expect(found.reason.rawValue == reason, comment) }
        guard let ref else { return }
        // Without data no reason is given.
        #expect((found.verdict == .notEnoughData ? "" : found.reason.rawValue) == ref.reason, comment)
        #expect((found.confidence?.rawValue ?? "") == ref.confidence, comment)
        #expect(abs(rate.slope - ref.slope) <= 1e-6 * max(1, abs(ref.slope)), comment)
        if let err = ref.err { #expect(abs(rate.error - err) <= 1e-6 * max(1, abs(err)), comment) }
    }
}
