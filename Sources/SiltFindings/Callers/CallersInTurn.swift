internal import SiltGrowth
internal import SiltHeap
internal import SiltRecording

/// Tells what grows by one caller after the other, each for a short time, as programs do while they load code.
///
/// A leak comes back: the stacks that leaked go on doing so, or each of many leaks a block now and then. What reads one
/// module after the other, or builds one class after the other, has stacks that each left many blocks at once and then
/// nothing more, so that their sum rises evenly. Whether that goes on when all is loaded, a longer run tells: it is
/// neither charged nor acquitted.
struct CallersInTurn {
    private let judge: SiteJudge
    private let clocks: [ProcessClock]
    private let hunt: HuntPhases?
    /// In `Recording.historyBytes`, by row of counters.
    private let histories: [Int: Range<Int>]

    /// Blocks that a stack must have left for the times they came at to say anything.
    private static let minimumBlocks = 4.0
    /// It was active for a short time when they came in this share of the judged intervals, or in one.
    private static let shortShare = 0.2
    /// So many of such stacks hold this share of what stayed.
    private static let minimumStacks = 4
    private static let share = 0.5
    /// In fewer intervals everything is short.
    private static let minimumIntervals = 5

    /// `histories`: those of the growing shares that will be asked for.
    init(_ histories: [Int: Range<Int>], judge: SiteJudge, clocks: [ProcessClock], hunt: HuntPhases?) {
        self.judge = judge
        self.clocks = clocks
        self.hunt = hunt
        self.histories = histories
    }

    /// The opinion on a share, which is charged only where it does not come in turn.
    func checked(_ share: SiteShare) -> SiteOpinion {
        // Workers are of several ages at a time.
        guard share.opinion.isGrowing, share.span == nil, share.workers == nil,
            let verdict = share.opinion.evidence.verdict, [.leak, .late, .deep, .slowed].contains(verdict.reason)
        else { return share.opinion }
        var asked = judge
        if let hunt, let phase = share.phase { asked.question = .phase(hunt.phases[phase], of: hunt) }
        let births = share.rows.compactMap { row -> [Double]? in
            guard let history = histories[row].flatMap(asked.history) else { return nil }
            return asked.births(history, clocks[share.process])
        }
        guard let stacks = Self.stacksInTurn(births) else { return share.opinion }
        return share.opinion.leftOpen(.inTurn(stacks: stacks, share.opinion.evidence.phase))
    }

    /// How many stacks left what they left in a short time, if most of it is theirs; nil if not.
    ///
    /// `births`: blocks that stayed, by interval, of each stack.
    static func stacksInTurn(_ births: [[Double]]) -> Int? {
        guard let intervals = births.map(\.count).max(), intervals >= minimumIntervals else { return nil }
        let most = max(1, Int(shortShare * Double(intervals)))
        var (short, all, stacks) = (0.0, 0.0, 0)
        for births in births {
            let blocks = births.reduce(0, +)
            all += blocks
            guard blocks >= minimumBlocks, births.count(where: { $0 > 0 }) <= most else { continue }
            short += blocks
            stacks += 1
        }
        return stacks >= minimumStacks && short >= share * all ? stacks : nil
    }
}
