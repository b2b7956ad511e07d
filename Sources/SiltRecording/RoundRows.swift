internal import SiltEvents

extension RecordingWriter {
    /// A hunt begins: survivor histories start anew, so those written until now are removed.
    package func beginRounds() throws(RecordingError) {
        try database.execute("DELETE FROM histories; DELETE FROM site_histories;")
    }

    package func write(_ round: RecordedRound) throws(RecordingError) {
        let (requests, failed) = (round.requests, round.failedRequests)
        try insert(into: "rounds", round.number, round.phase, round.kind, requests, failed, round.startNs, round.endNs)
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
            try insert.run(row.process, row.phase, row.stack, row.count, row.bytes)
        }
    }

    /// Replaces what was written of the same process, phase and stacks.
    package func write(_ rows: [PhaseFrees]) throws(RecordingError) {
        for row in rows {
            try insert(into: "phase_frees", row.process, row.phase, row.stack, row.freeStack, row.count, row.bytes)
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
