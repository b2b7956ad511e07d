@testable import SiltGrowth

/// How often sites were to be charged and were, and were not to be and were.
struct HuntTally: CustomStringConvertible {
    var leaks = 0
    var found = 0
    var clean = 0
    var blamed = 0
    /// Neither charged nor acquitted.
    var open = 0
    /// Charges of high confidence, and those that were wrong.
    var high = 0
    var highBlamed = 0
    /// Rates of leaks that were found and are more than 1.67 times too high or too low.
    var farOff = 0

    mutating func add(_ verdict: GrowthVerdict, isLeak: Bool, truth: Double? = nil) {
        let isCharged = verdict.verdict.isGrowing
        leaks += isLeak ? 1 : 0
        clean += isLeak ? 0 : 1
        found += isLeak && isCharged ? 1 : 0
        blamed += !isLeak && isCharged ? 1 : 0
        open += verdict.verdict == .stillFilling ? 1 : 0
        high += verdict.confidence == .high ? 1 : 0
        highBlamed += !isLeak && verdict.confidence == .high ? 1 : 0
        guard isLeak, isCharged, let truth else { return }
        farOff += !(0.6...1.67).contains(verdict.perRequest / truth) ? 1 : 0
    }

    static func + (one: HuntTally, other: HuntTally) -> HuntTally {
        var sum = one
        sum.leaks += other.leaks
        sum.found += other.found
        sum.clean += other.clean
        sum.blamed += other.blamed
        sum.open += other.open
        sum.high += other.high
        sum.highBlamed += other.highBlamed
        sum.farOff += other.farOff
        return sum
    }

    var recall: Double { Double(found) / Double(max(1, leaks)) }
    var falseRate: Double { Double(blamed) / Double(max(1, clean)) }
    var description: String {
        "recall \(recall), false calls \(falseRate), high confidence \(high), wrong \(highBlamed), still filling \(open)"
    }
}
