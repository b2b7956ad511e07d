package import SiltEvents
package import SiltGrowth
package import SiltRecording
internal import SiltSymbols
internal import SiltText

/// What a recording says about the target's heap: the model that every renderer shows.
///
/// Built by `ReportBuilder`; holds the recording, so that stacks are turned into names only when they are printed.
package struct HeapReport: Sendable {
    package enum Verdict: String, Sendable {
        case growing
        case notGrowing = "not-growing"
        /// Nothing can be said; `obstacle` says why.
        case inconclusive
    }

    package var verdict = Verdict.inconclusive
    /// Why nothing can be said; nil for the other verdicts.
    package var obstacle: Obstacle?
    /// Of the process that was watched longest.
    package var snapshotCount = 0
    /// The same if they had all been as far apart as the last ones.
    package var periodCount = 0
    /// A process was watched long enough for a verdict, of a trace that ran freely.
    package var isLongEnough = true
    package var seconds = 0.0
    package var totals = RecordedTotals()
    package var trust = ReportTrust()
    /// By start.
    package var processes: [ReportProcess] = []
    /// All sites with a live or cumulative byte, in the order of the options.
    package var sites: [ReportSite] = []
    /// Growth of a process's memory that its allocations do not explain; nil: there is none.
    package var outsideMalloc: MemoryGrowth?
    /// Of a hunt; empty when the trace ran freely.
    package var phases: [HuntPhases.Phase] = []
    /// Of a hunt that ended early.
    package var failure: HuntFailure?
    /// Of a trace that ran freely: workers that were replaced too soon to be judged.
    package var shortWorkers: ShortWorkers?
    /// Its counters are those before the processes gave it back on their way out (`opening`).
    package var isBeforeTheWayOut = false
    package var options = ReportOptions()
    package internal(set) var recording: Recording
    package let names: FrameNames

    package init(recording: Recording, names: FrameNames) {
        self.recording = recording
        self.names = names
    }
}

/// A process image and its sums.
package struct ReportProcess: Sendable {
    package var process: RecordedProcess
    /// Pid of the process it was forked from or started by.
    package var parentPid: UInt32
    package var totals: RecordedTotals
}

/// What the report's numbers rest on, over all processes.
package struct ReportTrust: Sendable {
    package var counters = TrustCounters()
    /// Stacks followed to their outermost frame.
    package var completeStacksPercent = 100.0
    /// Allocated bytes whose call site has a function name.
    package var symbolizedPercent = 100.0
    /// False: the recording ends with its last transaction, because the analyzer was killed or is still writing.
    package var isClosed = true

    package init() {}
}

/// A call site: all stacks whose blame frame has the same function, file and line, over all processes.
///
/// When only one caller of that function grows, its stacks are a site of their own, and so are those of each of several.
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
    /// The growing site that this one is part of: one finding with it; nil: it stands for itself.
    package var follows: Following?
    package var inUseBytes: UInt64 = 0
    package var inUseCount: UInt64 = 0
    package var allocatedBytes: UInt64 = 0
    package var allocatedCount: UInt64 = 0
    package var peakBytes: UInt64 = 0
    package var peakCount: UInt64 = 0
    package var temporaryCount: UInt64 = 0
    /// Resident bytes of the stacks of the threads that its blocks are for; its rate has them too.
    package var threadStackBytes: UInt64 = 0
    /// The stack that holds most of it.
    package var stack: UInt32 = 0
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

    /// Why a site is no finding of its own.
    package struct Following: Equatable, Sendable {
        package enum Reason: String, Sendable {
            /// The same place in another phase.
            case samePlace = "same-place"
            /// As many blocks in each interval, allocated on the same way.
            case lockStep = "lock-step"
        }

        /// Of the site that leads.
        package var rank: Int
        package var why: Reason
    }

    /// What one stack of a site holds, over all processes.
    package struct StackPart: Sendable {
        package var stack: UInt32
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

extension ReportSite {
    package var isGrowing: Bool { verdict.isGrowing }

    /// Where a repair would go: the distinguishing caller where there is one with a name.
    package var fix: ReportFrame {
        if let caller, !caller.function.isEmpty || blame.function.isEmpty { return caller }
        return origin ?? blame
    }

    /// True when most of it was freed between the last snapshot and the program's end.
    package var wasGivenBack: Bool { lastInUseBytes > 2 * inUseBytes }
}

/// One function of a stack, with names.
package struct ReportFrame: Equatable, Sendable {
    /// Empty when unknown: then module and offset say where.
    package var function: String
    package var file: String?
    package var line: Int?
    package var module: String
    package var offset: UInt64
    package var inlined: Bool
    /// Another place of the report has the same name, in another module.
    package var tellsModule = false

    /// What calls main, or a thread's function.
    package var isRuntimeStart: Bool {
        ["_start", "start_thread", "clone", "clone3", "__clone", "__clone3", "thread_start"].contains(function)
            || function.hasPrefix("__libc_start")
    }

    /// The function as a reader wants it, or what stands for it.
    package var name: String {
        if isGo { return function }
        if !function.isEmpty { return readableName(function) }
        return module.isEmpty
            ? "[" + Format.hex(offset) + "]" : module.lastPathComponent + "+" + Format.hex(offset)
    }

    private var isGo: Bool { GoName.isGo(file: file ?? "", function: function) }

    /// `name` for a terminal in at most `width` characters: shortened by its arguments before it is cut.
    package func name(width: Int) -> String {
        (function.isEmpty || isGo ? name : abridgedName(function, width: width)).printable.cutInside(to: width)
    }

    /// file:line with the file's last component; the module's when there are no lines.
    package var place: String {
        guard let file, let line else { return function.isEmpty ? "" : String(module.lastPathComponent) }
        let place = file.lastPathComponent + ":\(line)"
        return tellsModule ? "\(module.lastPathComponent): \(place)" : String(place)
    }
}

extension HeapReport {
    /// True when the numbers are those of profiles that the target served, rather than of traced events.
    package var isOfProfiles: Bool {
        !recording.processes.isEmpty && recording.processes.allSatisfy(\.isProfiled)
    }

    /// The functions of a stack, innermost first, inlined ones included.
    package func frames(ofStack stack: UInt32) -> [ReportFrame] {
        var result: [ReportFrame] = []
        var node = stack
        while node != 0 {
            let entry = recording.stacks[Int(node) - 1]
            node = entry.parent
            guard entry.frame != 0 else { continue }
            for row in names.ranges[Int(entry.frame) - 1] {
                result.append(names.frame(ofRow: row, frame: entry.frame, in: recording))
            }
        }
        return result
    }

    /// Index in `frames(ofStack:)` of the blamed function.
    package func blameIndex(ofStack stack: UInt32) -> Int {
        guard stack != 0 else { return 0 }
        let (blameNode, row) = names.blame(ofStack: stack, in: recording)
        var count = 0
        var node = stack
        while node != 0 {
            let entry = recording.stacks[Int(node) - 1]
            if node == blameNode {
                return entry.frame == 0 ? count : count + row - names.ranges[Int(entry.frame) - 1].lowerBound
            }
            if entry.frame != 0 { count += names.ranges[Int(entry.frame) - 1].count }
            node = entry.parent
        }
        return 0
    }

    /// The value that the options ask for, of one stack in one process.
    package func value(of row: RecordedCounters) -> UInt64 {
        switch options.order {
        case .growth, .inUse: row.inUseBytes
        case .allocated: row.allocatedBytes
        case .peak: row.peakBytes
        case .temporary: row.temporaryCount
        }
    }
}

extension FrameNames {
    /// Whether it is Go's runtime that keeps what is allocated there (`GoName.isKeptByRuntime`).
    func isKeptByRuntime(stack: UInt32, in recording: Recording) -> Bool {
        let functions = recording.frames(ofStack: stack).lazy.filter { $0 != 0 }.flatMap { frame in
            ranges[Int(frame) - 1].lazy.map { recording.string(rows[$0].function) }
        }
        return GoName.isKeptByRuntime(functions)
    }

    func frame(ofRow index: Int, frame: UInt32, in recording: Recording) -> ReportFrame {
        let row = rows[index]
        let location = recording.frames[Int(frame) - 1]
        let placeholder = location.isPlaceholder || location.isGenerated ? Self.address(of: frame, in: recording) : ""
        return ReportFrame(
            function: row.function == 0 ? placeholder : recording.string(row.function),
            file: row.file == 0 ? nil : recording.string(row.file),
            line: row.line == 0 ? nil : Int(row.line),
            module: location.module == 0 ? "" : recording.modules[Int(location.module) - 1].path,
            offset: location.offset,
            inlined: row.inlined
        )
    }
}

extension Recording {
    /// What the outputs of one unit add up: heaps, or goroutines where the recording has nothing else.
    var countedResource: Resource { counters.first?.resource == .goroutine ? .goroutine : .heap }
}

extension HeapReport {
    package var countedResource: Resource { recording.countedResource }

    /// The counters of that resource, by process, then stack.
    package func forEachCounter<Failure>(_ body: (RecordedCounters) throws(Failure) -> Void) throws(Failure) {
        let counted = countedResource
        for row in recording.counters where row.resource == counted { try body(row) }
    }
}
