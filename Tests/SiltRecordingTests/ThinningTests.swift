import SiltEvents
import SiltTestNumbers
import SiltTestRecordings
import Testing

@testable import SiltRecording

@Suite struct ThinningTests {
    /// Live bytes of a random walk at snapshots 0..<count; a sample only where it moved.
    private func series(_ seed: UInt64, _ count: Int) -> (values: [UInt64], rows: [Window.Row]) {
        var generator = SeededGenerator(seed: seed)
        var values: [UInt64] = []
        var rows: [Window.Row] = []
        for snapshot in 0..<count {
            let random = generator.next()
            let moves = random >> 60 < 6 || snapshot == 0
            values.append(moves ? random >> 50 : values[snapshot - 1])
            if moves {
                rows.append(
                    Window.Row(
                        snapshot: UInt32(snapshot),
                        width: 1,
                        inUseBytes: values[snapshot],
                        troughBytes: values[snapshot]
                    )
                )
            }
        }
        return (values, rows)
    }

    @Test(arguments: [1 as UInt64, 2, 3, 4, 5, 6, 7, 8])
    func aThinnedRowHasTheLowestOfItsWindow(_ seed: UInt64) {
        let (values, rows) = series(seed, 700)
        // Thinned in three goes, as while a run goes on.
        var kept: [Window.Row] = []
        for end in [200, 450, 700] {
            kept += rows.filter { $0.snapshot < end && $0.snapshot >= (kept.last.map { $0.snapshot + 1 } ?? 0) }
            kept = Window.thinned(kept, to: 32)
        }
        #expect(kept.count <= 32)
        for row in kept {
            #expect(row.inUseBytes == values[Int(row.snapshot)])
            guard row.snapshot > 0 else { continue }
            let first = (Window.index(of: row.snapshot, width: row.width) - 1) * row.width + 1
            #expect(row.troughBytes == values[Int(first)...Int(row.snapshot)].min(), "seed \(seed), \(row)")
        }
        #expect(Set(kept.dropFirst().map(\.width)).count == 1)
    }

    @Test func aLongRunStaysSmall() throws {
        let writer = try RecordingWriter(path: nil)
        try writer.begin()
        try writer.write(RecordedProcess(id: 1, pid: 1))
        try writer.add(module: 1, path: "a", buildID: [])
        for frame: UInt32 in 1...200 { try writer.add(frame: frame, module: 1, offset: UInt64(frame)) }
        for snapshot: UInt32 in 0..<5000 {
            try writer.write(RecordedSnapshot(process: 1, snapshot: snapshot, timeNs: UInt64(snapshot)))
            for frame: UInt32 in 1...200 {
                try writer.write(
                    RecordedSample(
                        .heap,
                        process: 1,
                        group: FrameID(frame),
                        snapshot: snapshot,
                        inUseBytes: UInt64(snapshot * 3),
                        inUseCount: 1
                    )
                )
            }
            if snapshot % 100 == 0 {
                try writer.commit()
                try writer.begin()
            }
        }
        try writer.commit()
        try writer.close()
        let recording = try Recording(of: writer)
        #expect(recording.groupSamples.count <= 200 * RecordingWriter.sampleLimit)
        #expect(recording.snapshots.count <= RecordingWriter.snapshotLimit)
        #expect(recording.groupSamples.last?.inUseBytes == 4999 * 3)
        let uniform = Recording.uniform(recording.groupSamples.filter { $0.group == 7 }[...])
        #expect(uniform.allSatisfy { $0.snapshot == 0 || $0.troughBytes <= $0.inUseBytes })
    }
}
