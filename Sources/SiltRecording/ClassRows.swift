extension RecordingWriter {
    package func write(_ rows: [RecordedClass]) throws(RecordingError) {
        let insert = try database.prepare("INSERT OR REPLACE INTO live_classes VALUES (?, ?, ?, ?, ?)")
        for row in rows {
            insert.bind(row.process, at: 1)
            insert.bind(row.kind.rawValue, at: 2)
            insert.bind(Int64(row.number), at: 3)
            insert.bind(row.inUseCount, at: 4)
            insert.bind(row.inUseBytes, at: 5)
            try insert.run()
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
