internal import SiltEvents

extension RecordingWriter {
    /// Replaces the examples of a process.
    package func write(_ examples: [RecordedExample], process: UInt32) throws(RecordingError) {
        try delete(from: "examples", process: process)
        for one in examples {
            try insert(into: "examples", one.resource, process, one.stack, one.kind, one.text, one.sinceNs)
        }
    }
}

extension Recording {
    /// Older files have none.
    mutating func readExamples(_ database: Database) throws(RecordingError) {
        guard try hasTable("examples", database) else { return }
        let row = try database.prepare(
            "SELECT resource, process, stack, kind, text, since_ns FROM examples ORDER BY resource, process, stack"
        )
        while try row.step() {
            guard let resource = UInt8(exactly: row.id(0)).flatMap(Resource.init(rawValue:)) else {
                throw .damaged(path: database.path, reason: "resource of an example")
            }
            examples.append(
                RecordedExample(
                    resource,
                    process: row.id(1),
                    stack: row.id(2),
                    kind: row.text(3),
                    text: row.text(4),
                    sinceNs: row.time(5)
                )
            )
        }
    }
}
