import SiltTestNumbers
import Testing

@testable import SiltGrowth

/// Memory outside malloc in the rounds of a hunt.
struct MemoryTrendTests {
    private static let mebibyte = 1_048_576.0

    /// `megabytes`: at the end of each round, of a process of 40 MiB beside them.
    private static func state(_ megabytes: [Double], loads: [Double]? = nil) -> MemoryTrend.State {
        MemoryTrend(
            megabytes.map { $0 * mebibyte },
            loads: loads ?? megabytes.dropFirst().map { _ in 100 },
            resident: (40 + (megabytes.last ?? 0)) * mebibyte
        ).state
    }

    @Test func aMegabyteInEachRoundIsARise() {
        #expect(Self.state([0, 1, 2, 3, 4, 5, 6]) == .rising)
    }

    @Test func tooFewRoundsOrTooLittleAreOpen() {
        #expect(Self.state([0, 1, 2, 3]) == .open)
        #expect(Self.state([0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9]) == .open)
    }

    @Test(
        arguments: [
            [0], [0, 0.1, 0.2, 0.3, 0.3, 0.3, 0.3], [0, 0, 0, 4, 4, 4, 4], [0, 1, 1.5, 1.75, 1.8, 1.8, 1.8],
            // It is collected, and never higher than before.
            [0, 30, 52, 20, 48, 50, 22, 51], [0, 20, 30, 32, 31, 32, 32.1, 32],
        ]
    )
    func whatIsLittleOrOverIsNone(megabytes: [Double]) {
        #expect(Self.state(megabytes) == .none)
    }

    /// A round of twice the load may rise by twice as much.
    @Test func aRiseGoesByRequests() {
        let loads = [1.0, 1, 1, 2, 2, 4]
        let levels = loads.indices.map { loads[...$0].reduce(0, +) * 0.4 }
        #expect(Self.state([0] + levels, loads: loads) == .rising)
    }

    /// Heaps grow by steps of a fifth and are collected in between.
    @Test func jumpsThatGoOnAreARise() {
        #expect(Self.state([0, 3.4, 5.3, 11.6, 21, 20.2, 17.6]) == .rising)
        #expect(Self.state([0, 0, 1.2, 0.8, 2.1, 2.1, 3.3, 2.9, 4.2, 4.8, 4.4, 5.9]) == .rising)
    }

    @Test func oneLateJumpIsOpenUntilItIsOver() {
        #expect(Self.state([0, 0, 0, 0, 0, 0, 0, 3, 3]) == .open)
        #expect(Self.state([0, 0, 0, 0, 0, 0, 0, 3, 3, 3, 3, 3, 3, 3, 3]) == .none)
    }

    /// Small objects of 160 bytes a request in a heap of the program's own, by pages; rounds that are added run the load several
    /// times.
    @Test func whatCreepsInEachRoundIsOpenAtFirstAndThenARise() {
        func state(rounds: Int, bytes: Double = 160, until end: Int = .max) -> MemoryTrend.State {
            let loads = (0..<rounds).map { [100, 100, 100, 100, 100, 100, 200, 200, 200, 400, 400, 800][min($0, 11)] }
            var (top, levels) = (0.0, [0.0])
            for (round, load) in loads.enumerated() {
                top += round < end ? Double(load) * bytes : 0
                levels.append((top / 4096).rounded(.down) / 256)
            }
            return Self.state(levels, loads: loads.map { Double($0) })
        }
        #expect(state(rounds: 4) == .none)
        #expect(state(rounds: 6) == .creeping)
        #expect(state(rounds: 22) == .rising)
        #expect(state(rounds: 22, bytes: 10) == .creeping)
        #expect(state(rounds: 9, until: 6) == .none)
    }

    /// A process whose memory wavers by a megabyte, around the same, is not kept in doubt for long.
    @Test func noiseIsSeldomARise() {
        var generator = SeededGenerator(seed: 7)
        let calls = (0..<500).count { _ in
            Self.state((0..<24).map { _ in 5 + generator.uniform(-0.5, 0.5) }) == .rising
        }
        #expect(calls == 0, "\(calls) of 500")
    }
}
