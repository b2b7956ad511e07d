package import SiltRecording

/// The snapshots of one process: how many, how far apart, and what it weighed at them.
package struct ProcessClock {
    /// In `Recording.snapshots`.
    package let rows: ArraySlice<RecordedSnapshot>

    /// Number of the last snapshot; the baseline has number 0.
    package var count: Int { Int(rows.last?.snapshot ?? 0) }

    /// Seconds from one snapshot to the next, on average; 0 before there are two.
    package var period: Double {
        guard let first = rows.first, let last = rows.last, last.snapshot > first.snapshot else { return 0 }
        return Double(last.timeNs &- first.timeNs) / 1e9 / Double(last.snapshot - first.snapshot)
    }

    package var seconds: Double {
        guard let first = rows.first, let last = rows.last else { return 0 }
        return Double(last.timeNs &- first.timeNs) / 1e9
    }

    /// By process, as `recording.processes`.
    package static func all(of recording: Recording) -> [ProcessClock] {
        var result: [ProcessClock] = []
        var start = 0
        for process in recording.processes {
            while start < recording.snapshots.count, recording.snapshots[start].process < process.id { start += 1 }
            var end = start
            while end < recording.snapshots.count, recording.snapshots[end].process == process.id { end += 1 }
            result.append(ProcessClock(rows: recording.snapshots[start..<end]))
            start = end
        }
        return result
    }
}
