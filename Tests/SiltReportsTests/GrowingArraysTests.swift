import SiltEvents
import SiltHeap
import SiltRecording
import SiltTestRecordings
import Testing

@testable import SiltFindings

/// A function that appends to buffers, by two callers: one empties its buffer again and again, the other never does.
struct GrowingArraysTests {
    private static let seconds = 24

    /// What the buffers hold at each second, from the baseline on; each is one block.
    private func report(_ history: [UInt64], _ log: [UInt64]) throws -> HeapReport {
        let writer = try RecordingWriter(path: nil)
        try writer.write(RecordedProcess(id: 1, pid: 9))
        try writer.add(module: 1, path: "/opt/shop", buildID: [])
        for (index, name) in ["main", "record_history", "write_log", "append"].enumerated() {
            let id = UInt32(index + 1)
            try writer.add(frame: id, module: 1, offset: UInt64(index))
            try writer.write(symbols: [SourceFrame(function: name, file: "/src/shop.c", line: index + 1)], frame: id)
        }
        for (id, parent, frame) in [(UInt32(1), UInt32(0), UInt32(1)), (2, 1, 2), (3, 2, 4), (4, 1, 3), (5, 4, 4)] {
            try writer.add(stack: id, parent: parent, frame: frame)
        }
        for (stack, held) in [(UInt32(3), history), (5, log)] {
            try writer.write(history: Self.slices(held).encoded(), of: .heap, process: 1, stack: stack)
            var counters = RecordedCounters(.heap, process: 1, stack: stack)
            (counters.inUseBytes, counters.inUseCount) = (held[Self.seconds], 1)
            (counters.allocatedBytes, counters.allocatedCount) = (1 << 24, 100)
            try writer.write(counters)
        }
        for number in 0...UInt32(Self.seconds) {
            try writer.write(
                RecordedSnapshot(process: 1, snapshot: number, timeNs: UInt64(number) * 1_000_000_000)
            )
        }
        return try ReportBuilder.build(Recording(of: writer), options: ReportOptions())
    }

    private static func slices(_ held: [UInt64]) -> SiteHistory {
        var slices = SliceHistory(baselineBytes: held[0], baselineCount: 1, interval: 0)
        var (bytes, born) = (held[0], UInt32(0))
        for second in 1...UInt32(seconds) {
            let now = held[Int(second)]
            if now != bytes {
                slices.died(bytes: bytes, count: 1, born: born)
                slices.survived(bytes: now, count: 1, born: second)
                (bytes, born) = (now, second)
            }
            slices.close(interval: second, liveBytes: now)
        }
        return .slices(slices)
    }

    /// An array that doubles when it is full, by the bytes that it must hold.
    private static func array(holding bytes: (Int) -> Int) -> [UInt64] {
        (0...seconds).map { second in
            var size: UInt64 = 1000
            while size < bytes(second) { size *= 2 }
            return size
        }
    }

    private static let emptied = array { $0 % 5 * 20_000 }

    @Test func theOneThatNeverDoesIsCharged() throws {
        let report = try report(Self.array { $0 * 5000 }, Self.emptied)
        let growing = report.sites.filter { $0.isGrowing }
        try #require(growing.count == 1)
        #expect(growing[0].blame.function == "append" && growing[0].caller?.function == "record_history")
    }

    @Test func ofTwoThatEmptyTheirsNoneIs() throws {
        let report = try report(Self.array { $0 % 7 * 5000 }, Self.emptied)
        let growing = report.sites.filter { $0.isGrowing }
        #expect(growing.isEmpty)
    }

    @Test func oneThatIsFullIsNotCharged() throws {
        let report = try report(Self.array { min($0, 6) * 5000 }, Self.emptied)
        let growing = report.sites.filter { $0.isGrowing }
        #expect(growing.isEmpty)
    }
}
