import Foundation

@testable import SiltGrowth
@testable import SiltHeap

/// The labelled cases; SILT_GROWTH_CASES names another file of the same format.
struct GrowthCase: Decodable, CustomStringConvertible {
    struct Expectation: Decodable {
        var verdict: String?
        var slope: Double?
        var tol: Double?
        var confidence: String?
        var reason: String?
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
    var mode: String
    var title: String
    var snapshots: Int?
    var ages: Bool?
    var cohorts: [Cohort]?
    var liveBytes: [Double]?
    var expect: Expectation

    var description: String { "\(id) \(title)" }

    /// Cases of one mode.
    static func load(mode: String) throws -> [GrowthCase] {
        struct File: Decodable { var cases: [GrowthCase] }
        struct Modes: Decodable {
            struct Item: Decodable { var mode: String }
            var cases: [Item]
        }
        let path =
            ProcessInfo.processInfo.environment["SILT_GROWTH_CASES"]
            ?? URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Cases/growth-cases.json").path()
        let data = try Data(contentsOf: URL(filePath: path))
        guard var root = try JSONSerialization.jsonObject(with: data) as? [String: Any],
            let cases = root["cases"] as? [[String: Any]]
        else { return [] }
        root["cases"] = cases.filter { $0["mode"] as? String == mode }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(File.self, from: JSONSerialization.data(withJSONObject: root)).cases
    }

    /// The case's blocks, run through a history as the analyzer would.
    func replay() -> SiteHistory {
        let cohorts = cohorts ?? []
        let last = snapshots ?? 0
        let base = cohorts.filter { $0.birth == 0 }
        var live = UInt64(base.map { $0.count * $0.size }.reduce(0, +))
        var history = SiteHistory(
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
}
