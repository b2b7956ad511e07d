extension RecordingWriter {
    /// Replaces what was written of them.
    package func write(_ untraced: [RecordedUntraced]) throws(RecordingError) {
        try database.execute("DELETE FROM untraced")
        for one in untraced {
            let (name, milliseconds) = (one.program, UInt64(one.seconds * 1000))
            let numbers = NumberColumns(numbers: [one.processes, milliseconds, one.grownBytes, UInt64(one.starterPid)])
            try insert(into: "untraced", name, one.reason, one.became, numbers)
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
