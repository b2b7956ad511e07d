internal import SiltEvents

extension RecordingWriter {
    /// Replaces what is known of the threads of a process.
    package func write(_ threads: [RecordedThreads], process: UInt32) throws(RecordingError) {
        try delete(from: "thread_stacks", process: process)
        for thread in threads {
            let stacks = thread.stacks.map { UTF8Column(utf8: NumberText.array($0.map(\.rawValue))) }
            try insert(into: "thread_stacks", process, thread.name, stacks)
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
