package import SiltEvents
internal import SiltText

/// Rows of a recording: plain values, numbered as in the session.
///
/// Process numbers are the session's own (1, 2, …: one per process image, so a fork and an exec make new ones); frame,
/// stack and module ids are those of the session's stack table. Times are nanoseconds of
/// CLOCK_MONOTONIC unless named otherwise.

/// One text of a recording.
package struct StringID: RowID {
    package var rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }
}

extension RowID {
    /// One number for the row as a process has it.
    package func key(inProcess process: UInt32) -> UInt64 { UInt64(process) << 32 | UInt64(rawValue) }
}

/// What was run, where, and how it ended: one per recording.
package struct RecordedTarget: Equatable, Sendable {
    package var command: [String]
    package var directory = ""
    package var executable = ""
    package var pid: UInt32 = 0
    /// The module that defines the real malloc; empty when unknown.
    package var allocator = ""
    package var exitStatus: Int?
    /// The signal that ended the target.
    package var signal: Int?
    package var siltVersion = ""
    package var kernel = ""
    package var snapshotPeriodNs: UInt64 = 0
    /// CLOCK_REALTIME at the start.
    package var startUnixNs: UInt64 = 0
    package var startNs: UInt64 = 0
    package var endNs: UInt64?
    /// Why nothing could be traced (static, setuid, no handshake …), in words for the user; nil when it was.
    package var untraceable: String?

    package init(command: [String]) {
        self.command = command
    }
}

extension RecordedTarget {
    /// Whether malloc is that of glibc, which `allocator`, a module's path, then is.
    package static func isGlibc(allocator: String) -> Bool {
        let name = allocator.lastPathComponent
        return name.hasPrefix("libc.so") || name.hasPrefix("libc-2")
    }

    package var isOfGlibc: Bool { Self.isGlibc(allocator: allocator) }
}

/// What a run took, itself and to be traced: one per recording, written when it is closed.
package struct RecordedCost: Equatable, Sendable {
    /// User and system time of the command and of what it waited for (getrusage(2)); 0 when silt did not start it.
    package var commandCPUNs: UInt64 = 0
    /// The largest resident size among them; 0 when silt did not start it.
    package var commandPeakBytes: UInt64 = 0
    /// User and system time of the analyzer until the last event was taken in: without symbols and report.
    package var analyzerCPUNs: UInt64 = 0
    /// The analyzer's largest resident size until then.
    package var analyzerPeakBytes: UInt64 = 0

    package init() {}
}

/// One process image: from its start (fork or exec) to its end (exit or the next exec).
package struct RecordedProcess: Equatable, Sendable {
    package enum End: Equatable, Sendable {
        case running
        case exited(status: Int)
        case killed(signal: Int)
        /// Replaced by another image of the same pid.
        case execed
        /// Gone, and nobody could say how.
        case unknown
    }

    package var id: UInt32
    package var pid: UInt32
    package var parentPid: UInt32 = 0
    /// Number of the process image it was forked from or execed by, 0 when none is known.
    package var parent: UInt32 = 0
    package var command: [String] = []
    /// Where profiles that were pulled beside a trace come from.
    package var executable = ""
    /// Made by fork: its heap began as a copy of the parent's.
    package var forked = false
    package var startNs: UInt64 = 0
    package var endNs: UInt64?
    package var end = End.running
    /// Its numbers are not sums of traced events, but as profiles say, which may be samples.
    package var isProfiled = false
    /// Bytes from one sample of its profiles to the next, as what they are called says; nil: they count all.
    package internal(set) var samplePeriod: UInt64?

    package init(id: UInt32, pid: UInt32) {
        self.id = id
        self.pid = pid
    }
}

/// Bytes and blocks of a process, or of several.
package struct RecordedTotals: Equatable, Sendable {
    package var allocatedBytes: UInt64 = 0
    package var allocatedCount: UInt64 = 0
    package var freedBytes: UInt64 = 0
    package var freedCount: UInt64 = 0
    package var inUseBytes: UInt64 = 0
    package var inUseCount: UInt64 = 0
    /// The highest bytes in use at any event, not only at snapshots.
    package var peakInUseBytes: UInt64 = 0
    package var mappedBytes: UInt64 = 0

    package init() {}
}

/// What the numbers of one process rest on.
package struct TrustCounters: Equatable, Sendable {
    package var allocations: UInt64 = 0
    package var frees: UInt64 = 0
    package var reallocations: UInt64 = 0
    /// Frees that were undone: a realloc that failed.
    package var undoneFrees: UInt64 = 0
    package var maps: UInt64 = 0
    package var unmaps: UInt64 = 0
    package var remaps: UInt64 = 0
    /// Things with handles that were taken and given back.
    package var takes: UInt64 = 0
    package var gives: UInt64 = 0
    /// Descriptors that were open at the last look, and that nobody was seen to open.
    package var unseenDescriptors: UInt64 = 0
    package var unknownKinds: UInt64 = 0
    /// Events the process wrote, by its own count.
    package var eventsSent: UInt64 = 0
    /// Bytes the process published in its rings, and bytes read out of them.
    package var committedBytes: UInt64 = 0
    package var receivedBytes: UInt64 = 0
    /// Events whose stamp was taken and which never arrived (a thread killed between the two).
    package var gaps: UInt64 = 0
    package var unknownFrees: UInt64 = 0
    /// Frees of blocks that a forked child had inherited.
    package var inheritedFrees: UInt64 = 0
    package var waits: UInt64 = 0
    package var waitNs: UInt64 = 0
    /// Events the shim could not record.
    package var lost: UInt64 = 0
    package var reentered: UInt64 = 0
    /// Allocations at an address whose block was never seen freed.
    package var overwritten: UInt64 = 0
    /// Undone frees that matched no free.
    package var unmatchedUnfrees: UInt64 = 0
    /// Stacks the shim took, and those of them that its fallback unwinder took.
    package var stacks: UInt64 = 0
    package var stacksSlow: UInt64 = 0
    /// Allocations whose stack was cut at the frame limit, could not be followed to its end, or is missing.
    package var stacksTruncated: UInt64 = 0
    package var stacksIncomplete: UInt64 = 0
    package var stacksMissing: UInt64 = 0
    package var modulesLost: UInt64 = 0
    /// Imports of functions that allocate, which could not be pointed to the shim: what they do was not seen.
    package var importsUnbound: UInt64 = 0
    /// Why the shim gave up (`silt_off` of the wire header), 0 when it did not.
    package var offReason: UInt64 = 0
    /// When it did, in nanoseconds of the trace.
    package var offNs: UInt64 = 0

    package init() {}

    /// Events that were decoded.
    package var eventsReceived: UInt64 {
        allocations + frees + reallocations + undoneFrees + maps + unmaps + remaps + takes + gives + unknownKinds
    }
}

/// A process at one snapshot.
package struct RecordedSnapshot: Equatable, Sendable {
    package var process: UInt32
    /// Number of the snapshot in its process, 0 the baseline.
    package var snapshot: UInt32
    package var timeNs: UInt64
    package var inUseBytes: UInt64 = 0
    package var inUseCount: UInt64 = 0
    package var allocatedBytes: UInt64 = 0
    package var allocatedCount: UInt64 = 0
    package var rssBytes: UInt64?
    package var mappedBytes: UInt64?
    /// Snapshots this row stands for: itself, and width − 1 before it that were thinned away.
    package var width: UInt32 = 1
    /// Lowest bytes in use at the snapshots it stands for; nil: `inUseBytes`.
    package var troughBytes: UInt64?

    package init(process: UInt32, snapshot: UInt32, timeNs: UInt64) {
        self.process = process
        self.snapshot = snapshot
        self.timeNs = timeNs
    }
}

/// One stack of one process: its counters of one resource as they stand.
package struct RecordedCounters: Equatable, Sendable {
    package var resource: Resource
    package var process: UInt32
    package var stack: StackID
    /// Frame that the growth history was grouped by while the program ran: the innermost that is not an allocator wrapper.
    package var group = FrameID.none
    package var inUseBytes: UInt64 = 0
    package var inUseCount: UInt64 = 0
    package var allocatedBytes: UInt64 = 0
    package var allocatedCount: UInt64 = 0
    /// In use when the whole process was at its peak.
    package var peakBytes: UInt64 = 0
    package var peakCount: UInt64 = 0
    /// Blocks freed with no other allocation in between.
    package var temporaryCount: UInt64 = 0

    package init(_ resource: Resource, process: UInt32, stack: StackID) {
        self.resource = resource
        self.process = process
        self.stack = stack
    }
}

/// One group at a snapshot at which it had moved; between two samples nothing changed.
package struct RecordedSample: Equatable, Sendable {
    package var resource: Resource
    package var process: UInt32
    package var group: FrameID
    package var snapshot: UInt32
    /// Snapshots this row stands for, as in `RecordedSnapshot`.
    package var width: UInt32 = 1
    package var inUseBytes: UInt64
    /// Lowest bytes in use at the snapshots it stands for.
    package var troughBytes: UInt64
    package var inUseCount: UInt64

    package init(
        _ resource: Resource,
        process: UInt32,
        group: FrameID,
        snapshot: UInt32,
        inUseBytes: UInt64,
        inUseCount: UInt64
    ) {
        self.resource = resource
        self.process = process
        self.group = group
        self.snapshot = snapshot
        self.inUseBytes = inUseBytes
        troughBytes = inUseBytes
        self.inUseCount = inUseCount
    }
}

/// The span between two marks.
package struct RecordedPhase: Equatable, Sendable {
    package var name: String
    package var startNs: UInt64
    package var endNs: UInt64?
    /// Requests served in it, when a load script counted them.
    package var requests: UInt64?

    package init(name: String, startNs: UInt64, endNs: UInt64? = nil, requests: UInt64? = nil) {
        self.name = name
        self.startNs = startNs
        self.endNs = endNs
        self.requests = requests
    }
}

/// A named instant.
package struct RecordedMark: Equatable, Sendable {
    package var name: String
    package var timeNs: UInt64

    package init(name: String, timeNs: UInt64) {
        self.name = name
        self.timeNs = timeNs
    }
}

/// What profiles are, in words: `profiles of http://…, one sample every 524288 bytes`.
package enum ProfileSource {
    private static let (before, after) = (", one sample every ", " bytes")

    package static func text(_ origin: String, period: Int64) -> String {
        period > 1 ? "\(origin)\(before)\(period)\(after)" : origin
    }

    /// One sample every so many bytes; nil where they count all.
    static func period(_ text: String) -> UInt64? {
        guard text.hasSuffix(after) else { return nil }
        let rest = text.dropLast(after.count)
        let digits = rest.suffix(rest.reversed().prefix(while: \.isNumber).count)
        return rest.dropLast(digits.count).hasSuffix(before) ? UInt64(digits) : nil
    }
}
