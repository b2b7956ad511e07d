import SiltEvents
import Testing

@testable import SiltSession

/// What the line of a running trace names.
@Suite struct LatestRisesTests {
    private let arena = LatestRises.Key(resource: .heap, group: FrameID(rawValue: 1))
    private let leak = LatestRises.Key(resource: .heap, group: FrameID(rawValue: 2))

    /// A large block comes at one second; the other group takes `bytes` each second.
    private func most(leaking bytes: UInt64) -> (key: LatestRises.Key, rise: Int64, seconds: Double)? {
        var rises = LatestRises()
        for second in 0..<8 as Range<UInt64> {
            rises.note(second < 5 ? 0 : 1 << 20, arena, image: 1, isFirst: second == 0)
            rises.note(second * bytes, leak, image: 1, isFirst: second == 0)
            if second < 7 { _ = rises.most(at: Double(second)) }
        }
        return rises.most(at: 7)
    }

    @Test func whatRisesAgainAndAgainIsNamedBeforeWhatCameAtOnce() throws {
        let named = try #require(most(leaking: 4096))
        #expect(named.key == leak)
        #expect(named.rise > 4096)
    }

    @Test func whatCameAtOnceIsNamedWhereNothingElseRises() throws {
        let named = try #require(most(leaking: 0))
        #expect(named.key == arena && named.rise == 1 << 20)
    }

    @Test func nothingIsNamedWhereNothingRises() {
        var rises = LatestRises()
        for second in 0..<8 { rises.note(500, leak, image: 1, isFirst: second == 0) }
        #expect(rises.most(at: 7) == nil)
    }
}
