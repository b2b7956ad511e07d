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

    /// The route that an interval belongs to; 0 at idle, before the routes or after them.
    package func route(at position: Int) -> Int { phases[position] > routes ? 0 : phases[position] }

    /// The route that the last interval belongs to; nil at idle.
    package var lastRoute: Int? { phases.last.flatMap { (1..<routes + 1).contains($0) ? $0 : nil } }

    /// How long intervals took together: in seconds, or in intervals when seconds are not known.
    func exposure(_ positions: some Collection<Int>) -> Double {
        seconds.isEmpty ? Double(positions.count) : positions.reduce(0) { $0 + seconds[$1] }
    }
}

extension HuntIntervals {
    /// One interval as whoever runs the hunt knows it.
    package struct Interval: Equatable, Sendable {
        /// Intervals in a row with the same number are one phase.
        package var phase: Int
        package var isIdle: Bool
        package var requests: Double
        package var seconds: Double

        package init(phase: Int, isIdle: Bool, requests: Double, seconds: Double) {
            self.phase = phase
            self.isIdle = isIdle
            self.requests = requests
            self.seconds = seconds
        }
    }

    /// Idle intervals at the beginning and at the end are the idle phases; every phase in between is a route.
    package init(_ intervals: [Interval]) {
        let leading = intervals.prefix { $0.isIdle }.count
        let trailing = leading == intervals.count ? 0 : intervals.reversed().prefix { $0.isIdle }.count
        var phases: [Int] = []
        var routes = 0
        for (index, interval) in intervals.enumerated() {
            if index < leading {
                phases.append(0)
            } else if index >= intervals.count - trailing {
                phases.append(routes + 1)
            } else {
                if index == leading || interval.phase != intervals[index - 1].phase { routes += 1 }
                phases.append(routes)
            }
        }
        self.init(
            phases: phases,
            routes: routes,
            requests: intervals.map(\.requests),
            seconds: intervals.map(\.seconds)
        )
    }
}
