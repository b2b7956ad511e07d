internal import SiltEvents

extension RecordingWriter {
    /// Adds the counters of a stack, or replaces what was written of it; fastest by ascending stacks.
    package func write(_ counters: RecordedCounters) throws(RecordingError) {
        if !counterChunk.holds(counters) {
            try writeCounterChunk()
            try begin(counters)
        }
        counterChunk.set(counters)
        if !inTransaction { try writeCounterChunk() }
    }

    private func begin(_ counters: RecordedCounters) throws(RecordingError) {
        let number = CounterChunk.number(of: counters)
        let row = selectCounters
        defer { row.reset() }
        row.bind(number)
        let isThere = try row.step()
        counterChunk.begin(number)
        guard isThere, !row.withText(0, { counterChunk.read($0) }) else { return }
        // What is there is not to be overwritten.
        counterChunk = CounterChunk()
        throw .damaged(path: database.path, reason: "counters \(number)")
    }

    /// Keeps what was written of a process's counters until now, to be read beside those that will be written.
    package func keepCounters(process: UInt32) throws(RecordingError) {
        try writeCounterChunk()
        let first = UInt64(process) << 32
        try database.run(
            "INSERT OR REPLACE INTO last_counter_chunks SELECT chunk, numbers FROM counter_chunks WHERE chunk BETWEEN ? AND ?",
            first,
            first | UInt64(UInt32.max)
        )
    }

    func writeCounterChunk() throws(RecordingError) {
        guard !counterChunk.isWritten else { return }
        try insert(into: "counter_chunks", counterChunk.number, UTF8Column(utf8: counterChunk.text))
        counterChunk.isWritten = true
    }
}

extension Recording {
    mutating func readCounterChunks(_ database: Database) throws(RecordingError) {
        // Files of earlier versions have a row a stack.
        guard try hasTable("counter_chunks", database) else { return try readCounterRows(database) }
        // As far as most programs go; what is not used is not touched either. A damaged file may name any stack.
        counters.reserveCapacity(min(stacks.count / 2, 1 << 20))
        let row = try database.prepare("SELECT chunk, numbers FROM counter_chunks ORDER BY chunk")
        while try row.step() {
            let number = row.unsigned(0)
            let isWhole = row.withText(1) { CounterChunk.read($0, number: number, into: &counters) }
            guard isWhole else { throw .damaged(path: database.path, reason: "counters \(number)") }
        }
        guard try hasTable("last_counter_chunks", database) else { return }
        let last = try database.prepare("SELECT chunk, numbers FROM last_counter_chunks ORDER BY chunk")
        while try last.step() {
            let number = last.unsigned(0)
            let isWhole = last.withText(1) { CounterChunk.read($0, number: number, into: &lastCounters) }
            guard isWhole else { throw .damaged(path: database.path, reason: "last counters \(number)") }
        }
    }

    private mutating func readCounterRows(_ database: Database) throws(RecordingError) {
        let row = try database.prepare(
            """
            SELECT process, stack, site, inuse_space, inuse_objects, alloc_space, alloc_objects, peak_space,
                peak_objects, temporary_objects FROM counters ORDER BY process, stack
            """
        )
        while try row.step() {
            var one = RecordedCounters(.heap, process: row.id(0), stack: row.id(1))
            one.group = row.id(2)
            one.inUseBytes = row.unsigned(3)
            one.inUseCount = row.unsigned(4)
            one.allocatedBytes = row.unsigned(5)
            one.allocatedCount = row.unsigned(6)
            one.peakBytes = row.unsigned(7)
            one.peakCount = row.unsigned(8)
            one.temporaryCount = row.unsigned(9)
            counters.append(one)
        }
    }
}
