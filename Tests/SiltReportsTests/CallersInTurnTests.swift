import Testing

@testable import SiltFindings

/// What grows by one caller after the other is told from what comes back: blocks that stayed, by interval, of each stack.
struct CallersInTurnTests {
    private static let intervals = 14

    /// Fifty stacks that each left twenty blocks at one moment.
    @Test func whatIsLoadedOnePieceAfterTheOtherIsInTurn() {
        let births = (0..<50).map { stack in (0..<Self.intervals).map { $0 == stack * Self.intervals / 50 ? 20.0 : 0 } }
        #expect(CallersInTurn.stacksInTurn(births) == 50)
    }

    @Test func aLeakThatComesBackIsNot() {
        let steady = [Array(repeating: 5.0, count: Self.intervals)]
        #expect(CallersInTurn.stacksInTurn(steady) == nil)
        // Beside what was loaded, it holds most.
        let loaded = (0..<8).map { stack in (0..<Self.intervals).map { $0 == stack ? 5.0 : 0 } }
        #expect(CallersInTurn.stacksInTurn(steady + loaded) == nil)
    }

    /// An interpreter has thousands of ways to one leak, each of which leaves a block or two.
    @Test func aLeakByManyStacksIsNot() {
        let births = (0..<500).map { stack in
            (0..<Self.intervals).map { [stack % Self.intervals, stack * 7 % Self.intervals].contains($0) ? 1.0 : 0 }
        }
        #expect(CallersInTurn.stacksInTurn(births) == nil)
    }

    @Test func burstsOfAFewStacksAreNot() {
        let births = (0..<3).map { stack in (0..<Self.intervals).map { $0 == 4 * stack ? 50.0 : 0 } }
        #expect(CallersInTurn.stacksInTurn(births) == nil)
    }

    @Test func fewIntervalsSayNothing() {
        #expect(CallersInTurn.stacksInTurn((0..<8).map { stack in (0..<4).map { $0 == stack / 2 ? 9.0 : 0 } }) == nil)
    }
}
