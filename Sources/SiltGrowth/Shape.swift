/// The form of a series of live bytes that does not grow.
struct Shape {
    let values: [Double]
    let drops: Int

    init(_ values: [Double], drops: Int) {
        self.values = values
        self.drops = drops
    }

    func verdict(reason: Reason) -> Verdict {
        let top = values.max() ?? 0
        let range = top - (values.min() ?? 0)
        if range <= max(64, 0.05 * top) { return drops >= 2 ? .sawtooth : .stable }
        let first = values.first ?? 0
        let last = values.last ?? 0
        let quarter = values[(values.count * 3 / 4)...]
        let tailRises = (quarter.last ?? 0) > (quarter.first ?? 0)
        if mannKendall(values) <= -2.33, first - last >= 0.1 * first, !tailRises, drops < 2 { return .shrinking }
        let steps = zip(values.dropFirst(), values).map(-)
        let rises = steps.filter { $0 > 0 }.reduce(0, +)
        let falls = -steps.filter { $0 < 0 }.reduce(0, +)
        let net = last - first
        if net > 0.1 * top, falls <= 0.35 * rises, drops < 3 {
            let biggest = steps.max() ?? 0
            let at = steps.firstIndex(of: biggest) ?? 0
            let isKept = values[(at + 1)...].allSatisfy { $0 >= values[at] + 0.5 * biggest }
            // What comes in the first slice is start-up: warmed up, not a step.
            if at > 0, biggest >= 0.6 * rises, isKept { return .step }
            let third = values.count - max(1, values.count / 3)
            let lastThird = last - values[max(0, third - 1)]
            if lastThird <= 0.25 * net || [.decel, .turnover, .stalled, .flat].contains(reason) { return .plateauing }
        }
        if drops >= 2 || drawDown(values) >= 0.5 * top { return .sawtooth }
        return .stable
    }
}
