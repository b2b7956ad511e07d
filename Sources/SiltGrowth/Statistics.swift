internal import Glibc

func mean(_ values: some Collection<Double>) -> Double {
    values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
}

/// Sample standard deviation; 0 for fewer than two values.
func deviation(_ values: some Collection<Double>) -> Double {
    guard values.count > 1 else { return 0 }
    let center = mean(values)
    return (values.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(values.count - 1)).squareRoot()
}

func median(_ values: some Collection<Double>) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// Standard score of the Mann–Kendall trend test with correction for ties (Mann 1945, Kendall 1975).
func mannKendall(_ values: [Double]) -> Double {
    let n = values.count
    guard n > 1 else { return 0 }
    var sum = 0
    for i in 0..<n - 1 {
        for j in i + 1..<n { sum += values[j] > values[i] ? 1 : values[j] < values[i] ? -1 : 0 }
    }
    var variance = Double(n * (n - 1) * (2 * n + 5))
    var ties: [Double: Int] = [:]
    for value in values { ties[value, default: 0] += 1 }
    for count in ties.values where count > 1 { variance -= Double(count * (count - 1) * (2 * count + 5)) }
    variance /= 18
    guard variance > 0 else { return 0 }
    return sum == 0 ? 0 : (Double(sum) - (sum > 0 ? 1 : -1)) / variance.squareRoot()
}

/// Slopes between all pairs of equally spaced values, sorted (Theil 1950, Sen 1968).
private func pairSlopes(_ values: [Double]) -> [Double] {
    var slopes: [Double] = []
    for i in 0..<max(0, values.count - 1) {
        for j in i + 1..<values.count { slopes.append((values[j] - values[i]) / Double(j - i)) }
    }
    return slopes.sorted()
}

/// The Theil–Sen slope, per step.
func theilSen(_ values: [Double]) -> Double { median(pairSlopes(values)) }

/// Limits of the Theil–Sen slope at a standard score (Sen 1968, from Kendall's variance).
func theilSenLimits(_ values: [Double], z: Double) -> (lower: Double, upper: Double) {
    let slopes = pairSlopes(values)
    guard !slopes.isEmpty else { return (0, 0) }
    let n = Double(values.count)
    let spread = z * (n * (n - 1) * (2 * n + 5) / 18).squareRoot()
    func slope(_ index: Double) -> Double { slopes[min(max(Int(index), 0), slopes.count - 1)] }
    return (
        slope(((Double(slopes.count) - spread) / 2).rounded(.down)),
        slope(((Double(slopes.count) + spread) / 2).rounded(.up))
    )
}

/// Half the distance of the limits.
func theilSenSpread(_ values: [Double], z: Double) -> Double {
    let limits = theilSenLimits(values, z: z)
    return (limits.upper - limits.lower) / 2
}

/// Largest fall from an earlier maximum.
func drawDown(_ values: [Double]) -> Double {
    var top = -Double.infinity
    var worst = 0.0
    for value in values {
        top = max(top, value)
        worst = max(worst, top - value)
    }
    return worst
}

/// Pearson's correlation of two series of equal length; 0 where one of them does not change.
func correlation(_ one: [Double], _ other: [Double]) -> Double {
    let (center, otherCenter) = (mean(one), mean(other))
    let products = zip(one, other).reduce(0) { $0 + ($1.0 - center) * ($1.1 - otherCenter) }
    let spread = deviation(one) * deviation(other) * Double(one.count - 1)
    return spread > 0 ? products / spread : 0
}
