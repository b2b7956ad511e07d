/// The form of a series of live bytes that does not grow.
struct Shape {
    private typealias Form = GrowthRules.Form

    let values: [Double]
    let drops: Int

    init(_ values: [Double], drops: Int) {
        self.values = values
        self.drops = drops
    }

    func verdict(reason: Reason) -> Verdict {
        let top = values.max() ?? 0
        let range = top - (values.min() ?? 0)
        let isSawtooth = drops >= Form.sawtoothDrops
        if range <= max(Form.quietBytes, Form.quietShare * top) { return isSawtooth ? .sawtooth : .stable }
        let first = values.first ?? 0
        let last = values.last ?? 0
        let quarter = values[(values.count * 3 / 4)...]
        let tailRises = (quarter.last ?? 0) > (quarter.first ?? 0)
        let falls = mannKendall(values) <= -GrowthRules.clearScore
        if falls, first - last >= Form.shrinkingShare * first, !tailRises, !isSawtooth { return .shrinking }
        let steps = zip(values.dropFirst(), values).map(-)
        let risen = steps.filter { $0 > 0 }.reduce(0, +)
        let fallen = -steps.filter { $0 < 0 }.reduce(0, +)
        let net = last - first
        if net > Form.riseShare * top, fallen <= Form.fallShare * risen, drops < Form.risingDrops {
            let biggest = steps.max() ?? 0
            let at = steps.firstIndex(of: biggest) ?? 0
            let isKept = values[(at + 1)...].allSatisfy { $0 >= values[at] + Form.stepKept * biggest }
            // What comes in the first slice is start-up: warmed up, not a step.
            if at > 0, biggest >= Form.stepShare * risen, isKept { return .step }
            let third = values.count - max(1, values.count / 3)
            let lastThird = last - values[max(0, third - 1)]
            let isOver = [.decel, .turnover, .stalled, .flat].contains(reason)
            if isOver || lastThird <= Form.plateauShare * net { return .plateauing }
        }
        if isSawtooth || drawDown(values) >= Form.toothShare * top { return .sawtooth }
        return .stable
    }
}
