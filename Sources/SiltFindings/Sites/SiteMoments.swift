internal import SiltEvents
internal import SiltRecording

/// What call sites held at moments of a trace that ran freely: at the last snapshot of their process until then.
///
/// A process that had ended by then stands as it was right before its way out, or its death: its memory went with it, and
/// what it leaked would be hidden by that. One that another program replaced holds nothing any more.
enum SiteMoments {
    /// Samples of one call site in one process.
    private struct Cursor {
        var samples: ArraySlice<RecordedSample>
        var latest: RecordedSample?

        mutating func move(to snapshot: UInt32) {
            while let first = samples.first, first.snapshot <= snapshot { latest = samples.removeFirst() }
        }
    }

    /// Each call site of each process with its last sample at each of the times, which ascend; nil: it had none yet.
    static func forEachSample(
        of recording: Recording,
        at times: [UInt64],
        _ body: (_ resource: Resource, _ process: UInt32, _ group: FrameID, [RecordedSample?]) -> Void
    ) {
        var snapshots: [UInt32: [UInt32?]] = [:]
        for (process, clock) in zip(recording.processes, ProcessClock.all(of: recording)) {
            snapshots[process.id] = times.map { time in
                let end = process.endNs ?? .max
                if end < time, process.end == .execed { return nil }
                return clock.rows.last { $0.timeNs <= min(time, end) }?.snapshot
            }
        }
        let samples = recording.groupSamples
        SampleIndex.forEachSeries(of: samples) { first, range in
            var cursor = Cursor(samples: samples[range])
            let found = (snapshots[first.process] ?? []).map { snapshot -> RecordedSample? in
                guard let snapshot else { return nil }
                cursor.move(to: snapshot)
                return cursor.latest
            }
            body(first.resource, first.process, first.group, found)
        }
    }

    /// The same of one resource, as bytes in use.
    static func forEach(
        _ wanted: Resource,
        of recording: Recording,
        at times: [UInt64],
        _ body: (_ process: UInt32, _ group: FrameID, [UInt64]) -> Void
    ) {
        forEachSample(of: recording, at: times) { resource, process, group, samples in
            guard resource == wanted else { return }
            body(process, group, samples.map { $0?.inUseBytes ?? 0 })
        }
    }
}
