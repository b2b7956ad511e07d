import Foundation

@testable import SiltGrowth
@testable import SiltHeap

/// The labelled cases; SILT_GROWTH_CASES names another file of the same format.
struct GrowthCase: Decodable, CustomStringConvertible {
    struct Expectation: Decodable {
        /// What the implementation printed that the cases were made with.
        struct Reference: Decodable {
            var reason: String
            var confidence: String
            var slope: Double
            var err: Double?
        }

        var verdict: String?
        var slope: Double?
        var tol: Double?
        var perRequest: Double?
        var perRequestTol: Double?
        var confidence: String?
        var reason: String?
        var ref: Reference?
    }

    /// One expectation, or one for each route and for "idle".
    struct Expectations: Decodable {
        var whole = Expectation()
        var parts: [String: Expectation] = [:]

        init(from decoder: any Decoder) throws {
            whole = try Expectation(from: decoder)
            if whole.verdict == nil { parts = try [String: Expectation](from: decoder) }
        }
    }

    /// An array: birth, death or null, count, size.
    struct Cohort: Decodable {
        var birth: Int
        var death: Int?
        var count: Int
        var size: Int

        init(from decoder: any Decoder) throws {
            var values = try decoder.unkeyedContainer()
            birth = try values.decode(Int.self)
            death = try values.decodeIfPresent(Int.self)
            count = try values.decode(Int.self)
            size = try values.decode(Int.self)
        }
    }

    var id: String
    var title: String
    var snapshots: Int?
    var ages: Bool?
    var cohorts: [Cohort]?
    var liveBytes: [Double]?
    var rounds: Int?
    var routes: Int?
    var phase: [Int]?
    var requests: [Double]?
    private var expect: Expectations

    var expectation: Expectation { expect.whole }
    /// By route, as "1", "2" …, and "idle".
    var expectationByPhase: [String: Expectation] { expect.parts }

    var description: String { "\(id) \(title)" }

    /// What a case is about, as the file's `mode` names it.
    enum Kind: String {
        case freeRun = "A"
        case rounds = "B"
        case routes = "C"
    }

    static func load(_ kind: Kind) throws -> [GrowthCase] {
        struct File: Decodable { var cases: [GrowthCase] }
        let path =
            ProcessInfo.processInfo.environment["SILT_GROWTH_CASES"]
            ?? URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Cases/growth-cases.json").path()
        let data = try Data(contentsOf: URL(filePath: path))
        guard var root = try JSONSerialization.jsonObject(with: data) as? [String: Any],
            let cases = root["cases"] as? [[String: Any]]
        else { return [] }
        root["cases"] = cases.filter { $0["mode"] as? String == kind.rawValue }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(File.self, from: JSONSerialization.data(withJSONObject: root)).cases
    }

    /// The case's blocks, run through a history as the analyzer would.
    func replay() -> SliceHistory {
        let cohorts = cohorts ?? []
        let last = snapshots ?? 0
        let base = cohorts.filter { $0.birth == 0 }
        var live = UInt64(base.map { $0.count * $0.size }.reduce(0, +))
        var history = SliceHistory(
            baselineBytes: live,
            baselineCount: UInt64(base.map(\.count).reduce(0, +)),
            interval: 0
        )
        for interval in stride(from: 1, through: last, by: 1) {
            for cohort in cohorts where cohort.death == interval && cohort.birth < interval {
                let bytes = UInt64(cohort.count * cohort.size)
                history.died(bytes: bytes, count: UInt64(cohort.count), born: UInt32(cohort.birth))
                live -= bytes
            }
            for cohort in cohorts where cohort.birth == interval && cohort.death != interval {
                let bytes = UInt64(cohort.count * cohort.size)
                history.survived(bytes: bytes, count: UInt64(cohort.count), born: UInt32(interval))
                live += bytes
            }
            history.close(interval: UInt32(interval), liveBytes: live)
        }
        return history
    }

    /// The intervals of a case in rounds or routes.
    var hunt: HuntIntervals {
        let count = phase?.count ?? rounds ?? 0
        let requests = requests ?? Array(repeating: 0, count: count)
        guard let phase else { return .rounds(requests: requests) }
        return HuntIntervals(phases: phase, routes: routes ?? 0, requests: requests)
    }

    /// The case's blocks by intervals of the hunt.
    func intervalSeries() -> IntervalSeries {
        var blocks = BlockHistory(intervals: hunt.count)
        for cohort in cohorts ?? [] {
            blocks.add(cohort.count, size: cohort.size, at: cohort.birth, death: cohort.death)
        }
        return blocks.series()
    }
}

/// Blocks with the interval they are born in (0 = before the baseline) and the one they die in.
struct BlockHistory {
    let intervals: Int
    private var blocks: [(birth: Int, death: Int, count: Double, size: Double)] = []

    init(intervals: Int) { self.intervals = intervals }

    /// `death`: the interval at whose end they are gone; nil for never.
    mutating func add(_ count: Int, size: Int, at birth: Int, death: Int? = nil) {
        guard count > 0, birth <= intervals, death ?? .max > birth else { return }
        blocks.append((birth, death ?? .max, Double(count), Double(size)))
    }

    func series() -> IntervalSeries {
        let none = Array(repeating: 0.0, count: intervals)
        var series = IntervalSeries(counts: none, bytes: none, live: none + [0], old: none)
        for block in blocks {
            let bytes = block.count * block.size
            if block.birth > 0, block.death > intervals {
                series.counts[block.birth - 1] += block.count
                series.bytes[block.birth - 1] += bytes
            }
            for mark in block.birth...min(intervals, block.death - 1) {
                series.live[mark] += bytes
                if mark > block.birth { series.old[mark - 1] += bytes }
            }
        }
        return series
    }
}
