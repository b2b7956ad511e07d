/// Tells from a count of allocations, looked at again and again, whether a program has come to rest.
struct QuietMeter {
    /// The same over the last second or so.
    private var looks: [(time: Double, count: UInt64)] = []
    /// Allocations a second in the busiest window until now.
    private var busiest = 0.0
    private let window: Double

    /// `window`: seconds over which it must be quiet.
    init(window: Double) { self.window = window }

    /// Takes in a look, `time` in seconds; true when no more than `rate` allocations a second, or a hundredth of the busiest
    /// time, came in the window that ends with it.
    mutating func isQuiet(at time: Double, count: UInt64, rate: Double) -> Bool {
        looks.append((time, count))
        while looks.count > 2, looks[1].time <= time - window { looks.removeFirst() }
        let span = time - looks[0].time
        guard span >= window else { return false }
        let seen = Double(count &- looks[0].count) / span
        busiest = max(busiest, seen)
        return seen <= max(rate, busiest / 100)
    }
}
