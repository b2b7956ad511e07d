internal import CSQLite
package import SiltEvents

/// Writes a recording while the run goes on: what changed, in transactions, so that a kill of anything leaves a readable
/// file with everything that was committed.
///
/// Rows may come outside `begin()`/`commit()` (each is then its own transaction: slow). One thread at a time.
/// During the run the file has a write-ahead log beside it (F-wal, F-shm); `close()` folds it in and leaves one file.
/// Durability: `synchronous=NORMAL`. A killed process loses nothing that was committed, because pages are with the
/// kernel; a machine that loses power keeps a consistent file that may lack the last seconds. It costs an fsync per
/// checkpoint, one each 32 MiB of log, none per transaction.
package final class RecordingWriter {
    /// nil: a private temporary database, gone after `close()`.
    package let path: String?
    let database: Database
    private let frameRows: RowBatch
    let selectCounters: Statement
    private let symbolRows: RowBatch
    private let deleteSymbols: Statement
    private let insertSiteSample: Statement
    private let insertHistory: Statement
    private let insertSiteHistory: Statement
    /// By table.
    private var insertions: [String: Statement] = [:]
    var strings: [String: StringID] = [:]
    private var marks = 0
    /// False where rows are added to what a killed writer left: that is not a complete recording.
    var isWhole = true
    private(set) var inTransaction = false
    private(set) var isClosed = false
    /// Sample and snapshot rows since the last thinning, and rows it left.
    var unthinned = 0
    var thinned = 0
    /// Highest ids added: how many modules, frames and stacks of the session's table are in the file.
    package internal(set) var storedModules = 0
    package internal(set) var storedFrames = 0
    package internal(set) var storedStacks = 0
    /// Highest number of a process that was written.
    package internal(set) var storedProcesses: UInt32 = 0
    /// Frames whose functions were written, and the highest that may have some from an earlier writer.
    private var symbolized: Set<FrameID> = []
    var symbolizedBefore = FrameID.none
    var stackChunk = StackChunk()
    var counterChunk = CounterChunk()

    /// Makes the file (0600), replacing an older recording of that name; any other file there is left alone.
    package convenience init(path: String?) throws(RecordingError) {
        try self.init(path: path, database: RecordingWriter.newDatabase(path))
    }

    private static func newDatabase(_ path: String?) throws(RecordingError) -> Database {
        let database: Database
        if let path {
            let claim = try RecordingFile.create(at: path)
            database = try Database(
                path: path,
                name: path,
                flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_PRIVATECACHE,
                claim: claim
            )
        } else {
            database = try Database(
                path: "(temporary)",
                name: "",
                flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            )
        }
        // A power cut now would lose an empty recording: not worth a wait for the disk.
        try database.execute("PRAGMA page_size = 8192; PRAGMA cache_size = -16384; PRAGMA synchronous = OFF;")
        try database.execute(
            "BEGIN; \(Schema.tables) \(Schema.views) COMMIT; PRAGMA journal_mode = \(path == nil ? "OFF" : "WAL");"
        )
        // With NORMAL the first commit to a log would wait for the disk as well.
        try database.execute("INSERT INTO target (id) VALUES (1);")
        if path != nil {
            try database.execute(
                "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4096; PRAGMA journal_size_limit = 33554432;"
            )
        }
        return database
    }

    /// Goes on with a database that has the tables.
    init(path: String?, database: Database) throws(RecordingError) {
        self.path = path
        self.database = database
        frameRows = try RowBatch(database, table: "frames", columns: 4)
        symbolRows = try RowBatch(database, table: "symbol_rows", columns: 6)
        selectCounters = try database.prepare("SELECT numbers FROM counter_chunks WHERE chunk = ?")
        deleteSymbols = try database.prepare("DELETE FROM symbol_rows WHERE frame = ?")
        insertSiteSample = try database.insertion(into: "site_samples", columns: 10)
        insertHistory = try database.insertion(into: "histories", columns: 4)
        insertSiteHistory = try database.insertion(into: "site_histories", columns: 4)
    }

    /// Writes a row, its columns in their order; replaces the one with the same key.
    @inline(__always)
    func insert<each Value: ColumnValue>(into table: String, _ values: repeat each Value) throws(RecordingError) {
        if let statement = insertions[table] { return try statement.run(repeat each values) }
        var count: Int32 = 0
        for value in repeat each values { count += value.columnCount }
        let statement = try database.insertion(into: table, columns: Int(count))
        insertions[table] = statement
        try statement.run(repeat each values)
    }

    /// Removes what was written of a process.
    func delete(from table: String, process: UInt32) throws(RecordingError) {
        try database.run("DELETE FROM \(table) WHERE process = ?", process)
    }

    package func begin() throws(RecordingError) {
        try database.execute("BEGIN IMMEDIATE")
        inTransaction = true
    }

    /// Makes everything since `begin()` part of the recording; thins the series when they have grown by a quarter.
    package func commit() throws(RecordingError) {
        if unthinned > max(100_000, thinned / 4) {
            try thin()
        }
        try writePending()
        try database.execute("COMMIT")
        inTransaction = false
    }

    /// Drops what was not committed; the writer is of no use then.
    package func abandon() {
        isClosed = true
        guard inTransaction else { return }
        inTransaction = false
        // It may be rolled back already, as after a full disk.
        do { try database.execute("ROLLBACK") } catch { return }
    }

    /// Writes what was added but waits for more of its kind; before every commit, and before the open transaction is read.
    func writePending() throws(RecordingError) {
        try frameRows.flush()
        try symbolRows.flush()
        try writeStackChunk()
        try writeCounterChunk()
    }

    /// Ends the recording: thins the series, marks it as complete and leaves one file.
    ///
    /// Nothing may be written afterwards.
    package func close() throws(RecordingError) {
        guard !isClosed else { return }
        isClosed = true
        if !inTransaction {
            try begin()
        }
        try thin()
        if isWhole { try database.execute("UPDATE target SET closed = 1") }
        try commit()
        if path != nil {
            // All is on the disk once the log is folded in; that there is none any more need not be.
            let isBusy = try database.integer("PRAGMA wal_checkpoint(TRUNCATE)") != 0
            if !isBusy { try database.execute("PRAGMA synchronous = OFF") }
            try database.execute("PRAGMA journal_mode = DELETE")
        }
    }

    // MARK: - What the run is

    package func write(_ target: RecordedTarget) throws(RecordingError) {
        try insert(
            into: "target",
            1,
            ShellWords.joined(target.command),
            target.directory,
            target.executable,
            target.pid,
            target.allocator,
            target.exitStatus,
            target.signal,
            target.siltVersion,
            target.kernel,
            target.snapshotPeriodNs,
            target.startUnixNs,
            target.startNs,
            target.endNs,
            target.untraceable,
            false
        )
    }

    package func write(_ cost: RecordedCost) throws(RecordingError) {
        let numbers = [cost.commandCPUNs, cost.commandPeakBytes, cost.analyzerCPUNs, cost.analyzerPeakBytes]
        try insert(into: "costs", 1, NumberColumns(numbers: numbers))
    }

    /// For a trace whose snapshots are closer together at first (`Recording.maximumSnapshotStep`).
    package func write(maximumSnapshotStep step: UInt32) throws(RecordingError) {
        try insert(into: "snapshot_steps", 1, step)
    }

    /// What the target may use, where its control group has a limit.
    package func write(memoryLimit bytes: UInt64) throws(RecordingError) {
        try insert(into: "limits", 1, bytes)
    }

    /// Adds the process, or replaces what was written of it.
    package func write(_ process: RecordedProcess) throws(RecordingError) {
        storedProcesses = max(storedProcesses, process.id)
        let (ended, status) = process.end.columns
        try insert(
            into: "processes",
            process.id,
            process.pid,
            process.parentPid,
            process.parent,
            ShellWords.joined(process.command),
            process.executable,
            process.forked,
            process.startNs,
            process.endNs,
            ended,
            status
        )
        if process.isProfiled { try insert(into: "process_kinds", process.id, Schema.profileKind) }
    }

    package func write(_ totals: RecordedTotals, process: UInt32) throws(RecordingError) {
        try insert(into: "totals", process, NumberColumns(of: totals))
    }

    package func write(_ trust: TrustCounters, process: UInt32) throws(RecordingError) {
        try insert(into: "trust", process, NumberColumns(of: trust))
        if trust.offReason != 0 { try insert(into: "stops", process, trust.offNs) }
    }

    package func add(_ mark: RecordedMark) throws(RecordingError) {
        marks += 1
        try insert(into: "marks", marks, mark.name, mark.timeNs)
    }

    /// Replaces what was written of the same phase.
    package func write(_ phase: RecordedPhase, number: Int) throws(RecordingError) {
        try insert(into: "phases", number, phase.name, phase.startNs, phase.endNs, phase.requests)
    }

    // MARK: - Where memory comes from

    package func add(module id: ModuleID, path: String, buildID: [UInt8]) throws(RecordingError) {
        try insert(into: "modules", id, path, buildID, String?.none)
        storedModules = max(storedModules, Int(id.rawValue))
    }

    /// Why addresses of a module have no lines; a module without such a row has some, or was not looked at.
    package func write(missingLines reason: String, module id: ModuleID) throws(RecordingError) {
        try database.run("UPDATE modules SET missing_lines = ? WHERE module = ?", reason, id)
    }

    package func add(
        frame id: FrameID,
        module: ModuleID,
        offset: UInt64,
        kind: Frame.Kind = .returnAddress
    ) throws(RecordingError) {
        frameRows.set(0, Int64(id.rawValue))
        frameRows.set(1, Int64(module.rawValue))
        frameRows.set(2, Int64(bitPattern: offset))
        frameRows.set(3, Int64(kind.rawValue))
        try frameRows.endRow()
        if !inTransaction { try frameRows.flush() }
        storedFrames = max(storedFrames, Int(id.rawValue))
    }

    /// The functions at a frame, innermost first; replaces what was written of it.
    package func write(symbols: [SourceFrame], frame: FrameID) throws(RecordingError) {
        if frame <= symbolizedBefore || symbolized.contains(frame) {
            try symbolRows.flush()
            try deleteSymbols.run(frame)
        }
        if !symbols.isEmpty { symbolized.insert(frame) }
        for (depth, symbol) in symbols.enumerated() {
            let function = try string(symbol.function)
            var file: StringID?
            if let name = symbol.file {
                file = try string(name)
            }
            symbolRows.set(0, Int64(frame.rawValue))
            symbolRows.set(1, Int64(depth))
            symbolRows.set(2, Int64(function.rawValue))
            symbolRows.set(3, file.map { Int64($0.rawValue) })
            symbolRows.set(4, symbol.line.map(Int64.init))
            symbolRows.set(5, symbol.inlined ? 1 : 0)
            try symbolRows.endRow()
        }
        if !inTransaction { try symbolRows.flush() }
    }

    /// The function of another file that the call before a frame's return address names.
    package func write(called function: String, frame: FrameID) throws(RecordingError) {
        try insert(into: "calls", frame, try string(function))
    }

    private func string(_ text: String) throws(RecordingError) -> StringID {
        if let known = strings[text] {
            return known
        }
        let id = StringID(rawValue: UInt32(strings.count + 1))
        strings[text] = id
        try insert(into: "strings", id, text)
        return id
    }

    // MARK: - What moved

    package func write(_ snapshot: RecordedSnapshot) throws(RecordingError) {
        try insert(
            into: "snapshots",
            snapshot.process,
            snapshot.snapshot,
            snapshot.width,
            snapshot.timeNs,
            snapshot.inUseBytes,
            snapshot.troughBytes ?? snapshot.inUseBytes,
            snapshot.inUseCount,
            snapshot.allocatedBytes,
            snapshot.allocatedCount,
            snapshot.rssBytes,
            // The column of pss stays NULL: earlier readers ask for it.
            UInt64?.none,
            snapshot.mappedBytes
        )
        unthinned += 1
    }

    /// A group that moved since its last sample.
    package func write(_ sample: RecordedSample) throws(RecordingError) {
        // What a group allocated is not kept: its stacks' counters say it.
        try insertSiteSample.run([
            UInt64(sample.resource.rawValue), UInt64(sample.process), UInt64(sample.group.rawValue),
            UInt64(sample.snapshot), UInt64(sample.width), sample.inUseBytes, sample.troughBytes, sample.inUseCount, 0,
            0,
        ])
        unthinned += 1
    }

    /// The survivor history of a stack, encoded; replaces the one before.
    package func write(history: [UInt8], of resource: Resource, process: UInt32, stack: StackID) throws(RecordingError)
    {
        try insertHistory.run([UInt64(resource.rawValue), UInt64(process), UInt64(stack.rawValue)], history)
    }

    /// The survivor history of a group, encoded.
    package func write(
        history: [UInt8],
        of resource: Resource,
        process: UInt32,
        group frame: FrameID
    ) throws(RecordingError) {
        try insertSiteHistory.run([UInt64(resource.rawValue), UInt64(process), UInt64(frame.rawValue)], history)
    }
}
