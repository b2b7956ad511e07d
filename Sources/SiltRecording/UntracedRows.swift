extension RecordingWriter {
    /// Replaces what was written of them.
    package func write(_ untraced: [RecordedUntraced]) throws(RecordingError) {
        try database.execute("DELETE FROM untraced")
        let row = try database.prepare("INSERT INTO untraced VALUES (?, ?, ?, ?, ?)")
        for program in untraced {
            row.bind(program.program, at: 1)
            row.bind(program.reason, at: 2)
            row.bind(program.became, at: 3)
            row.bind(program.processes, at: 4)
            row.bind(UInt64(program.seconds * 1000), at: 5)
            try row.run()
        }
    }
}

extension Recording {
    mutating func readUntraced(_ database: Database) throws(RecordingError) {
        guard try hasTable("untraced", database) else { return }
        let row = try database.prepare(
            "SELECT program, reason, became, processes, milliseconds FROM untraced ORDER BY milliseconds DESC, processes DESC, program"
        )
        while try row.step() {
            var program = RecordedUntraced(program: row.text(0), reason: row.text(1))
            program.became = row.text(2)
            program.processes = row.unsigned(3)
            program.seconds = Double(row.unsigned(4)) / 1000
            untraced.append(program)
        }
    }
}
