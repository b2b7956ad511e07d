package import SiltEvents

/// A recording as values: everything a report needs, in flat arrays (700,000 stacks take some 100 MB).
///
/// Ids are those of the recording; its tables have empty rows for ids that were never written. Every id that a row holds is
/// none or of a row, and a stack's parent is before itself: `init` rejects a file where it is not so.
package struct Recording: Sendable {
    package var target = RecordedTarget(command: [])
    /// Nil until the recording is closed.
    package var cost: RecordedCost?
    /// Snapshots of a process are a tick apart at first, and this many in the end (`SnapshotScale`); 1: all are equally far
    /// apart.
    package var maximumSnapshotStep: UInt32 = 1
    /// Bytes that the target's control group may use; nil: no limit.
    package var memoryLimit: UInt64?
    /// False: the analyzer was killed or is still writing; the numbers are those of the last transaction.
    package var isClosed = false
    /// By id, ascending.
    package var processes: [RecordedProcess] = []
    /// By process, as `processes`.
    package var totals: [RecordedTotals] = []
    package var trust: [TrustCounters] = []
    package var modules: Table<ModuleID, RecordedModule> = []
    package var frames: Table<FrameID, RecordedFrame> = []
    package var stacks: Table<StackID, RecordedStack> = []
    /// By resource, then process, then stack.
    package var counters: [RecordedCounters] = []
    /// The same of blocks at the last snapshot, of processes that gave some of it back on their way out.
    package var lastCounters: [RecordedCounters] = []
    /// By process, then snapshot, of one width per process.
    package var snapshots: [RecordedSnapshot] = []
    /// By process, then snapshot: of those at which somebody looked.
    package var memory: [RecordedMemory] = []
    /// By process, then stack: at its last look.
    package var pins: [RecordedPin] = []
    /// By process, then stack.
    package var moves: [RecordedMoves] = []
    /// By resource, then process, then group, then snapshot; bring a series to one width with `uniform`.
    package var groupSamples: [RecordedSample] = []
    /// By resource, then process, then stack.
    package var histories: [RecordedHistory<StackID>] = []
    /// By resource, then process, then frame of the group.
    package var groupHistories: [RecordedHistory<FrameID>] = []
    package var historyBytes: [UInt8] = []
    /// Where a frame's rows are in `symbols`, innermost function first; empty: not symbolized.
    package var symbolRanges: Table<FrameID, Range<Int32>> = []
    package var symbols: [RecordedSymbol] = []
    package var strings: Table<StringID, String> = []
    /// The function of another file that a frame's last call names, where that is known.
    package var calls: [FrameID: StringID] = [:]
    package var phases: [RecordedPhase] = []
    /// The intervals of a hunt, in their order; none: the trace ran freely.
    package var rounds: [RecordedRound] = []
    /// How a hunt ended that ended early.
    package var huntEnd: RecordedHuntEnd?
    /// By process, then phase, then stack.
    package var phaseAllocations: [PhaseAllocations] = []
    package var phaseFrees: [PhaseFrees] = []
    package var marks: [RecordedMark] = []
    package var classes: [RecordedClass] = []
    /// By process, then name.
    package var threads: [RecordedThreads] = []
    /// By process.
    package var descriptorLimits: [UInt32: DescriptorLimit] = [:]
    /// By resource, then process, then stack.
    package var examples: [RecordedExample] = []
    /// What was not followed, those that lived longest first.
    package var untraced: [RecordedUntraced] = []

    package init() {}
}

/// A file that was mapped into a process.
package struct RecordedModule: Equatable, Sendable {
    package var path: String
    package var buildID: [UInt8]
    /// Why its addresses have no lines; nil when they have, or when nobody looked.
    package var missingLines: String?
}

/// One address: of the module's file when there is a module, else absolute.
package struct RecordedFrame: Equatable, Sendable {
    package var module = ModuleID.none
    package var offset: UInt64 = 0
    package var kind = Frame.Kind.returnAddress
}

/// A node of the stack trie: this frame, called from `parent`.
package struct RecordedStack: Equatable, Sendable {
    package var parent = StackID.none
    package var frame = FrameID.none

    package init() {}
}

/// A survivor history: its bytes are `Recording.historyBytes[range]`.
package struct RecordedHistory<Key: RowID>: Equatable, Sendable {
    package var resource: Resource
    package var process: UInt32
    /// The stack, or the frame of the group.
    package var key: Key
    package var range: Range<Int>
}

/// A function at a frame.
package struct RecordedSymbol: Equatable, Sendable {
    package var function: StringID
    package var file: StringID
    /// 0: unknown.
    package var line: UInt32
    package var inlined: Bool

    package init(function: StringID, file: StringID, line: UInt32, inlined: Bool) {
        self.function = function
        self.file = file
        self.line = line
        self.inlined = inlined
    }
}

extension Recording {
    /// A text of the recording; empty for none.
    package func string(_ id: StringID) -> String { id == .none ? "" : strings[id] }

    /// A module's path; empty for none.
    package func path(ofModule id: ModuleID) -> String { id == .none ? "" : modules[id].path }

    /// The innermost frame of a stack; none for none.
    package func frame(ofStack id: StackID) -> FrameID { id == .none ? .none : stacks[id].frame }

    /// Frames of a stack, innermost first.
    package func frames(ofStack stack: StackID) -> [FrameID] {
        var result: [FrameID] = []
        var node = stack
        while node != .none {
            result.append(stacks[node].frame)
            node = stacks[node].parent
        }
        return result
    }

    /// The functions at a frame, innermost first; empty when it was not symbolized.
    package func symbols(ofFrame frame: FrameID) -> ArraySlice<RecordedSymbol> {
        guard frame != .none else { return [] }
        let range = symbolRanges[frame]
        return symbols[Int(range.lowerBound)..<Int(range.upperBound)]
    }

    /// Samples of one series at one width, the widest it has.
    package static func uniform(_ samples: ArraySlice<RecordedSample>) -> [RecordedSample] {
        let width = samples.reduce(1) { max($0, $1.width) }
        guard width > 1 else { return Array(samples) }
        let rows = samples.map {
            Window.Row(
                snapshot: $0.snapshot,
                width: $0.width,
                inUseBytes: $0.inUseBytes,
                troughBytes: $0.troughBytes
            )
        }
        var merged = Window.merged(rows, width: width).makeIterator()
        var next = merged.next()
        var result: [RecordedSample] = []
        for sample in samples where next?.snapshot == sample.snapshot {
            var kept = sample
            kept.width = next?.width ?? 1
            kept.troughBytes = next?.troughBytes ?? sample.troughBytes
            result.append(kept)
            next = merged.next()
        }
        return result
    }
}
