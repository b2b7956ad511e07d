internal import SiltEvents
internal import SiltGrowth
internal import SiltHeap
internal import SiltRecording
internal import SiltSymbols

/// Tells what a program that runs freely keeps of the code that it loads: each library and each file once, however long its
/// start takes.
///
/// That it goes on for ever is not seen before a program has loaded more than any has. Only loads of libraries are counted:
/// what a library that is opened again and again keeps each time is a leak, and no library more is there then. Code that is
/// run by `exec` may be made anew by each request: that is told from loading by its end.
struct LoadedCode {
    private let recording: Recording
    private let names: FrameNames
    private let judge: SiteJudge
    private let clocks: [ProcessClock]
    /// In `Recording.historyBytes`, by row of counters.
    private let histories: [Int: Range<Int>]
    /// In `Recording.processes`: those whose libraries become more.
    private let loading: Set<Int>

    /// Libraries, one for each way of getting more: more than large programs have.
    private static let maximumModules = 1000.0
    /// Share of what stayed that was allocated while code was loaded; tables hold what came before as well.
    private static let share = 0.5

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
        loading = Set(growing.lazy.filter { $0.resource == .module && $0.opinion.isGrowing }.map(\.process))
    }

    /// The opinion on a share, which is not charged where it may end with the loading of code.
    func checked(_ share: SiteShare) -> SiteOpinion {
        guard share.opinion.isGrowing, share.span == nil, let verdict = share.opinion.evidence.verdict else {
            return share.opinion
        }
        let isLoaded =
            share.resource == .module
            ? verdict.facts.survivors <= Self.maximumModules : share.resource == .heap && isOfLoads(share)
        return isLoaded ? share.opinion.leftOpen(.loading) : share.opinion
    }

    private func isOfLoads(_ share: SiteShare) -> Bool {
        var (all, loaded) = (0.0, 0.0)
        var ofCode: [SiteHistory] = []
        for row in share.rows {
            guard let history = histories[row].flatMap(judge.history) else { continue }
            let stayed = Double(judge.survivors(history).bytes)
            all += stayed
            switch loader(of: recording.counters[row].stack) {
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
        return code.series(atSnapshot: clocks[share.process].lastTick).map { Self.hasEnded($0.counts) } ?? false
    }

    /// The one that says most.
    private func loader(of stack: StackID) -> LoaderNames.Loader? {
        var (isLibrary, isScript, runs) = (false, false, 0)
        for place in names.walk(from: stack, in: recording) {
            for row in place.rows {
                let name = recording.string(names.rows[row].function)
                switch LoaderNames.loader(name) {
                case .library: isLibrary = true
                case .script: isScript = true
                case .code: runs += 1
                case nil: runs -= LoaderNames.runsModule(name) ? 1 : 0
                }
            }
        }
        return isScript ? .script : isLibrary ? .library : runs > 0 ? .code : nil
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

    /// That so many blocks are missing by chance is less than one in four hundred.
    private static let missed = 6.0
}
