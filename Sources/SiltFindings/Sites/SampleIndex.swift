internal import SiltEvents
internal import SiltRecording

/// Where the samples of each series are.
struct SampleIndex {
    private let samples: [RecordedSample]
    private var ranges: [Key: Range<Int>] = [:]

    init(_ samples: [RecordedSample]) {
        self.samples = samples
        Self.forEachSeries(of: samples) { first, range in
            ranges[Self.key(first.resource, first.process, first.group)] = range
        }
    }

    /// What one call site of one process had, each with its first sample.
    static func forEachSeries(of samples: [RecordedSample], _ body: (_ first: RecordedSample, Range<Int>) -> Void) {
        var start = 0
        while start < samples.count {
            let first = samples[start]
            var end = start + 1
            while end < samples.count, samples[end].process == first.process,
                samples[end].resource == first.resource, samples[end].group == first.group
            {
                end += 1
            }
            body(first, start..<end)
            start = end
        }
    }

    func rows(_ resource: Resource, process: UInt32, group: FrameID) -> ArraySlice<RecordedSample>? {
        ranges[Self.key(resource, process, group)].map { samples[$0] }
    }

    private struct Key: Hashable {
        var resource: Resource
        var process: UInt32
        var group: FrameID
    }

    private static func key(_ resource: Resource, _ process: UInt32, _ group: FrameID) -> Key {
        Key(resource: resource, process: process, group: group)
    }
}

extension SampleIndex {
    /// The lowest bytes in use in each of at most `columns` equal spans of a process's snapshots, summed over groups.
    static func troughs(
        _ groups: [ArraySlice<RecordedSample>],
        of clock: ProcessClock,
        columns: Int
    ) -> [UInt64] {
        let count = min(columns, clock.count + 1)
        guard count > 0, !groups.isEmpty else { return [] }
        // The last snapshot of each column: columns are of equal ticks.
        let ends = (1...count).map { clock.snapshot(by: $0 * (clock.ticks + 1) / count - 1) }
        var result = [UInt64](repeating: 0, count: count)
        for group in groups {
            var samples = Recording.uniform(group)[...]
            var current: UInt64 = 0
            for column in 0..<count {
                let first = column == 0 ? 0 : ends[column - 1] + 1
                let last = ends[column]
                var least = UInt64.max
                if let sample = samples.first, sample.snapshot <= last, sample.snapshot >= first,
                    sample.snapshot - first >= sample.width
                {
                    least = current
                }
                while let sample = samples.first, sample.snapshot <= last {
                    least = min(least, sample.troughBytes)
                    current = sample.inUseBytes
                    samples.removeFirst()
                }
                result[column] &+= least == .max ? current : least
            }
        }
        return result
    }
}
