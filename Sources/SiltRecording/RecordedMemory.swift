package import SiltEvents

/// What the resident memory of a process was for at a snapshot.
package struct RecordedMemory: Equatable, Sendable {
    package var process: UInt32
    package var snapshot: UInt32
    package var bytes: MemoryUses<UInt64>

    package init(process: UInt32, snapshot: UInt32, bytes: MemoryUses<UInt64> = MemoryUses()) {
        self.process = process
        self.snapshot = snapshot
        self.bytes = bytes
    }

    /// The columns of the table.
    fileprivate static var columns: String {
        (["process", "snapshot"] + MemoryUse.allCases.map(\.name)).joined(separator: ", ")
    }
}

extension RecordingWriter {
    /// Adds what the memory of a process was for; `replacing`: instead of all that was written of it.
    package func write(_ rows: [RecordedMemory], process: UInt32, replacing: Bool) throws(RecordingError) {
        if replacing {
            let delete = try database.prepare("DELETE FROM memory WHERE process = ?")
            delete.bind(process, at: 1)
            try delete.run()
        }
        let insert = try database.prepare(
            "INSERT OR REPLACE INTO memory (\(RecordedMemory.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        for row in rows {
            insert.bind(process, at: 1)
            insert.bind(row.snapshot, at: 2)
            for (index, use) in MemoryUse.allCases.enumerated() {
                insert.bind(row.bytes[use], at: Int32(index) + 3)
            }
            try insert.run()
        }
    }
}

extension Recording {
    /// Older files have none.
    mutating func readMemory(_ database: Database) throws(RecordingError) {
        guard try hasTable("memory", database) else { return }
        let row = try database.prepare("SELECT \(RecordedMemory.columns) FROM memory ORDER BY process, snapshot")
        while try row.step() {
            var one = RecordedMemory(process: row.id(0), snapshot: row.id(1))
            for (index, use) in MemoryUse.allCases.enumerated() {
                one.bytes[use] = row.unsigned(Int32(index) + 2)
            }
            memory.append(one)
        }
    }
}
