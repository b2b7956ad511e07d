internal import SiltEvents
internal import SiltGrowth
internal import SiltHeap
internal import SiltRecording
internal import SiltSymbols

/// Tells what a program that runs freely keeps of the code that it loads: each library and each file once, however long its
/// start takes.
///
/// That it goes on for ever is not seen before a program has loaded more than any has, or at an even pace for longer than any
/// start takes. Only loads of libraries are counted: what a library that is opened again and again keeps each time is a leak,
/// and no library more is there then. Code that is run by `exec` may be made anew by each request: that is told from loading
/// by its end, or by being even.
struct LoadedCode {
    private let recording: Recording
    private let names: FrameNames
    private let judge: SiteJudge
    private let clocks: [ProcessClock]
    /// In `Recording.historyBytes`, by row of counters.
    private let histories: [Int: Range<Int>]
    /// By row of `names`: what its function has to do with loading.
    private let roles: [LoaderNames.Role?]
    /// In `Recording.processes`: those whose libraries become more, and may not for long.
    private var loading: Set<Int> = []

    /// Libraries, one for each way of getting more: more than large programs have.
    private static let maximumModules = 1000.0
    /// Seconds.
    private static let longestStart = 60.0
    /// Share of what stayed that was allocated while code was loaded; tables hold what came before as well.
    private static let share = 0.5
    /// Of the rate at which the code itself comes.
    private static let companyShare = 0.1

    /// `growing`: the shares that will be asked for; `histories`: theirs, by row of counters.
    init(
        _ recording: Recording,
        _ names: FrameNames,
        _ judge: SiteJudge,
        _ clocks: [ProcessClock],
        growing: [SiteShare],
        histories: [Int: Range<Int>]
    ) {
        (self.recording, self.names, self.judge, self.clocks) = (recording, names, judge, clocks)
        self.histories = histories
        roles =
            growing.contains { $0.resource == .heap && $0.opinion.isGrowing }
            ? names.rows.map { LoaderNames.role(of: recording.string($0.function)) } : []
        loading = Set(growing.filter(isOfLoads).map(\.process))
    }

    /// The opinion on a share, which is not charged where it may end with the loading of code.
    func checked(_ share: SiteShare) -> SiteOpinion {
        let isLoaded = isOfLoads(share) || isBesideLoads(share)
        return isLoaded ? share.opinion.leftOpen(.loading) : share.opinion
    }

    /// Of libraries: whether they may become no more soon.
    private func isOfLoads(_ share: SiteShare) -> Bool {
        guard share.resource == .module, share.opinion.isGrowing, share.span == nil,
            let verdict = share.opinion.evidence.verdict, verdict.facts.survivors <= Self.maximumModules
        else { return false }
        let clock = clocks[share.process]
        guard clock.seconds >= Self.longestStart,
            let counts = SiteJudge.sum(share.rows.compactMap { histories[$0].flatMap(judge.history) })?
                .births(atSnapshot: clock.lastTick)?.counts
        else { return true }
        return Self.hasEnded(counts) || Self.isUneven(counts)
    }

    /// The shares with their company: names of modules and tables of them grow in the interpreter while it loads, by next to
    /// nothing beside what the modules keep.
    func withCompany(_ shares: [SiteShare]) -> [SiteShare] {
        var rates: [Int: Double] = [:]
        for share in shares where share.resource == .heap && share.opinion.evidence.reason == .loading {
            rates[share.process, default: 0] += share.opinion.slope
        }
        return shares.map { share in
            guard share.resource == .heap, share.opinion.isGrowing, let rate = rates[share.process],
                share.opinion.slope <= Self.companyShare * rate, recording.keeper(of: share.blame) != nil
            else { return share }
            var share = share
            share.opinion = share.opinion.leftOpen(.loading)
            return share
        }
    }

    /// Of blocks: whether most of them came while code was loaded.
    private func isBesideLoads(_ share: SiteShare) -> Bool {
        guard share.resource == .heap, share.opinion.isGrowing, share.span == nil, share.opinion.evidence.verdict != nil
        else { return false }
        var (all, loaded) = (0.0, 0.0)
        var ofCode: [SiteHistory] = []
        for row in share.rows {
            guard let history = histories[row].flatMap(judge.history) else { continue }
            let stack = recording.counters[row].stack
            let (stayed, loader) = (Double(judge.survivors(history).bytes), loader(of: stack))
            // A stack that is cut does not say what it is of: so deep are those of compilers.
            guard loader != nil || !isCut(stack) else { continue }
            all += stayed
            switch loader {
            case .script: loaded += stayed
            case .library: loaded += loading.contains(share.process) ? stayed : 0
            case .code:
                loaded += stayed
                ofCode.append(history)
            case nil: break
            }
        }
        guard all > 0, loaded >= Self.share * all else { return false }
        guard let code = SiteJudge.sum(ofCode) else { return true }
        guard let counts = code.births(atSnapshot: clocks[share.process].lastTick)?.counts else { return false }
        return Self.hasEnded(counts) || Self.isUneven(counts)
    }

    private func isCut(_ stack: StackID) -> Bool {
        var outermost = FrameID.none
        for place in names.walk(from: stack, in: recording) { outermost = place.frame }
        return outermost != .none && [.truncated, .incomplete].contains(recording.frames[outermost].kind)
    }

    private func loader(of stack: StackID) -> LoaderNames.Loader? {
        LoaderNames.loader(
            ofStack: names.walk(from: stack, in: recording).lazy.flatMap(\.rows).map { roles[$0] }
        )
    }

    /// Nothing came lately, though it should have by chance.
    ///
    /// `counts`: blocks that stayed, by interval.
    static func hasEnded(_ counts: [Double]) -> Bool {
        let rest = counts.reversed().prefix(while: { $0 == 0 }).count
        // A start is more than what comes after it.
        let active = counts.dropLast(rest).suffix(max(1, (counts.count - rest) / 2))
        guard rest > 0, rest < counts.count else { return false }
        let usual = active.reduce(0, +) / Double(active.count)
        let spread = active.reduce(0) { $0 + ($1 - usual) * ($1 - usual) } / Double(active.count)
        // Blocks that come several at a time are missing by chance more often.
        return Double(rest) * usual >= missed * max(1, spread / max(usual, .leastNonzeroMagnitude))
    }

    /// Much more came at some times than at others: files are of all sizes, and requests run the same code.
    ///
    /// `counts`: as above.
    static func isUneven(_ counts: [Double]) -> Bool {
        let skipped = counts.count / GrowthLimits.skippedPart
        let judged = counts.dropFirst(skipped)
        guard judged.count >= minimumIntervals else { return false }
        let usual = judged.reduce(0, +) / Double(judged.count)
        let spread = judged.reduce(0) { $0 + ($1 - usual) * ($1 - usual) } / Double(judged.count)
        return spread.squareRoot() >= unevenShare * usual && spread >= chance * usual
    }

    /// In fewer a burst of requests is as uneven.
    private static let minimumIntervals = 8
    /// Deviation of what an interval leaves, as a share of what they leave on average, and times what chance makes.
    private static let (unevenShare, chance) = (0.75, 4.0)

    /// That so many blocks are missing by chance is less than one in four hundred.
    private static let missed = 6.0
}
