package import SiltPlan
package import SiltSession

/// What a hunt is doing, for whoever watches.
package enum HuntStep: Sendable {
    case waiting(Readiness)
    case idle(seconds: Double, isFinal: Bool)
    /// `round` 0 is the warm-up; `planned` more may follow, or fewer.
    case load(phase: String, round: Int, planned: Int, repeats: Int)
    case settling
    /// The phase grows; it is left alone for so long, and then loaded once more.
    case confirming(phase: String, seconds: Double)
    /// A round has ended: what it was, what it took and what grows.
    case ended(RoundMark, seconds: Double, growing: [GrowingCounts])
    case writing
    /// It has ended, in whatever way.
    case over
}

/// Who watches a hunt.
package struct HuntWatcher {
    var show: (HuntStep) -> Void
    /// A sentence that stays.
    var say: (String) -> Void
    var isInterrupted: () -> Bool

    package init(
        show: @escaping (HuntStep) -> Void = { _ in },
        say: @escaping (String) -> Void = { _ in },
        isInterrupted: @escaping () -> Bool = { false }
    ) {
        self.show = show
        self.say = say
        self.isInterrupted = isInterrupted
    }
}
