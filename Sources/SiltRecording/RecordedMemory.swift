package import SiltEvents

/// What the resident memory of a process was for at a snapshot.
package struct RecordedMemory: Equatable, Sendable {
    package var process: UInt32
    package var snapshot: UInt32
    package var bytes: MemoryUses<UInt64>
    package var details: MemoryDetails

    package init(
        process: UInt32,
        snapshot: UInt32,
        bytes: MemoryUses<UInt64> = MemoryUses(),
        details: MemoryDetails = MemoryDetails()
    ) {
        self.process = process
        self.snapshot = snapshot
        self.bytes = bytes
        self.details = details
    }

    /// The columns of the table.
    fileprivate static let columns = ["process", "snapshot"] + MemoryUse.allCases.map(\.name)
    fileprivate static let detailColumns = ["process", "snapshot"] + MemoryDetail.allCases.map(\.name)
}

extension RecordingWriter {
    /// Adds what the memory of a process was for; `replacing`: instead of all that was written of it.
    package func write(_ rows: [RecordedMemory], process: UInt32, replacing: Bool) throws(RecordingError) {
        if replacing {
            for table in ["memory", "memory_details"] { try delete(from: table, process: process) }
        }
        for row in rows {
            let details = NumberColumns(numbers: MemoryDetail.allCases.map { row.details[$0] })
            try insert(into: "memory_details", process, row.snapshot, details)
            let uses = NumberColumns(numbers: MemoryUse.allCases.map { row.bytes[$0] })
            try insert(into: "memory", process, row.snapshot, uses)
        }
    }
}

extension Recording {
    /// Older files have none.
    mutating func readMemory(_ database: Database) throws(RecordingError) {
        guard try hasTable("memory", database) else { return }
        let columns = RecordedMemory.columns.joined(separator: ", ")
        let row = try database.prepare("SELECT \(columns) FROM memory ORDER BY process, snapshot")
        while try row.step() {
            var one = RecordedMemory(process: row.id(0), snapshot: row.id(1))
            for (index, use) in MemoryUse.allCases.enumerated() {
                one.bytes[use] = row.unsigned(Int32(index) + 2)
            }
            memory.append(one)
        }
        try readDetails(database)
    }

    /// Older files have none.
    private mutating func readDetails(_ database: Database) throws(RecordingError) {
        guard try hasTable("memory_details", database) else { return }
        let columns = try RecordedMemory.detailColumns.map { name throws(RecordingError) in
            try hasColumn(name, of: "memory_details", database) ? name : "0"
        }.joined(separator: ", ")
        let row = try database.prepare("SELECT \(columns) FROM memory_details ORDER BY process, snapshot")
        var next = 0
        while try row.step() {
            let key = (row.id(0), row.id(1))
            while next < memory.count, (memory[next].process, memory[next].snapshot) < key { next += 1 }
            guard next < memory.count, (memory[next].process, memory[next].snapshot) == key else { continue }
            for (index, detail) in MemoryDetail.allCases.enumerated() {
                memory[next].details[detail] = row.unsigned(Int32(index) + 2)
            }
        }
    }
}
