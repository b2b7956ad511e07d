internal import SiltEvents
internal import SiltFindings
internal import SiltPprof
internal import SiltRecording

/// A number that a profile has for each stack: a sample type of pprof.
struct SampleColumn {
    let type: PprofValueType
    let resource: Resource
    let value: (RecordedCounters) -> UInt64

    /// Those of one resource, in the order of heap profiles; things without a size are counted, as Go counts goroutines.
    static func all(of resource: Resource, knowsAllocations: Bool, countsThings: Bool = true) -> [SampleColumn] {
        func column(_ name: String, _ unit: String, _ value: @escaping (RecordedCounters) -> UInt64) -> SampleColumn {
            let type = PprofValueType(type: resource.sampleType(name), unit: unit)
            return SampleColumn(type: type, resource: resource, value: value)
        }
        guard !resource.isCounted else { return [column("", "count") { $0.inUseCount }] }
        let allocated =
            knowsAllocations
            ? [
                column("alloc_objects", "count") { $0.allocatedCount },
                column("alloc_space", "bytes") { $0.allocatedBytes },
            ] : []
        let count = countsThings ? [column("inuse_objects", "count") { $0.inUseCount }] : []
        return allocated + count + [column("inuse_space", "bytes") { $0.inUseBytes }]
    }
}

extension ReportOptions.Order {
    /// What it counts of blocks, in the words of pprof's sample types.
    var sampleType: String {
        switch self {
        case .growth, .inUse: "inuse_space"
        case .allocated: "alloc_space"
        case .peak: "peak_inuse_space"
        case .temporary: "temporary_objects"
        }
    }
}
