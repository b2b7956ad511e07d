import SiltTestNumbers
import Testing

@testable import SiltGrowth
@testable import SiltHeap

/// What CPython keeps of its own, as seen in services of packages without leaks under PYTHONMALLOC=malloc.
enum InterpreterContent: String, CaseIterable {
    /// Names in the type attribute cache, most of which came in two rounds, when addresses moved.
    case burst
    /// Cycles that wait for the collection of the oldest generation, which came once, after nine rounds.
    case cycles
    /// Names in the type attribute cache that take the places of others while it fills.
    case places
    /// The same, filling still at the end of few rounds.
    case names

    var blockBytes: Double {
        switch self {
        case .burst: 57
        case .cycles: 40
        case .places: 60
        case .names: 67
        }
    }

    /// Blocks that are left at the end, by the round of their birth.
    var counts: [Double] {
        switch self {
        case .burst: [496, 15, 37, 3, 4, 5, 11, 16, 3, 20, 6, 5, 3, 12, 3, 5, 19, 8, 7, 25, 313, 214, 0, 0, 3]
        case .cycles:
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 22, 22, 44, 22, 66, 66, 66, 44, 66, 66, 110, 132, 132, 110, 132, 396]
        case .places: [0, 0, 1, 0, 0, 1, 1, 1, 1, 4, 0, 3, 1, 2, 3, 3, 8, 5, 5, 20, 31, 37, 52, 92, 310]
        case .names: [239, 88, 31, 14, 11, 11, 23, 13, 15, 11, 7, 2, 22, 34]
        }
    }

    /// Blocks that were live at the end of each round.
    var live: [Double] {
        switch self {
        case .burst:
            [
                599, 623, 675, 676, 679, 688, 704, 724, 726, 744, 754, 756, 760, 774, 779, 785, 807, 815, 822, 847,
                1121, 1233, 1233, 1233, 1233,
            ]
        case .cycles:
            [
                550, 396, 506, 616, 220, 572, 682, 638, 352, 242, 726, 440, 396, 572, 748, 418, 836, 1012, 682, 1276,
                1122, 968, 1562, 1408, 1496,
            ]
        case .places:
            [
                123, 177, 236, 264, 300, 323, 327, 354, 351, 372, 405, 413, 448, 470, 475, 480, 482, 519, 526, 526,
                557, 541, 535, 562, 581,
            ]
        case .names: [325, 401, 439, 454, 454, 464, 481, 484, 496, 500, 501, 504, 515, 521]
        }
    }

    /// Of those, blocks born in an earlier round.
    var old: [Double] {
        switch self {
        case .burst:
            [
                -18, 593, 612, 662, 669, 673, 679, 688, 711, 711, 732, 743, 741, 745, 763, 762, 762, 792, 798, 794,
                740, 1016, 1230, 1230, 1230,
            ]
        case .cycles:
            [
                0, 66, 22, 44, 66, 88, 88, 110, 132, 0, 22, 44, 88, 110, 176, 242, 308, 352, 418, 484, 594, 726, 858,
                968, 1100,
            ]
        case .places:
            [
                0, 83, 135, 168, 210, 223, 227, 192, 294, 226, 240, 271, 272, 244, 241, 240, 253, 281, 292, 228, 234,
                259, 251, 266, 271,
            ]
        case .names: [0, 276, 373, 418, 425, 425, 427, 449, 456, 465, 474, 485, 474, 487]
        }
    }

    /// How often each round ran the load of 200 requests.
    var loads: [Double] {
        counts.indices.map { self == .names ? ($0 < 12 ? 1 : 2) : $0 < 7 ? 1 : $0 < 13 ? 2 : $0 < 19 ? 4 : 8 }
    }
}

/// A hunt as silt runs it: idle, rounds of one route, idle.
struct InterpreterContentTests {
    private static let idle = 5
    private static let requests = 200.0
    private static let base = 1000.0

    /// Beside what is left of a leak of so many blocks by 200 requests.
    private static func verdict(_ content: InterpreterContent, leak: (Double) -> Double = { _ in 0 }) -> GrowthVerdict {
        let loads = content.loads
        let leaked = loads.map(leak)
        let sums = leaked.indices.map { leaked[...$0].reduce(0, +) }
        let still = Array(repeating: 0.0, count: idle)
        func all(_ first: Double, _ values: [Double], _ last: Double) -> [Double] {
            (Array(repeating: first, count: idle) + values + Array(repeating: last, count: idle)).map {
                $0 * content.blockBytes
            }
        }
        let counts = still + zip(content.counts, leaked).map { $0 + $1 } + still
        let live = zip(content.live, sums).map { base + $0 + $1 }
        let end = live.last ?? base
        let series = IntervalSeries(
            counts: counts,
            bytes: counts.map { $0 * content.blockBytes },
            live: [base * content.blockBytes] + all(base, live, end),
            old: all(base, zip(content.old, zip(sums, leaked)).map { base + $0 + $1.0 - $1.1 }, end)
        )
        let hunt = HuntIntervals(
            phases: still.map { _ in 0 } + loads.map { _ in 1 } + still.map { _ in 2 },
            routes: 1,
            requests: still + loads.map { $0 * requests } + still,
            seconds: still.map { _ in 2 } + loads.map { $0 } + still.map { _ in 2 }
        )
        return judgeHunt(series, hunt, route: 1)
    }

    @Test(arguments: InterpreterContent.allCases)
    func whatAnInterpreterKeepsIsNotCharged(_ content: InterpreterContent) {
        let verdict = Self.verdict(content)
        #expect(!verdict.verdict.isGrowing, "\(verdict)")
    }

    // Of few rounds that end while names still come fast nothing is said yet.
    @Test(arguments: InterpreterContent.allCases.filter { $0 != .names }, [40.0, 100])
    func aLeakBesideItIsFoundAtItsRate(_ content: InterpreterContent, blocks: Double) {
        var generator = SeededGenerator(seed: UInt64(blocks))
        let verdict = Self.verdict(content) { Double(generator.poisson(blocks * $0)) }
        let truth = blocks * content.blockBytes / Self.requests
        #expect(verdict.verdict.isGrowing, "\(verdict)")
        #expect(abs(verdict.perRequest - truth) <= 0.5 * truth, "\(verdict.perRequest), truth \(truth)")
    }
}
