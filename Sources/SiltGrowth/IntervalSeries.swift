/// What is known of one site, or of a group of sites, by the intervals of a hunt: every number adds up over stacks.
///
/// Intervals are numbered 1...n over the whole hunt: rounds of a route, or slices of an idle phase. 0 is the baseline.
/// Element i of `counts`, `bytes` and `old` belongs to interval i + 1, element i of `live` to the end of interval i.
package struct IntervalSeries: Equatable, Sendable {
    /// Blocks and bytes live now, by the interval they were born in.
    package var counts: [Double]
    package var bytes: [Double]
    /// Live bytes at the baseline and at each interval's end: one more than there are intervals.
    package var live: [Double]
    /// Live bytes at each interval's end that were born in an earlier one, before the baseline included.
    package var old: [Double]

    package init(counts: [Double], bytes: [Double], live: [Double], old: [Double]) {
        precondition(
            bytes.count == counts.count && old.count == counts.count && live.count == counts.count + 1,
            "the columns of a series are of different lengths"
        )
        self.counts = counts
        self.bytes = bytes
        self.live = live
        self.old = old
    }

    /// The series of both together, over the same intervals.
    package mutating func add(_ other: IntervalSeries) {
        precondition(other.counts.count == counts.count, "the series are of different hunts")
        for index in counts.indices {
            counts[index] += other.counts[index]
            bytes[index] += other.bytes[index]
            old[index] += other.old[index]
        }
        for index in live.indices { live[index] += other.live[index] }
    }
}

/// What the intervals of a hunt were: element i describes interval i + 1.
package struct HuntIntervals: Equatable, Sendable {
    /// 0 = the first idle phase, 1...routes = that route, routes + 1 = the last idle phase; never falling.
    ///
    /// A hunt may lack either idle phase, end early, and give its routes different numbers of rounds.
    package let phases: [Int]
    package let routes: Int
    /// Requests of each interval: 0 at idle, and everywhere when nobody counted them.
    package let requests: [Double]
    /// Seconds each interval took, settling included; empty when they are not known.
    package let seconds: [Double]

    package init(phases: [Int], routes: Int, requests: [Double], seconds: [Double] = []) {
        precondition(requests.count == phases.count, "requests are given for other intervals than phases")
        precondition(zip(phases, phases.dropFirst()).allSatisfy(<=), "the phases are out of order")
        self.phases = phases
        self.routes = routes
        self.requests = requests.map { $0.isFinite && $0 > 0 ? $0 : 0 }
        // Half known is not known: one rate per time is compared with another.
        let isTimed = seconds.count == phases.count && seconds.allSatisfy { $0.isFinite && $0 > 0 }
        self.seconds = isTimed ? seconds : []
    }

    /// A hunt of one route and nothing else.
    package static func rounds(requests: [Double], seconds: [Double] = []) -> HuntIntervals {
        HuntIntervals(
            phases: Array(repeating: 1, count: requests.count),
            routes: 1,
            requests: requests,
            seconds: seconds
        )
    }

    package var count: Int { phases.count }

    /// Positions of a phase's intervals, empty when it has none.
    package func positions(ofPhase phase: Int) -> Range<Int> {
        guard let first = phases.firstIndex(of: phase), let last = phases.lastIndex(of: phase) else { return 0..<0 }
        return first..<last + 1
    }

    /// How long intervals took together: in seconds, or in intervals when seconds are not known.
    func exposure(_ positions: some Collection<Int>) -> Double {
        seconds.isEmpty ? Double(positions.count) : positions.reduce(0) { $0 + seconds[$1] }
    }
}
