import SiltEvents
import SiltTestNumbers
import SiltTestRecordings
import Testing

@testable import SiltRecording

@Suite struct RowBatchTests {
    private func symbols(_ count: UInt64, _ name: UInt64) -> [SourceFrame] {
        (0..<count).map { depth in
            SourceFrame(
                function: "f\(name).\(depth)",
                file: depth % 2 == 0 ? "f\(name % 3).c" : nil,
                line: depth % 3 == 0 ? Int(name) : nil,
                inlined: depth + 1 < count
            )
        }
    }

    /// Functions of a frame written again and again, fewer or more, in and out of transactions: the last ones are there.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func theFunctionsWrittenLastAreReadBack(_ seed: UInt64) throws {
        let writer = try RecordingWriter(path: nil)
        let frames: UInt32 = 61
        for frame in 1...frames { try writer.add(frame: frame, module: 0, offset: .max - UInt64(frame), kind: .exact) }
        var expected: [UInt32: [SourceFrame]] = [:]
        var generator = SeededGenerator(seed: seed)
        for step in 0..<700 {
            if step % 100 == 0 { try writer.begin() }
            let random = generator.next()
            let frame = UInt32(random >> 33) % frames + 1
            let rows = symbols(random >> 60 & 3, random >> 50 & 0xff)
            try writer.write(symbols: rows, frame: frame)
            expected[frame] = rows
            if step == 333 { #expect(try read(writer) == expected.filter { !$0.value.isEmpty }.mapValues(texts)) }
            if step % 100 == 70 { try writer.commit() }
        }
        #expect(try read(writer) == expected.filter { !$0.value.isEmpty }.mapValues(texts))
        let recording = try Recording(of: writer)
        #expect(recording.frames.map(\.offset) == (1...UInt64(frames)).map { .max - $0 })
    }

    /// What an earlier writer wrote of a frame is replaced as well.
    @Test func theFunctionsOfAnEarlierWriterAreReplaced() throws {
        let folder = try Folder()
        do {
            let first = try RecordingWriter(path: folder.file("a.silt"))
            try SmallWorld.write(to: first)
            try first.close()
        }
        let writer = try RecordingWriter(addingTo: folder.file("a.silt"))
        #expect(try read(writer)[1]?.isEmpty == false)
        try writer.write(symbols: [], frame: 1)
        #expect(try read(writer)[1] == nil)
        try writer.write(symbols: symbols(9, 4), frame: 1)
        #expect(try read(writer)[1] == texts(symbols(9, 4)))
    }

    /// A batch that could not be inserted waits, and goes in with the rows after it.
    @Test func rowsWhoseInsertionFailedAreTriedAgain() throws {
        let database = try RecordingWriter(path: nil).database
        let batch = try RowBatch(database, table: "frames", columns: 4)
        func add(_ frame: Int64) throws {
            for column in 0..<4 { batch.set(column, frame + Int64(column)) }
            try batch.endRow()
        }
        try database.execute("PRAGMA query_only = 1")
        for frame: Int64 in 1...7 { try add(frame) }
        #expect(throws: RecordingError.self) { try add(8) }
        #expect(throws: RecordingError.self) { try batch.flush() }
        try database.execute("PRAGMA query_only = 0")
        for frame: Int64 in 9...11 { try add(frame) }
        try batch.flush()
        #expect(try database.integer("SELECT count(*) FROM frames") == 11)
        #expect(try database.integer("SELECT sum(frame) FROM frames WHERE kind = frame + 3") == 66)
    }

    private func texts(_ rows: [SourceFrame]) -> [String] {
        rows.map { "\($0.function) \($0.file ?? ""):\($0.line ?? 0) \($0.inlined)" }
    }

    /// By frame, innermost first; frames without functions are left out.
    private func read(_ writer: RecordingWriter) throws -> [UInt32: [String]] {
        let recording = try Recording(of: writer)
        var result: [UInt32: [String]] = [:]
        for frame in 1...UInt32(recording.frames.count) {
            let symbols = recording.symbols(ofFrame: FrameID(frame))
            guard !symbols.isEmpty else { continue }
            result[frame] = symbols.map {
                "\(recording.string($0.function)) \($0.file == 0 ? "" : recording.string($0.file)):\($0.line) \($0.inlined)"
            }
        }
        return result
    }
}
