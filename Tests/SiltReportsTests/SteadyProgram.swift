import SiltEvents
import SiltHeap
import SiltRecording
import SiltTestRecordings

@testable import SiltFindings

/// A program of one process that was seen for 24 s, each of whose stacks leaves so many blocks a second.
struct SteadyProgram {
    /// A stack, outermost function first.
    struct Stack {
        var functions: [String]
        /// Blocks that stay, of each second.
        var kept: [UInt64]
        var bytes: UInt64 = 100
        /// Blocks that do not, in sum.
        var freed: UInt64 = 0
        var resource = Resource.heap
    }

    static let seconds = 24

    static func steadily(_ blocks: UInt64) -> [UInt64] { Array(repeating: blocks, count: seconds) }

    var module = "/opt/shop"
    var stacks: [Stack]
    /// Seconds between two snapshots, each of which a stack's seconds stand for.
    var period: UInt64 = 1
    /// Blocks of each second that are freed at once, as snapshots count them with those that stay; nil: they count nothing.
    var temporaries: UInt64?

    func report() throws -> HeapReport {
        let writer = try RecordingWriter(path: nil)
        try writer.write(RecordedProcess(id: 1, pid: 9))
        try writer.add(module: 1, path: module, buildID: [])
        var frames: [String: UInt32] = [:]
        var last: UInt32 = 0
        for stack in stacks {
            var parent: UInt32 = 0
            for name in stack.functions {
                if frames[name] == nil {
                    let id = UInt32(frames.count + 1)
                    frames[name] = id
                    try writer.add(frame: id, module: 1, offset: UInt64(id))
                    try writer.write(
                        symbols: [SourceFrame(function: name, file: "/src/shop.c", line: Int(id))],
                        frame: id
                    )
                }
                last += 1
                try writer.add(stack: last, parent: parent, frame: frames[name] ?? 0)
                parent = last
            }
            try write(stack, last, to: writer)
        }
        for number in 0...UInt32(Self.seconds) {
            var row = RecordedSnapshot(process: 1, snapshot: number, timeNs: UInt64(number) * period * 1_000_000_000)
            if let temporaries {
                let kept = stacks.flatMap { $0.kept.prefix(Int(number)) }.reduce(0, +)
                row.allocatedCount = kept + temporaries * UInt64(number)
            }
            try writer.write(row)
        }
        return try ReportBuilder.build(Recording(of: writer), options: ReportOptions())
    }

    private func write(_ stack: Stack, _ id: UInt32, to writer: RecordingWriter) throws {
        var slices = SliceHistory(baselineBytes: 0, baselineCount: 0, interval: 0)
        var live: UInt64 = 0
        for (index, count) in stack.kept.enumerated() {
            let second = UInt32(index + 1)
            if count > 0 { slices.survived(bytes: count * stack.bytes, count: count, born: second) }
            live += count
            slices.close(interval: second, liveBytes: live * stack.bytes)
        }
        try writer.write(history: SiteHistory.slices(slices).encoded(), of: stack.resource, process: 1, stack: id)
        var counters = RecordedCounters(stack.resource, process: 1, stack: id)
        (counters.inUseBytes, counters.inUseCount) = (live * stack.bytes, live)
        counters.allocatedCount = live + stack.freed
        counters.allocatedBytes = counters.allocatedCount * stack.bytes
        try writer.write(counters)
    }
}
