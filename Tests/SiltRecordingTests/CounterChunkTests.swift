import SiltEvents
import SiltTestNumbers
import SiltTestRecordings
import Testing

@testable import SiltRecording

@Suite struct CounterChunkTests {
    private func counters(_ process: UInt32, _ stack: UInt32, _ bytes: UInt64) -> RecordedCounters {
        var row = RecordedCounters(.heap, process: process, stack: stack)
        row.group = FrameID(stack % 2)
        row.inUseBytes = bytes
        row.allocatedBytes = .max - bytes
        row.temporaryCount = bytes % 3
        return row
    }

    /// Rows in any order, again and again, in and out of transactions: what was written last is what is there.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func whatWasWrittenLastIsReadBack(_ seed: UInt64) throws {
        let writer = try RecordingWriter(path: nil)
        for process: UInt32 in 1...3 { try writer.write(RecordedProcess(id: process, pid: process)) }
        try writer.add(frame: 1, module: 0, offset: 1)
        try writer.begin()
        for stack: UInt32 in 1...2000 { try writer.add(stack: stack, parent: 0, frame: 1) }
        try writer.commit()
        var expected: [[UInt32]: RecordedCounters] = [:]
        var generator = SeededGenerator(seed: seed)
        for step in 0..<3000 {
            if step % 500 == 0 { try writer.begin() }
            let random = generator.next()
            let row = counters(UInt32(random >> 33) % 3 + 1, UInt32(random >> 40) % 2001, random >> (random >> 58))
            try writer.write(row)
            expected[[row.process, row.stack.rawValue]] = row
            if step == 1777 {
                #expect(try Recording(of: writer).counters.count == expected.count)
            }
            // The last ones of each 500 are each a transaction of its own.
            if step % 500 == 450 { try writer.commit() }
        }
        let rows = try Recording(of: writer).counters
        #expect(rows == expected.values.sorted { ($0.process, $0.stack) < ($1.process, $1.stack) })
        #expect(rows.count > 1000)
    }

    @Test func rowsStandInTheOrderOfTheirStacks() {
        var chunk = CounterChunk()
        chunk.begin(CounterChunk.number(of: counters(7, 600, 0)))
        for stack: UInt32 in [700, 512, 1023, 700] { chunk.set(counters(7, stack, UInt64(stack))) }
        #expect(chunk.number == 7 << 32 | 512)
        #expect(chunk.rows.map(\.stack) == [512, 700, 1023])
        #expect(!chunk.holds(counters(7, 1024, 0)) && !chunk.holds(counters(6, 600, 0)))
        #expect(!chunk.isWritten)
        let text = String(decoding: chunk.text, as: UTF8.self)
        #expect(text.hasPrefix("[[0,0,512,0,18446744073709551103,0,0,0,2],[188,0,700,0,"))
    }

    @Test func aChunkThatWasOverwrittenIsNotAddedTo() throws {
        let writer = try RecordingWriter(path: nil)
        try SmallWorld.write(to: writer)
        try writer.database.execute("UPDATE counter_chunks SET numbers = 'x'")
        try writer.write(counters(1, 600, 1))
        for _ in 1...2 { #expect(throws: RecordingError.self) { try writer.write(counters(1, 2, 1)) } }
        try writer.write(counters(1, 600, 2))
        #expect(try writer.database.integer("SELECT count(*) FROM counter_chunks WHERE numbers = 'x'") == 1)
    }
}
