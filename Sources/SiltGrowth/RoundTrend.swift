internal import Glibc

/// Whether survivors become fewer from interval to interval: the test of a rate against one that falls by a constant part.
///
/// Counts are taken for Poisson numbers, or for what varies more where they do (Cox and Lewis 1966, quasi-likelihood). The
/// score is that of the trend at a constant rate; the fall itself is fitted by Newton's method.
struct RoundTrend {
    private typealias Rules = GrowthRules.Decline

    /// Standard score: negative when survivors become fewer.
    let score: Double
    /// How far that must be from 0.
    private let least: Double
    /// Change of the logarithm of the rate from one interval to the next, and its standard error.
    let slope: Double
    let error: Double
    /// Intervals from the first to the last.
    let span: Double

    /// `counts`: as they were; `loads`: what each interval had of requests, as shares of the mean; `times`: rising.
    init(counts: [Double], loads: [Double], times: [Double], score limit: Double = Rules.score) {
        let total = counts.reduce(0, +)
        let load = loads.reduce(0, +)
        span = (times.last ?? 0) - (times.first ?? 0)
        guard counts.count > 2, total > 0, load > 0 else {
            (score, least, slope, error) = (0, 0, 0, .infinity)
            return
        }
        let center = zip(loads, times).reduce(0) { $0 + $1.0 * $1.1 } / load
        let rate = total / load
        let spread = zip(loads, times).reduce(0) { $0 + $1.0 * ($1.1 - center) * ($1.1 - center) }
        let deviation = zip(counts, times).reduce(0) { $0 + $1.0 * ($1.1 - center) }
        var fall = 0.0
        for _ in 0..<Rules.steps {
            var (sum, first, second, excess) = (0.0, 0.0, 0.0, 0.0)
            for index in counts.indices {
                let distance = times[index] - center
                let expected = loads[index] * exp(fall * distance)
                sum += expected
                first += expected * distance
                second += expected * distance * distance
                excess += counts[index] * distance
            }
            let mean = first / sum
            let curvature = total * (second / sum - mean * mean)
            guard curvature > 0 else { break }
            fall += max(-1, min(1, (excess - total * mean) / curvature))
            fall = max(-Rules.steepest, min(Rules.steepest, fall))
        }
        let fitted = zip(loads, times).map { $0 * exp(fall * ($1 - center)) }
        let scale = total / fitted.reduce(0, +)
        let misfit = zip(counts, fitted).reduce(0) { sum, pair in
            let expected = max(scale * pair.1, .leastNonzeroMagnitude)
            return sum + (pair.0 - expected) * (pair.0 - expected) / expected
        }
        // Few intervals may look more regular than they are.
        let variance = max(1, misfit / Double(counts.count - 2))
        score = deviation / (variance * rate * spread).squareRoot()
        slope = fall
        error = (variance / (rate * spread)).squareRoot()
        // Nearly as the quantiles of Student's t-distribution: the variance is that of few intervals.
        let student = variance > Rules.varied ? Rules.studentOfVaried : Rules.student
        least = limit * (1 + student / Double(counts.count - 2))
    }

    /// For intervals that are alike.
    init(evenly counts: [Double], score limit: Double = Rules.score) {
        self.init(
            counts: counts,
            loads: counts.map { _ in 1 },
            times: counts.indices.map(Double.init),
            score: limit
        )
    }

    /// Survivors become fewer, beyond chance.
    var declines: Bool { score < -least && -slope * span > Rules.minimumFall }

    /// A decline by half within five times what was seen would have shown.
    var excludesDecline: Bool {
        score > Rules.minimumSure && (GrowthRules.declineScore * error - slope) * span < Rules.excludedFall
    }
}
