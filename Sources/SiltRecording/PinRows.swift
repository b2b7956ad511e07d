internal import SiltEvents

extension RecordingWriter {
    /// Replaces those of a process.
    package func write(_ pins: [RecordedPin], process: UInt32) throws(RecordingError) {
        try delete(from: "pinned_pages", process: process)
        for pin in pins { try insert(into: "pinned_pages", process, pin.stack, pin.bytes) }
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
