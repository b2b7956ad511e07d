internal import SiltEvents

extension RecordingWriter {
    /// A hunt begins: survivor histories start anew, so those written until now are removed.
    package func beginRounds() throws(RecordingError) {
        try database.execute("DELETE FROM histories; DELETE FROM site_histories;")
    }

    package func write(_ round: RecordedRound) throws(RecordingError) {
        let row = try database.prepare("INSERT OR REPLACE INTO rounds VALUES (?, ?, ?, ?, ?, ?, ?)")
        row.bind(round.number, at: 1)
        row.bind(Int64(round.phase), at: 2)
        row.bind(round.kind.rawValue, at: 3)
        row.bind(round.requests, at: 4)
        row.bind(round.failedRequests, at: 5)
        row.bind(round.startNs, at: 6)
        row.bind(round.endNs, at: 7)
        try row.run()
    }

    /// Adds to what was written of the same process, phase and stack.
    package func add(_ rows: [PhaseAllocations]) throws(RecordingError) {
        let insert = try database.prepare(
            """
            INSERT INTO phase_allocations VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                alloc_objects = alloc_objects + excluded.alloc_objects, alloc_space = alloc_space + excluded.alloc_space
            """
        )
        for row in rows {
            insert.bind(row.process, at: 1)
            insert.bind(Int64(row.phase), at: 2)
            insert.bind(row.stack, at: 3)
            insert.bind(row.count, at: 4)
            insert.bind(row.bytes, at: 5)
            try insert.run()
        }
    }

    /// Replaces what was written of the same process, phase and stacks.
    package func write(_ rows: [PhaseFrees]) throws(RecordingError) {
        let insert = try database.prepare("INSERT OR REPLACE INTO phase_frees VALUES (?, ?, ?, ?, ?, ?)")
        for row in rows {
            insert.bind(row.process, at: 1)
            insert.bind(Int64(row.phase), at: 2)
            insert.bind(row.stack, at: 3)
            insert.bind(row.freeStack, at: 4)
            insert.bind(row.count, at: 5)
            insert.bind(row.bytes, at: 6)
            try insert.run()
        }
    }
}

extension Recording {
    /// Files written before there were hunts have none of these tables.
    mutating func readRounds(_ database: Database) throws(RecordingError) {
        guard try hasTable("rounds", database) else { return }
        let round = try database.prepare(
            "SELECT round, phase, kind, requests, failed, start_ns, end_ns FROM rounds ORDER BY round"
        )
        while try round.step() {
            guard let kind = RecordedRound.Kind(rawValue: round.text(2)), round.integer(0) == rounds.count + 1,
                round.integer(1) >= 1, round.integer(1) <= phases.count
            else { throw .damaged(path: database.path, reason: "round \(round.integer(0)) of a hunt") }
            var one = RecordedRound(
                number: round.id(0),
                phase: Int(round.integer(1)),
                kind: kind,
                startNs: round.time(5),
                endNs: round.time(6)
            )
            one.requests = round.optionalUnsigned(3)
            one.failedRequests = round.optionalUnsigned(4)
            rounds.append(one)
        }
        let allocated = try database.prepare(
            "SELECT process, phase, stack, alloc_objects, alloc_space FROM phase_allocations"
        )
        while try allocated.step() {
            phaseAllocations.append(
                PhaseAllocations(
                    process: allocated.id(0),
                    phase: Int(allocated.integer(1)),
                    stack: allocated.id(2),
                    count: allocated.unsigned(3),
                    bytes: allocated.unsigned(4)
                )
            )
        }
        let freed = try database.prepare(
            "SELECT process, phase, stack, free_stack, free_objects, free_space FROM phase_frees"
        )
        while try freed.step() {
            let row = PhaseFrees(
                process: freed.id(0),
                phase: Int(freed.integer(1)),
                stack: freed.id(2),
                freeStack: freed.id(3),
                count: freed.unsigned(4),
                bytes: freed.unsigned(5)
            )
            guard stacks.holds(row.freeStack) else {
                throw .damaged(path: database.path, reason: "freed by stack \(row.freeStack.rawValue)")
            }
            phaseFrees.append(row)
        }
    }
}
