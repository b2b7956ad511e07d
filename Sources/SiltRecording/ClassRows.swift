extension RecordingWriter {
    package func write(_ rows: [RecordedClass]) throws(RecordingError) {
        for row in rows {
            try insert(into: "live_classes", row.process, row.kind, row.number, row.inUseCount, row.inUseBytes)
        }
    }
}

extension Recording {
    /// Older files have none.
    mutating func readClasses(_ database: Database) throws(RecordingError) {
        guard try hasTable("live_classes", database) else { return }
        let row = try database.prepare(
            "SELECT process, kind, class, inuse_objects, inuse_space FROM live_classes ORDER BY process, kind, class"
        )
        while try row.step() {
            guard let kind = RecordedClass.Kind(rawValue: row.text(1)), (0...64).contains(row.integer(2)) else {
                throw .damaged(path: database.path, reason: "class \(row.integer(2)) of live blocks")
            }
            classes.append(
                RecordedClass(
                    process: row.id(0),
                    kind: kind,
                    number: Int(row.integer(2)),
                    inUseCount: row.unsigned(3),
                    inUseBytes: row.unsigned(4)
                )
            )
        }
    }
}
