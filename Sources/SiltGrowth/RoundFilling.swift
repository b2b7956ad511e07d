internal import Glibc

/// Whether what stays in the rounds of a phase is told from a cache whose new entries become fewer as a power of what was asked.
///
/// New keys come like that, and what interpreters keep by the addresses of their objects. Then the first rounds bring most,
/// and the others so evenly that they look like a leak after a warm-up. So both are fitted, and compared by their deviance
/// (McCullagh and Nelder 1989): the power to all rounds, warm-up included, and a constant rate to those after the warm-up.
struct RoundFilling {
    private typealias Rules = GrowthRules.Filling

    /// How much better a constant rate explains the rounds after the warm-up, in deviances that chance makes.
    ///
    /// Each further round of warm-up is one that it does not explain at all, which counts for two (Akaike 1974).
    let score: Double
    /// The exponent of what was asked.
    let power: Double
    /// The rounds after the warm-up brought less than it did, in bursts: what a JIT compiles late.
    let isLateBursts: Bool

    /// `counts`: as they were; `loads`: what each round had of requests, as shares of the mean; `warmUp`: rounds that brought
    /// more than the others.
    init(counts: [Double], loads: [Double], warmUp: Int) {
        let rest = counts.count - warmUp
        guard warmUp > 0, rest > 1, counts[warmUp...].contains(where: { $0 > 0 }), loads.allSatisfy({ $0 > 0 }) else {
            (score, power, isLateBursts) = (.infinity, 1, false)
            return
        }
        var best = (deviance: Double.infinity, power: 1.0, filled: [Double]())
        for step in 1..<Rules.powers {
            let power = Double(step) / Double(Rules.powers)
            let filled = Self.filled(loads, power, upTo: counts.reduce(0, +))
            let deviance = Self.deviance(counts[...], filled[...])
            if deviance < best.deviance { best = (deviance, power, filled) }
        }
        let filling = Self.deviance(counts[warmUp...], best.filled[warmUp...])
        let rate = counts[warmUp...].reduce(0, +) / loads[warmUp...].reduce(0, +)
        let constant = Self.deviance(counts[warmUp...], loads[warmUp...].map { rate * $0 }[...])
        // Counts vary by more than chance where several come at a time.
        let variance = max(1, min(filling, constant) / Double(rest - 1))
        score = (filling - constant) / variance - Rules.roundOfWarmUp * Double(warmUp - 1)
        power = best.power
        let (before, after) = (counts[..<warmUp].reduce(0, +), counts[warmUp...].reduce(0, +))
        isLateBursts = variance >= Rules.variationOfBursts && after < before
    }

    /// It may be a cache that fills.
    var isPossible: Bool { score < Rules.minimumScore && power <= Rules.maximumPower || isLateBursts }

    /// What each round adds to a power of all that was asked by then, in sum so much.
    private static func filled(_ loads: [Double], _ power: Double, upTo sum: Double) -> [Double] {
        let scale = sum / pow(loads.reduce(0, +), power)
        var (asked, filled) = (0.0, 0.0)
        return loads.map { load in
            asked += load
            let before = filled
            filled = scale * pow(asked, power)
            return filled - before
        }
    }

    /// The deviance of Poisson counts from what is expected.
    private static func deviance(_ counts: ArraySlice<Double>, _ expected: ArraySlice<Double>) -> Double {
        zip(counts, expected).reduce(0) { sum, pair in
            let expected = max(pair.1, .leastNonzeroMagnitude)
            return sum + 2 * ((pair.0 > 0 ? pair.0 * log(pair.0 / expected) : 0) - (pair.0 - expected))
        }
    }
}
