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
    private let insertModule: Statement
    private let frameRows: RowBatch
    let insertStackChunk: Statement
    let insertCounters: Statement
    let selectCounters: Statement
    private let insertSnapshot: Statement
    private let insertSiteSample: Statement
    private let insertHistory: Statement
    private let insertSiteHistory: Statement
    private let insertString: Statement
    private let symbolRows: RowBatch
    private let insertCall: Statement
    private let deleteSymbols: Statement
    private let insertTotals: Statement
    private let insertTrust: Statement
    private let insertProcess: Statement
    private let insertTarget: Statement
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
        insertModule = try database.prepare("INSERT OR REPLACE INTO modules (module, path, build_id) VALUES (?, ?, ?)")
        frameRows = try RowBatch(database, table: "frames", columns: 4)
        insertStackChunk = try database.prepare("INSERT OR REPLACE INTO call_tree VALUES (?, ?, ?)")
        insertCounters = try database.prepare("INSERT OR REPLACE INTO counter_chunks VALUES (?, ?)")
        selectCounters = try database.prepare("SELECT numbers FROM counter_chunks WHERE chunk = ?")
        insertSnapshot = try database.prepare(
            "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        insertSiteSample = try database.prepare(
            "INSERT OR REPLACE INTO site_samples VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        insertHistory = try database.prepare("INSERT OR REPLACE INTO histories VALUES (?, ?, ?, ?)")
        insertSiteHistory = try database.prepare("INSERT OR REPLACE INTO site_histories VALUES (?, ?, ?, ?)")
        insertString = try database.prepare("INSERT INTO strings VALUES (?, ?)")
        symbolRows = try RowBatch(database, table: "symbol_rows", columns: 6)
        insertCall = try database.prepare("INSERT OR REPLACE INTO calls VALUES (?, ?)")
        deleteSymbols = try database.prepare("DELETE FROM symbol_rows WHERE frame = ?")
        insertTotals = try database.prepare("INSERT OR REPLACE INTO totals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        let places = Array(repeating: "?", count: Schema.trustColumns.count + 1).joined(separator: ", ")
        insertTrust = try database.prepare("INSERT OR REPLACE INTO trust VALUES (\(places))")
        insertProcess = try database.prepare(
            "INSERT OR REPLACE INTO processes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        insertTarget = try database.prepare(
            "INSERT OR REPLACE INTO target VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"
        )
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
        let row = insertTarget
        row.bind(ShellWords.joined(target.command), at: 1)
        row.bind(target.directory, at: 2)
        row.bind(target.executable, at: 3)
        row.bind(target.pid, at: 4)
        row.bind(target.allocator, at: 5)
        row.bind(target.exitStatus, at: 6)
        row.bind(target.signal, at: 7)
        row.bind(target.siltVersion, at: 8)
        row.bind(target.kernel, at: 9)
        row.bind(target.snapshotPeriodNs, at: 10)
        row.bind(target.startUnixNs, at: 11)
        row.bind(target.startNs, at: 12)
        row.bind(target.endNs, at: 13)
        row.bind(target.untraceable, at: 14)
        try row.run()
    }

    package func write(_ cost: RecordedCost) throws(RecordingError) {
        let row = try database.prepare("INSERT OR REPLACE INTO costs VALUES (1, ?, ?, ?, ?)")
        row.bind(cost.commandCPUNs, at: 1)
        row.bind(cost.commandPeakBytes, at: 2)
        row.bind(cost.analyzerCPUNs, at: 3)
        row.bind(cost.analyzerPeakBytes, at: 4)
        try row.run()
    }

    /// For a trace whose snapshots are closer together at first (`Recording.maximumSnapshotStep`).
    package func write(maximumSnapshotStep step: UInt32) throws(RecordingError) {
        let row = try database.prepare("INSERT OR REPLACE INTO snapshot_steps VALUES (1, ?)")
        row.bind(step, at: 1)
        try row.run()
    }

    /// What the target may use, where its control group has a limit.
    package func write(memoryLimit bytes: UInt64) throws(RecordingError) {
        let row = try database.prepare("INSERT OR REPLACE INTO limits VALUES (1, ?)")
        row.bind(bytes, at: 1)
        try row.run()
    }

    /// Adds the process, or replaces what was written of it.
    package func write(_ process: RecordedProcess) throws(RecordingError) {
        let row = insertProcess
        storedProcesses = max(storedProcesses, process.id)
        row.bind(process.id, at: 1)
        row.bind(process.pid, at: 2)
        row.bind(process.parentPid, at: 3)
        row.bind(process.parent, at: 4)
        row.bind(ShellWords.joined(process.command), at: 5)
        row.bind(process.executable, at: 6)
        row.bind(Int64(process.forked ? 1 : 0), at: 7)
        row.bind(process.startNs, at: 8)
        row.bind(process.endNs, at: 9)
        let (ended, status) = process.end.columns
        row.bind(ended, at: 10)
        row.bind(status, at: 11)
        try row.run()
        guard process.isProfiled else { return }
        let kind = try database.prepare("INSERT OR REPLACE INTO process_kinds VALUES (?, ?)")
        kind.bind(process.id, at: 1)
        kind.bind(Schema.profileKind, at: 2)
        try kind.run()
    }

    package func write(_ totals: RecordedTotals, process: UInt32) throws(RecordingError) {
        let row = insertTotals
        row.bind(process, at: 1)
        row.bind(totals.allocatedBytes, at: 2)
        row.bind(totals.allocatedCount, at: 3)
        row.bind(totals.freedBytes, at: 4)
        row.bind(totals.freedCount, at: 5)
        row.bind(totals.inUseBytes, at: 6)
        row.bind(totals.inUseCount, at: 7)
        row.bind(totals.peakInUseBytes, at: 8)
        row.bind(totals.mappedBytes, at: 9)
        try row.run()
    }

    package func write(_ trust: TrustCounters, process: UInt32) throws(RecordingError) {
        insertTrust.bind(process, at: 1)
        for (index, value) in trust.columns.enumerated() {
            insertTrust.bind(value, at: Int32(index) + 2)
        }
        try insertTrust.run()
        guard trust.offReason != 0 else { return }
        let stop = try database.prepare("INSERT OR REPLACE INTO stops VALUES (?, ?)")
        stop.bind(process, at: 1)
        stop.bind(trust.offNs, at: 2)
        try stop.run()
    }

    package func add(_ mark: RecordedMark) throws(RecordingError) {
        marks += 1
        let row = try database.prepare("INSERT INTO marks VALUES (?, ?, ?)")
        row.bind(Int64(marks), at: 1)
        row.bind(mark.name, at: 2)
        row.bind(mark.timeNs, at: 3)
        try row.run()
    }

    /// Replaces what was written of the same phase.
    package func write(_ phase: RecordedPhase, number: Int) throws(RecordingError) {
        let row = try database.prepare("INSERT OR REPLACE INTO phases VALUES (?, ?, ?, ?, ?)")
        row.bind(Int64(number), at: 1)
        row.bind(phase.name, at: 2)
        row.bind(phase.startNs, at: 3)
        row.bind(phase.endNs, at: 4)
        row.bind(phase.requests, at: 5)
        try row.run()
    }

    // MARK: - Where memory comes from

    package func add(module id: ModuleID, path: String, buildID: [UInt8]) throws(RecordingError) {
        insertModule.bind(id, at: 1)
        insertModule.bind(path, at: 2)
        insertModule.bind(buildID, at: 3)
        try insertModule.run()
        storedModules = max(storedModules, Int(id.rawValue))
    }

    /// Why addresses of a module have no lines; a module without such a row has some, or was not looked at.
    package func write(missingLines reason: String, module id: ModuleID) throws(RecordingError) {
        let row = try database.prepare("UPDATE modules SET missing_lines = ? WHERE module = ?")
        row.bind(reason, at: 1)
        row.bind(id, at: 2)
        try row.run()
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
            deleteSymbols.bind(frame, at: 1)
            try deleteSymbols.run()
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
        insertCall.bind(frame, at: 1)
        insertCall.bind(try string(function), at: 2)
        try insertCall.run()
    }

    private func string(_ text: String) throws(RecordingError) -> StringID {
        if let known = strings[text] {
            return known
        }
        let id = StringID(rawValue: UInt32(strings.count + 1))
        strings[text] = id
        insertString.bind(id, at: 1)
        insertString.bind(text, at: 2)
        try insertString.run()
        return id
    }

    // MARK: - What moved

    package func write(_ snapshot: RecordedSnapshot) throws(RecordingError) {
        let row = insertSnapshot
        row.bind(snapshot.process, at: 1)
        row.bind(snapshot.snapshot, at: 2)
        row.bind(snapshot.width, at: 3)
        row.bind(snapshot.timeNs, at: 4)
        row.bind(snapshot.inUseBytes, at: 5)
        row.bind(snapshot.troughBytes ?? snapshot.inUseBytes, at: 6)
        row.bind(snapshot.inUseCount, at: 7)
        row.bind(snapshot.allocatedBytes, at: 8)
        row.bind(snapshot.allocatedCount, at: 9)
        row.bind(snapshot.rssBytes, at: 10)
        // Column 11, pss, stays NULL: earlier readers ask for it.
        row.bind(snapshot.mappedBytes, at: 12)
        try row.run()
        unthinned += 1
    }

    /// A group that moved since its last sample.
    package func write(_ sample: RecordedSample) throws(RecordingError) {
        let row = insertSiteSample
        row.bind(UInt32(sample.resource.rawValue), at: 1)
        row.bind(sample.process, at: 2)
        row.bind(sample.group, at: 3)
        row.bind(sample.snapshot, at: 4)
        row.bind(sample.width, at: 5)
        row.bind(sample.inUseBytes, at: 6)
        row.bind(sample.troughBytes, at: 7)
        row.bind(sample.inUseCount, at: 8)
        row.bind(sample.allocatedBytes, at: 9)
        row.bind(sample.allocatedCount, at: 10)
        try row.run()
        unthinned += 1
    }

    /// The survivor history of a stack, encoded; replaces the one before.
    package func write(history: [UInt8], of resource: Resource, process: UInt32, stack: StackID) throws(RecordingError)
    {
        insertHistory.bind(UInt32(resource.rawValue), at: 1)
        insertHistory.bind(process, at: 2)
        insertHistory.bind(stack, at: 3)
        insertHistory.bind(history, at: 4)
        try insertHistory.run()
    }

    /// The survivor history of a group, encoded.
    package func write(
        history: [UInt8],
        of resource: Resource,
        process: UInt32,
        group frame: FrameID
    ) throws(RecordingError) {
        insertSiteHistory.bind(UInt32(resource.rawValue), at: 1)
        insertSiteHistory.bind(process, at: 2)
        insertSiteHistory.bind(frame, at: 3)
        insertSiteHistory.bind(history, at: 4)
        try insertSiteHistory.run()
    }
}
