internal import SiltEvents

extension RecordingWriter {
    /// Replaces those of the same processes and stacks.
    package func write(_ moves: [RecordedMoves]) throws(RecordingError) {
        for row in moves { try insert(into: "moved_blocks", row.process, row.stack, row.count, row.bytes) }
    }
}

extension Recording {
    /// Older files have none.
    mutating func readMoves(_ database: Database) throws(RecordingError) {
        guard try hasTable("moved_blocks", database) else { return }
        let row = try database.prepare(
            "SELECT process, stack, objects, bytes FROM moved_blocks ORDER BY process, stack"
        )
        while try row.step() {
            let moved = RecordedMoves(
                process: row.id(0),
                stack: row.id(1),
                count: row.unsigned(2),
                bytes: row.unsigned(3)
            )
            guard stacks.holds(moved.stack) else {
                throw .damaged(path: database.path, reason: "stack of moved blocks")
            }
            moves.append(moved)
        }
    }

    /// What realloc(3) moved that was called with the stack of a row; nil: nothing.
    package func moves(of counters: RecordedCounters) -> RecordedMoves? {
        guard counters.resource == .heap else { return nil }
        let key = (counters.process, counters.stack)
        let index = moves.partitioningIndex { ($0.process, $0.stack) >= key }
        guard index < moves.count, (moves[index].process, moves[index].stack) == key else { return nil }
        return moves[index]
    }
}
