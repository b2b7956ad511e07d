internal import SiltEvents

extension RecordingWriter {
    /// Replaces those of a process.
    package func write(_ pins: [RecordedPin], process: UInt32) throws(RecordingError) {
        let delete = try database.prepare("DELETE FROM pinned_pages WHERE process = ?")
        delete.bind(process, at: 1)
        try delete.run()
        let insert = try database.prepare("INSERT INTO pinned_pages VALUES (?, ?, ?)")
        for pin in pins {
            insert.bind(process, at: 1)
            insert.bind(pin.stack, at: 2)
            insert.bind(pin.bytes, at: 3)
            try insert.run()
        }
    }
}

extension Recording {
    /// Older files have none.
    mutating func readPins(_ database: Database) throws(RecordingError) {
        guard try hasTable("pinned_pages", database) else { return }
        let row = try database.prepare("SELECT process, stack, bytes FROM pinned_pages ORDER BY process, stack")
        while try row.step() {
            let pin = RecordedPin(process: row.id(0), stack: row.id(1), bytes: row.unsigned(2))
            guard stacks.holds(pin.stack) else {
                throw .damaged(path: database.path, reason: "stack of pinned pages")
            }
            pins.append(pin)
        }
    }
}
