package import SiltEvents
package import SiltRecording
internal import SiltSymbols
internal import SiltText

/// What a recording says about the target's heap: the model that every renderer shows.
///
/// Built by `ReportBuilder`; holds the recording, so that stacks are turned into names only when they are printed.
package struct HeapReport: Sendable {
    package enum Verdict: String, Sendable, CaseIterable {
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
    /// Snapshots that are equally far apart, of the process that has most of them: those that were taken, and not skipped.
    var evenSnapshots = 0
    /// Seconds for which no snapshot was taken, when that is why no process can be judged.
    var stoodStill = 0.0
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
    package var recording: Recording
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
}

extension HeapReport {
    /// True when the numbers are those of profiles that the target served, rather than of traced events.
    package var isOfProfiles: Bool {
        !recording.processes.isEmpty && recording.processes.allSatisfy(\.isProfiled)
    }

    /// The functions of a stack, innermost first, inlined ones included.
    package func frames(ofStack stack: StackID) -> [ReportFrame] {
        names.walk(from: stack, in: recording).flatMap { step in
            step.rows.map { names.frame(ofRow: $0, frame: step.frame, in: recording) }
        }
    }

    /// From the blamed function outward.
    package func framesFromBlame(ofStack stack: StackID) -> ArraySlice<ReportFrame> {
        frames(ofStack: stack).dropFirst(blameIndex(ofStack: stack))
    }

    /// Index in `frames(ofStack:)` of the blamed function.
    package func blameIndex(ofStack stack: StackID) -> Int {
        guard stack != .none else { return 0 }
        let (blameNode, row) = names.blame(ofStack: stack)
        var count = 0
        for step in names.walk(from: stack, in: recording) {
            if step.node == blameNode { return count + row - step.rows.lowerBound }
            count += step.rows.count
        }
        return 0
    }

    /// The value that the options ask for, of one stack in one process.
    package func value(of row: RecordedCounters) -> UInt64 {
        switch options.order {
        case .growth, .inUse: row.inUseBytes
        case .allocated: row.allocatedBytes
        case .peak: row.peakBytes
        case .temporary: row.temporaryCount &+ (recording.moves(of: row)?.count ?? 0)
        }
    }
}

extension FrameNames {
    /// Whether it is Go's runtime that keeps what is allocated there (`GoName.isKeptByRuntime`).
    func isKeptByRuntime(stack: StackID, in recording: Recording) -> Bool {
        GoName.isKeptByRuntime(functions(ofStack: stack, in: recording))
    }

    /// Whether it is the heap of Go's runtime that is mapped there.
    func isMappedByGo(stack: StackID, in recording: Recording) -> Bool {
        functions(ofStack: stack, in: recording).contains(where: GoName.maps)
    }

    private func functions(ofStack stack: StackID, in recording: Recording) -> some Sequence<String> {
        walk(from: stack, in: recording).lazy.flatMap { $0.rows.lazy.map { recording.string(rows[$0].function) } }
    }

    func frame(ofRow index: Int, frame: FrameID, in recording: Recording) -> ReportFrame {
        let row = rows[index]
        let location = recording.frames[frame]
        let placeholder = location.isPlaceholder || location.isGenerated ? address(of: frame, in: recording) : ""
        var result = ReportFrame(
            function: row.function == .none ? placeholder : recording.string(row.function),
            file: row.file == .none ? nil : recording.string(row.file),
            line: row.line == 0 ? nil : Int(row.line),
            module: recording.path(ofModule: location.module),
            offset: location.offset,
            inlined: row.inlined
        )
        result.isPlumbing = row.isPlumbing
        result.startedAs = startedAs[result.module]
        return result
    }
}

extension Recording {
    /// What the outputs of one unit add up unless told: blocks, or what has no size where the recording has nothing else.
    package var countedResource: Resource {
        guard let first = counters.first?.resource, first.isCounted else { return .heap }
        return first
    }

    /// What it has counters of, in the order of their numbers.
    package var resources: [Resource] {
        var result: [Resource] = []
        var next = counters.startIndex
        while next < counters.endIndex {
            let resource = counters[next].resource
            result.append(resource)
            next = counters[next...].firstIndex { $0.resource != resource } ?? counters.endIndex
        }
        return result
    }
}

extension HeapReport {
    package var countedResource: Resource { options.resource ?? recording.countedResource }

    /// The counters of that resource, by process, then stack.
    package func forEachCounter<Failure>(_ body: (RecordedCounters) throws(Failure) -> Void) throws(Failure) {
        let counted = countedResource
        for row in recording.counters where row.resource == counted { try body(row) }
    }
}
