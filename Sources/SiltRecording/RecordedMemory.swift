/// What the resident memory of a process was for at a snapshot, in bytes.
package struct RecordedMemory: Equatable, Sendable {
    package var process: UInt32
    package var snapshot: UInt32
    /// Of live blocks.
    package var liveBytes: UInt64 = 0
    /// In the mappings of live blocks, beside them.
    package var allocatorBytes: UInt64 = 0
    /// In what the program mapped itself.
    package var mappedBytes: UInt64 = 0
    package var stackBytes: UInt64 = 0
    /// Of files, and shared.
    package var fileBytes: UInt64 = 0
    /// silt's part.
    package var ownBytes: UInt64 = 0
    /// What none of these explains.
    package var otherBytes: UInt64 = 0

    package init(process: UInt32, snapshot: UInt32) {
        self.process = process
        self.snapshot = snapshot
    }

    package var residentBytes: UInt64 {
        liveBytes &+ allocatorBytes &+ mappedBytes &+ stackBytes &+ fileBytes &+ ownBytes &+ otherBytes
    }

    /// In the order of the columns.
    static let parts: [WritableKeyPath<RecordedMemory, UInt64> & Sendable] = [
        \.liveBytes, \.allocatorBytes, \.mappedBytes, \.stackBytes, \.fileBytes, \.ownBytes, \.otherBytes,
    ]
}

extension RecordingWriter {
    /// Adds what the memory of a process was for; `replacing`: instead of all that was written of it.
    package func write(_ rows: [RecordedMemory], process: UInt32, replacing: Bool) throws(RecordingError) {
        if replacing {
            let delete = try database.prepare("DELETE FROM memory WHERE process = ?")
            delete.bind(process, at: 1)
            try delete.run()
        }
        let insert = try database.prepare("INSERT OR REPLACE INTO memory VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        for row in rows {
            insert.bind(process, at: 1)
            insert.bind(row.snapshot, at: 2)
            for (index, part) in RecordedMemory.parts.enumerated() {
                insert.bind(row[keyPath: part], at: Int32(index) + 3)
            }
            try insert.run()
        }
    }
}

extension Recording {
    /// Older files have none.
    mutating func readMemory(_ database: Database) throws(RecordingError) {
        guard try hasTable("memory", database) else { return }
        let row = try database.prepare(
            """
            SELECT process, snapshot, live, allocator, mapped, stacks, files, own, other FROM memory
            ORDER BY process, snapshot
            """
        )
        while try row.step() {
            var one = RecordedMemory(process: row.id(0), snapshot: row.id(1))
            for (index, part) in RecordedMemory.parts.enumerated() {
                one[keyPath: part] = row.unsigned(Int32(index) + 2)
            }
            memory.append(one)
        }
    }
}
