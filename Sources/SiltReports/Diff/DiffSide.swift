package import SiltEvents
package import SiltFindings
package import SiltRecording
internal import SiltSymbols

/// One of the two recordings that are compared, or one moment of a recording.
package struct DiffSide: Sendable {
    /// As the user named it.
    package let name: String
    private(set) var report: HeapReport
    /// What was measured until then; nil: not known.
    let seconds: Double?
    let requests: UInt64?
    /// A moment of a recording.
    let isPast: Bool
    /// Of which what is in use is what was before it was given back on the way out.
    private let givenBack: Set<Resource>
    /// Processes that had ended by that moment and stand as they were before, where they held some of it.
    var endedCount: Int {
        guard !ended.isEmpty else { return 0 }
        var holders: Set<UInt32> = []
        report.forEachCounter { row in
            if row.inUseBytes > 0, ended.contains(row.process) { holders.insert(row.process) }
        }
        return holders.count
    }
    private let ended: Set<UInt32>

    /// Throws what `AllocatorFrames` throws for a hide pattern that is not a regular expression.
    package init(_ recording: Recording, name: String, hide: [String], resource: Resource? = nil) throws {
        self.name = name
        var options = ReportOptions()
        options.hide = hide
        options.resource = resource
        var report = try ReportBuilder.build(recording, options: options)
        let past = report.beforeTheWayOut
        if let past { report.recording = past.recording }
        self.report = report
        givenBack = past?.resources ?? []
        let target = recording.target
        let isMeasured = target.endNs.map { $0 > target.startNs } ?? false
        seconds = isMeasured && !recording.isProfileFile ? Double((target.endNs ?? 0) - target.startNs) / 1e9 : nil
        requests = recording.rounds.requests
        isPast = false
        ended = []
    }

    /// A report that is there already.
    package init(_ report: HeapReport, name: String) {
        self.name = name
        self.report = report
        seconds = nil
        requests = nil
        isPast = false
        ended = []
        givenBack = report.isBeforeTheWayOut ? [report.countedResource] : []
    }

    /// The recording at one of its moments.
    package init(
        _ recording: Recording,
        at moment: Moments.Moment,
        of moments: Moments,
        hide: [String],
        resource: Resource? = nil
    ) throws {
        name = moment.name
        report = try Self.report(moments.recording(at: moment), hide, resource)
        seconds = moment.seconds
        requests = moment.requests
        isPast = true
        givenBack = []
        ended = moments.ended(by: moment)
    }

    private static func report(_ recorded: Recording, _ hide: [String], _ resource: Resource?) throws -> HeapReport {
        let recording = recorded.forgettingReplacedImages
        var report = HeapReport(
            recording: recording,
            names: FrameNames(recording, hiding: try AllocatorFrames(hide: hide))
        )
        report.options.resource = resource
        return report
    }

    var resource: Resource { report.countedResource }

    /// What is in use is what was before it was given back on the way out.
    var isBeforeTheWayOut: Bool { givenBack.contains(resource) }

    /// Compares what a difference opens on.
    package mutating func open(on opening: DiffOpening) { report.options.resource = opening.resource }

    /// Why that cannot be compared; nil when it can.
    func obstacle(to measure: DiffSettings.Measure) -> String? {
        switch measure {
        case .inUse: nil
        case .allocated where isPast:
            "a recording knows what was in use at its moments, not what had been allocated: compare --by inuse"
        case .peak where isPast: "a moment has no peak: compare --by inuse"
        case .allocated where !report.knowsAllocations:
            "it is of profiles that say what is in use, not what was allocated: compare --by inuse"
        case .peak where report.isOfProfiles: "it is of profiles, which know no peak: compare --by inuse"
        case .allocated, .peak: nil
        }
    }

    func value(_ row: RecordedCounters, _ measure: DiffSettings.Measure) -> UInt64 {
        switch measure {
        case .inUse: row.inUseBytes
        case .allocated: row.allocatedBytes
        case .peak: row.peakBytes
        }
    }

    /// Bytes and blocks of everything; no blocks where they were not counted.
    func total(_ measure: DiffSettings.Measure) -> (bytes: UInt64, count: UInt64) {
        var sum = (bytes: UInt64(0), count: UInt64(0))
        report.forEachCounter { row in
            sum.bytes &+= value(row, measure)
            switch measure {
            case .inUse: sum.count &+= row.inUseCount
            case .allocated: sum.count &+= row.allocatedCount
            case .peak: sum.count &+= row.peakCount
            }
        }
        return sum
    }
}

extension Recording {
    /// Made of one profile in a file, which says nothing of how long it took.
    fileprivate var isProfileFile: Bool {
        rounds.isEmpty && !processes.isEmpty && processes.allSatisfy(\.isProfiled)
    }
}

extension HeapReport {
    /// Whether what was allocated is known; profiles may say what is in use alone.
    ///
    /// Then what was allocated reads as the most that was in use at once.
    var knowsAllocations: Bool {
        !isOfProfiles || recording.counters.contains { $0.allocatedBytes > $0.peakBytes }
    }
}
