internal import SiltEvents

extension RecordingWriter {
    /// Replaces what is known of the threads of a process.
    package func write(_ threads: [RecordedThreads], process: UInt32) throws(RecordingError) {
        let delete = try database.prepare("DELETE FROM thread_stacks WHERE process = ?")
        delete.bind(process, at: 1)
        try delete.run()
        let insert = try database.prepare("INSERT INTO thread_stacks VALUES (?, ?, ?)")
        for thread in threads {
            insert.bind(process, at: 1)
            insert.bind(thread.name, at: 2)
            insert.bind(thread.stacks.map { "[" + $0.map { "\($0.rawValue)" }.joined(separator: ",") + "]" }, at: 3)
            try insert.run()
        }
    }
}

extension Recording {
    /// Older files have none.
    mutating func readThreads(_ database: Database) throws(RecordingError) {
        guard try hasTable("thread_stacks", database) else { return }
        let row = try database.prepare("SELECT process, thread, stacks FROM thread_stacks ORDER BY process, thread")
        while try row.step() {
            let list = row.optionalText(2)
            let stacks = list?.dropFirst().dropLast().split(separator: ",").map { StackID(rawValue: UInt32($0) ?? 0) }
            guard stacks?.contains(.none) != true else {
                throw .damaged(path: database.path, reason: "stacks of threads")
            }
            threads.append(RecordedThreads(process: row.id(0), name: row.text(1), stacks: stacks))
        }
    }
}
