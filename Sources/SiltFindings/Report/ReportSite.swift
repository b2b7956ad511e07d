package import SiltEvents
package import SiltGrowth

/// A call site: all stacks whose blame frame has the same function, file and line, over all processes.
///
/// When only one caller of that function grows, its stacks are a site of their own; of several such callers, each has a site.
package struct ReportSite: Sendable {
    /// What is counted.
    package var resource = Resource.heap
    package var rank = 0
    package var verdict = SiltGrowth.Verdict.notEnoughData
    /// Grew, and is not called growing: shown with the reason.
    package var isAcquitted = false
    package var confidence = Confidence.low
    package var evidence = Evidence(.tooFewSnapshots(0))
    package var rate: Rate?
    package var blame: ReportFrame
    /// The caller that its blocks have in common, when the blamed function has innocent callers as well.
    package var caller: ReportFrame?
    /// Of a site without such a caller whose blamed function has no line: the innermost function with one that nearly all
    /// of it was allocated under.
    package var origin: ReportFrame?
    /// Of a growing site: the function that made it, and what gives it back, where both are known.
    package var pair: KnownPair?
    /// Of a growing site: one of its things, where somebody looked at them.
    package var example: SiteExample?
    /// The growing site that this one is part of: one finding with it; nil: it stands for itself.
    package var follows: Following?
    package var inUseBytes: UInt64 = 0
    package var inUseCount: UInt64 = 0
    package var allocatedBytes: UInt64 = 0
    package var allocatedCount: UInt64 = 0
    package var peakBytes: UInt64 = 0
    package var peakCount: UInt64 = 0
    /// Blocks freed before the next was allocated.
    package var temporaryCount: UInt64 = 0
    /// Blocks that realloc(3) moved, and the bytes in them.
    package var movedCount: UInt64 = 0
    package var movedBytes: UInt64 = 0
    /// The stack with most of both; none: there are none.
    package var temporaryStack = StackID.none
    /// Resident bytes of the stacks of the threads that its blocks are for; its rate has them too.
    package var threadStackBytes: UInt64 = 0
    /// The stack that holds most of it.
    package var stack = StackID.none
    /// Stacks that belong to it.
    package var stackCount = 0
    /// Of those the ones whose blocks made the verdict; 0: not known.
    package var grownStackCount = 0
    /// The same of a growing site, those that hold most first; empty for the others.
    package var stacks: [StackPart] = []
    /// Bytes in use at the last snapshot, before the program gave anything back on its way out; 0: not known.
    package var lastInUseBytes: UInt64 = 0
    /// Blamed functions below this one that a thin leak is spread over; 0: it is to blame itself.
    package var spreadOver = 0
    /// Lowest bytes in use over equal spans of time, for the sparkline.
    package var series: [UInt64] = []
    /// The phase of a hunt that it is charged with; nil: none.
    ///
    /// A site that grows in several is listed for each.
    package var phase: String?
    /// False: too many requests of the phase failed for its charge to count.
    package var isConclusive = true
    /// Of the blocks born in the phase after its first round: the share that still lives, and where most others were freed.
    package var leakFraction: Double?
    package var freedBy: FreedBy?
    package var phaseSeries: [PhaseSeries] = []
    /// Judged rounds of the phase that left something, and all of them.
    package var rounds: (occupied: Int, all: Int)?

    /// Why a site is not a finding of its own.
    package struct Following: Equatable, Sendable {
        package enum Reason: String, Sendable {
            /// The same place in another phase.
            case samePlace = "same-place"
            /// As many blocks in each interval, allocated on the same way.
            case lockStep = "lock-step"
            /// Another resource that the same line takes.
            case sameLine = "same-line"
        }

        /// Of the site that leads.
        package var rank: Int
        package var why: Reason
    }

    /// What one stack of a site holds, over all processes.
    package struct StackPart: Sendable {
        package var stack: StackID
        package var inUseBytes: UInt64
        package var allocatedBytes: UInt64
    }

    /// Live bytes at the end of each round of a phase.
    package struct PhaseSeries: Sendable {
        package var name: String
        package var values: [UInt64]
    }

    /// No code of the program's own is in its stack: what it holds follows from something else.
    package var isLibrary = false
    /// Growing, and allocated by what a language's library does to start a thread: who creates the threads decides how much.
    var isOfThreadStart = false
    /// Number of the site in the builder's tables.
    package var index = 0
    /// What growing sites are ranked by: bytes per second that can be counted on.
    var weight = 0.0
    /// Equal for the same place in all phases.
    var place = 0
    /// Of a growing site: blocks that stayed by interval of birth, and the functions on the way to most of them.
    var births: [Double] = []
    var way: Set<UInt64> = []
}

extension [ReportSite] {
    /// Those that satisfy a condition: sites are large, and `filter` copies each to ask it.
    package func those(where isWanted: (ReportSite) -> Bool) -> [ReportSite] {
        indices.filter { isWanted(self[$0]) }.map { self[$0] }
    }
}

extension ReportSite {
    package var isGrowing: Bool { verdict.isGrowing }

    /// Where a repair would go: the distinguishing caller where there is one with a name.
    package var fix: ReportFrame {
        if let caller, !caller.function.isEmpty || blame.function.isEmpty { return caller }
        return origin ?? blame
    }

    /// True when most of it was freed between the last snapshot and the program's end.
    package var wasGivenBack: Bool { lastInUseBytes > 2 * inUseBytes }

    /// In use at the end, or before the way out where most of it was given back then.
    package var heldBytes: UInt64 { wasGivenBack ? lastInUseBytes : inUseBytes }
}

/// Where a freed block went that was born in a phase.
package struct FreedBy: Sendable {
    /// The blamed frame of the stack that freed most of them.
    package var frame: ReportFrame
    /// Share of all that was born in the phase.
    package var share: Double
}
