/// That a hunt ended before its end, and why.
package struct RecordedHuntEnd: Equatable, Sendable {
    /// May have several lines: what a script printed stands below the first.
    package var reason: String
    /// The phases that it was to have.
    package var planned: [String]

    package init(reason: String, planned: [String]) {
        self.reason = reason
        self.planned = planned
    }
}

extension RecordingWriter {
    package func write(_ end: RecordedHuntEnd) throws(RecordingError) {
        try insert(into: "hunt_ends", 1, end.reason, ShellWords.joined(end.planned))
    }
}

extension Recording {
    /// Older files have none.
    mutating func readHuntEnd(_ database: Database) throws(RecordingError) {
        guard try hasTable("hunt_ends", database) else { return }
        let row = try database.prepare("SELECT reason, planned FROM hunt_ends")
        guard try row.step() else { return }
        huntEnd = RecordedHuntEnd(reason: row.text(0), planned: ShellWords.words(row.text(1)))
    }
}
