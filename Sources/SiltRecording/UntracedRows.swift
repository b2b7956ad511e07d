extension RecordingWriter {
    /// Replaces what was written of them.
    package func write(_ untraced: [RecordedUntraced]) throws(RecordingError) {
        try database.execute("DELETE FROM untraced")
        let row = try database.prepare("INSERT INTO untraced VALUES (?, ?, ?, ?, ?, ?, ?)")
        for program in untraced {
            row.bind(program.program, at: 1)
            row.bind(program.reason, at: 2)
            row.bind(program.became, at: 3)
            row.bind(program.processes, at: 4)
            row.bind(UInt64(program.seconds * 1000), at: 5)
            row.bind(program.grownBytes, at: 6)
            row.bind(program.starterPid, at: 7)
            try row.run()
        }
    }
}

extension Recording {
    mutating func readUntraced(_ database: Database) throws(RecordingError) {
        guard try hasTable("untraced", database) else { return }
        let lives = try hasColumn("grown", of: "untraced", database) ? "grown, starter" : "0, 0"
        let row = try database.prepare(
            """
            SELECT program, reason, became, processes, milliseconds, \(lives) FROM untraced
            ORDER BY milliseconds DESC, processes DESC, program
            """
        )
        while try row.step() {
            var program = RecordedUntraced(program: row.text(0), reason: row.text(1))
            program.became = row.text(2)
            program.processes = row.unsigned(3)
            program.seconds = Double(row.unsigned(4)) / 1000
            program.grownBytes = row.unsigned(5)
            program.starterPid = row.id(6)
            untraced.append(program)
        }
    }
}
